"""Chat rows <-> the files of a release; equal rows make equal bytes."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Literal, get_args

import pyarrow as pa
import pyarrow.parquet as pq

from glan.release.chat import SCHEMA

Format = Literal["parquet", "jsonl"]
FORMATS: tuple[Format, ...] = get_args(Format)

Row = dict[str, Any]
WriteRows = Callable[[list[Row]], None]

# Line ends to Unicode, though not to JSON: a reader that splits lines by them would cut rows in two.
_LINE_ENDS = {ord(character): f"\\u{ord(character):04x}" for character in "\u0085\u2028\u2029"}


@contextmanager
def _parquet(path: Path) -> Iterator[WriteRows]:
    with pq.ParquetWriter(path, SCHEMA, compression="zstd", compression_level=3) as writer:
        yield lambda rows: writer.write_table(pa.Table.from_pylist(rows, schema=SCHEMA))


@contextmanager
def _jsonl(path: Path) -> Iterator[WriteRows]:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        yield lambda rows: file.writelines(_line(row) for row in rows)


WRITERS: Mapping[Format, Callable[[Path], AbstractContextManager[WriteRows]]] = {"parquet": _parquet, "jsonl": _jsonl}
"""Each opens a new local file and gives a function that appends rows to it; Parquet makes a row group of each call."""


def _line(row: Row) -> str:
    return json.dumps(row, ensure_ascii=False, allow_nan=False).translate(_LINE_ENDS) + "\n"
