"""Chat rows <-> the files of a release; equal rows make equal bytes."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import pyarrow as pa
import pyarrow.parquet as pq

from glan.release import chat

Format = Literal["parquet", "jsonl", "alpaca", "sharegpt"]
FORMATS: tuple[Format, ...] = get_args(Format)
USUAL: tuple[Format, ...] = ("parquet", "jsonl")

Row = dict[str, Any]
WriteRows = Callable[[list[Row]], None]

# Line ends to Unicode, though not to JSON: a reader that splits lines by them would cut rows in two.
_LINE_ENDS = {ord(character): f"\\u{ord(character):04x}" for character in "\u0085\u2028\u2029"}


@contextmanager
def _parquet(path: Path) -> Iterator[WriteRows]:
    with pq.ParquetWriter(path, chat.SCHEMA, compression="zstd", compression_level=3) as writer:
        yield lambda rows: writer.write_table(pa.Table.from_pylist(rows, schema=chat.SCHEMA))


def _lines(shaped: Callable[[Row], Row]) -> Callable[[Path], AbstractContextManager[WriteRows]]:
    @contextmanager
    def opened(path: Path) -> Iterator[WriteRows]:
        with path.open("w", encoding="utf-8", newline="\n") as file:
            yield lambda rows: file.writelines(_line(shaped(row)) for row in rows)

    return opened


@dataclass(frozen=True)
class Kind:
    """One format: its folder in a release, the ending of its files, and what opens a new local file for rows."""

    folder: str
    ending: str
    write: Callable[[Path], AbstractContextManager[WriteRows]]


KINDS: dict[Format, Kind] = {
    "parquet": Kind("data", "parquet", _parquet),
    "jsonl": Kind("data", "jsonl", _lines(lambda row: row)),
    "alpaca": Kind("alpaca", "jsonl", _lines(chat.alpaca_row)),
    "sharegpt": Kind("sharegpt", "jsonl", _lines(chat.sharegpt_row)),
}
"""Each hands over rows as `messages`; Parquet makes a row group of each call."""


def path(kind: Format, split: str, number: int | str) -> str:
    """Of a shard, below the release's folder; `*` names all shards."""
    shard = number if isinstance(number, str) else f"{number:05d}"
    return f"{KINDS[kind].folder}/{split}-{shard}.{KINDS[kind].ending}"


def _line(row: Row) -> str:
    return json.dumps(row, ensure_ascii=False, allow_nan=False).translate(_LINE_ENDS) + "\n"
