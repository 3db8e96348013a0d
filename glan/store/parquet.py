"""Tables as Parquet bytes and back, with the errors of a damaged or foreign object said plainly."""

import contextlib
import io
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate

import pyarrow as pa
import pyarrow.parquet as pq

from glan.errors import StoreError, Unreadable
from glan.records import SCHEMA_VERSION, SCHEMAS


def encoded(name: str, rows: pa.Table, metadata: Mapping[str, str] | None = None) -> bytes:
    """A whole Parquet file of the named table, zstd level 3; `metadata` joins its schema's own in the footer.

    Raises:
        StoreError: the rows do not fit the schema.
    """
    schema = SCHEMAS[name]
    try:
        fitting = rows.select(schema.names).cast(schema.remove_metadata())
    except (KeyError, pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise StoreError(f"rows do not fit the schema of {name}: {error}") from error
    sink = io.BytesIO()
    footer = {**(schema.metadata or {}), **(metadata or {})}
    pq.write_table(fitting.replace_schema_metadata(footer), sink, compression="zstd", compression_level=3)
    return sink.getvalue()


@contextlib.contextmanager
def opened(source: pa.NativeFile, path: str, name: str) -> Iterator[pq.ParquetFile]:
    """A Parquet file of the named table, closed afterwards; what goes wrong while reading it names its path.

    Raises:
        Unreadable: it is truncated or damaged, or holds another table.
        StoreError: it comes from a newer layout.
    """
    try:
        with source, pq.ParquetFile(source, pre_buffer=True) as file:
            _check(file.schema_arrow.metadata or {}, path, name)
            yield file
    except (pa.ArrowException, OSError) as error:
        raise Unreadable(f"{path} is damaged or no Parquet file: {_reason(error)}") from error


def conformed(rows: pa.Table, name: str, columns: list[str] | None = None) -> pa.Table:
    """The rows with exactly the wanted columns (all without any); one added since they were written is null."""
    schema = SCHEMAS[name]
    fields = [schema.field(column) for column in columns or schema.names]
    arrays = [
        rows[field.name].cast(field.type) if field.name in rows.column_names else pa.nulls(rows.num_rows, field.type)
        for field in fields
    ]
    return pa.table(arrays, schema=pa.schema(fields, metadata=schema.metadata))


def known(file: pq.ParquetFile, columns: list[str]) -> list[str]:
    """Those of the columns that the file has."""
    present = set(file.schema_arrow.names)
    return [column for column in columns if column in present]


def starts_of(file: pq.ParquetFile) -> list[int]:
    """The place of the first row of each row group, and last the number of all rows."""
    groups = range(file.metadata.num_row_groups)
    return list(accumulate((file.metadata.row_group(group).num_rows for group in groups), initial=0))


def touching(starts: Sequence[int], first: int, rows: int) -> list[int]:
    """The row groups that hold any of so many rows from `first` on."""
    groups = range(len(starts) - 1)
    return [group for group in groups if starts[group] < first + rows and starts[group + 1] > first]


def rows_at(file: pq.ParquetFile, first: int, rows: int, columns: list[str]) -> pa.Table:
    """So many rows from `first` on, or those that there are; row groups without them are not read."""
    starts = starts_of(file)
    touched = touching(starts, first, rows)
    skipped = starts[touched[0]] if touched else 0
    return file.read_row_groups(touched, columns).slice(first - skipped, rows)


def _check(metadata: Mapping[bytes, bytes], path: str, name: str) -> None:
    table, version = (metadata.get(key, b"").decode(errors="replace") for key in (b"table", b"schema_version"))
    if table != name:
        raise Unreadable(f"{path} holds {f'the table {table}' if table else 'no table of glan'}, not {name}")
    if version.partition(".")[0] != SCHEMA_VERSION.partition(".")[0]:
        raise StoreError(f"{path} has schema version {version}, this glan reads {SCHEMA_VERSION}; use one that fits")


def _reason(error: BaseException) -> str:
    first_line = (str(error).splitlines() or [type(error).__name__])[0]
    return first_line.partition(". ")[0].rstrip(".")
