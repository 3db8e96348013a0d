"""Which small objects are worth merging, into how many parts, and the bytes of one part. Pure."""

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from glan.records import SCHEMAS

PART_BYTES = 128_000_000
"""How large a part is to become. One of less than half of it is merged again, with others."""

_GROWTH = 4
"""A small part waits until the rest is a quarter of it, so that no row is written again and again."""

_GROUP_BYTES = 4_000_000

Thing = TypeVar("Thing")


@dataclass(frozen=True, slots=True)
class Piece(Generic[Thing]):
    """Something to be merged, and its bytes. `loose`: it is merged whatever its size."""

    thing: Thing
    size: float
    loose: bool = True


def worth_merging(pieces: Iterable[Piece[Thing]], part_bytes: float) -> list[Thing]:
    """All that is loose, and of the parts the small ones that are not large beside what joins them."""
    given = list(pieces)
    joined = [piece for piece in given if piece.loose]
    size = sum(piece.size for piece in joined)
    for part in sorted((piece for piece in given if not piece.loose), key=lambda piece: piece.size):
        if part.size < part_bytes / 2 and part.size <= _GROWTH * size:
            joined.append(part)
            size += part.size
    return [piece.thing for piece in joined]


def in_parts(pieces: Sequence[Piece[Thing]], part_bytes: float) -> list[list[Piece[Thing]]]:
    """The pieces in order, in as many parts as it takes."""
    made: list[list[Piece[Thing]]] = []
    size = part_bytes
    for piece in pieces:
        if not made or size + piece.size > part_bytes:
            made.append([])
            size = 0.0
        made[-1].append(piece)
        size += piece.size
    return made


@dataclass(frozen=True)
class Merged:
    """What became one part of a table of a discipline. `left` could not be read, and stays where it is."""

    table: str
    discipline_id: str
    part: str
    objects: int
    rows: int
    bytes_before: int
    bytes_after: int
    left: tuple[str, ...] = ()


class PartWriter:
    """The bytes of a part, from tables that follow each other; a row group begins with a table and ends with one."""

    def __init__(self, table: str, rows_per_group: int, metadata: Mapping[str, str] | None = None) -> None:
        schema = SCHEMAS[table]
        self._schema = schema.with_metadata({**(schema.metadata or {}), **(metadata or {})})
        self._sink = io.BytesIO()
        self._writer = pq.ParquetWriter(self._sink, self._schema, compression="zstd", compression_level=3)
        self._rows_per_group = rows_per_group
        self._waiting: list[pa.Table] = []
        self.rows = 0

    def add(self, rows: pa.Table) -> int:
        """Append rows; the place of the first of them."""
        first = self.rows
        self.rows += rows.num_rows
        self._waiting.append(rows.replace_schema_metadata(self._schema.metadata))
        count = sum(one.num_rows for one in self._waiting)
        if count >= self._rows_per_group or sum(one.nbytes for one in self._waiting) >= _GROUP_BYTES:
            self._write()
        return first

    def body(self) -> bytes:
        """All of it; nothing can be added any more."""
        self._write()
        self._writer.close()
        return self._sink.getvalue()

    def _write(self) -> None:
        if self._waiting:
            together = pa.concat_tables(self._waiting)
            self._writer.write_table(together, row_group_size=max(1, together.num_rows))
            self._waiting.clear()
