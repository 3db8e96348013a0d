"""A query in SQL over what a snapshot shows, by DuckDB, which is an optional extra.

Each table is a view of the same name. Its rows are streamed, by the store's own reading, from exactly the objects that
the snapshot names, as often as the query needs them; only columns that the query names are read. The query can do
nothing but select: it reaches no file, no network and no setting.
"""

import json
import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from glan.dataset import View
from glan.errors import InputError, StoreError
from glan.names import shown
from glan.records import SCHEMAS

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MEMORY = "1GB"
"""Most that DuckDB keeps in memory; what goes beyond it waits in the spill folder."""

_BATCH_ROWS = 10_000
_LONGEST_REASON = 300


@contextmanager
def query(view: View, text: str, spill: str) -> Iterator[pa.RecordBatchReader]:
    """The rows of a SELECT as a stream, for as long as the block runs. `spill`: a folder for what does not fit in memory.

    Raises:
        InputError: DuckDB is not installed, this is no SELECT, or it names what is not there.
    """
    duckdb = _duckdb()
    connection = duckdb.connect(":memory:", config={"memory_limit": MEMORY, "temp_directory": spill})
    try:
        needed = _named_in(connection, text)
        tables = [_Rows(view, name, needed) for name in SCHEMAS]
        for table in tables:
            connection.register(table.name, table)
        for setting in ("python_enable_replacements", "enable_external_access"):
            connection.execute(f"SET {setting} = false")
        connection.execute("SET lock_configuration = true")
        try:
            found = connection.sql(text)
            if found is None:
                raise InputError("the query: it is empty; write a SELECT")
            yield found.to_arrow_reader(_BATCH_ROWS)
        except (duckdb.Error, pa.ArrowException, OSError) as error:
            for table in tables:
                if table.failed is not None:
                    raise table.failed from error
            if getattr(error, "errno", None):  # of whoever takes the result: has seen enough, or has no room for it
                raise
            raise InputError(f"the query: {_reason(error)}") from error
    finally:
        connection.close()


class _Rows:
    """A table as Arrow's stream interface has it: each reading begins anew."""

    def __init__(self, view: View, name: str, needed: Collection[str] | None) -> None:
        self.name = name
        self.failed: StoreError | None = None
        """What went wrong while rows were read: DuckDB hands on its text only."""
        self._view = view
        schema = SCHEMAS[name]
        columns = [column for column in schema.names if needed is None or column in needed]
        self._schema = pa.schema([schema.field(column) for column in columns or schema.names[:1]])

    def __arrow_c_schema__(self) -> Any:
        return self._schema.__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return pa.RecordBatchReader.from_batches(self._schema, self._batches()).__arrow_c_stream__(requested_schema)

    def _batches(self) -> Iterator[pa.RecordBatch]:
        try:
            for batch in self._view.batches(self.name, self._schema.names):
                yield batch.replace_schema_metadata(None)
        except StoreError as error:
            self.failed = error
            raise


def _named_in(connection: "DuckDBPyConnection", text: str) -> set[str] | None:
    """The names of columns that a SELECT may need; None: all, as it asks for whole rows somewhere.

    Raises:
        InputError: it cannot be parsed, or is something else than a SELECT.
    """
    [(found,)] = connection.execute("SELECT json_serialize_sql(?)", [text]).fetchall()
    parsed = json.loads(found)
    if parsed.get("error"):
        said = "only a SELECT can be run" if parsed["error_type"] == "not implemented" else parsed["error_message"]
        raise InputError(f"the query: {shown(said, _LONGEST_REASON)}")
    names = set(_texts(parsed))
    columns = {column for schema in SCHEMAS.values() for column in schema.names}
    whole = {"STAR", "NATURAL", "PIVOT"} & names or _whole_rows(parsed, columns)
    return None if whole else {name.casefold() for name in names} & columns


def _texts(node: Any) -> Iterator[str]:
    """Every text in a parsed query: names, among others."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict | list):
        for below in node.values() if isinstance(node, dict) else node:
            yield from _texts(below)


def _whole_rows(node: Any, columns: Collection[str]) -> bool:
    """Whether a table's name stands where a column's should: that means its whole row."""
    if isinstance(node, list):
        return any(_whole_rows(below, columns) for below in node)
    if not isinstance(node, dict):
        return False
    named = node.get("column_names")
    if isinstance(named, list) and len(named) == 1 and str(named[0]).casefold() not in columns:
        return True
    return any(_whole_rows(below, columns) for below in node.values())


def _duckdb() -> Any:
    try:
        import duckdb
    except ImportError:
        raise InputError("glan sql needs DuckDB, which is not installed: pip install 'glan[sql]'") from None
    return duckdb


def _reason(error: Exception) -> str:
    """DuckDB's first line; it quotes the query, and may quote rows."""
    first = str(error).strip().splitlines()[0]
    return shown(re.sub(r"^[A-Z]\w+ Error: ", "", first), _LONGEST_REASON)
