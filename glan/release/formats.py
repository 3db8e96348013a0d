"""Chat rows <-> the files of a release; equal rows make equal bytes."""

import json
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import pyarrow as pa
import pyarrow.parquet as pq

from glan.release import chat

Format = Literal["parquet", "jsonl", "alpaca", "sharegpt"]
"""A kind of file, or a shape of the rows beside `messages`; shapes come in each kind of file that is chosen."""

FORMATS: tuple[Format, ...] = get_args(Format)
USUAL: tuple[Format, ...] = ("parquet", "jsonl")

Row = dict[str, Any]
WriteRows = Callable[[list[Row]], None]

# Line ends to Unicode, though not to JSON: a reader that splits lines by them would cut rows in two.
_LINE_ENDS = {ord(character): f"\\u{ord(character):04x}" for character in "\u0085\u2028\u2029"}


@dataclass(frozen=True)
class Shape:
    """How one exchange is laid out: the folder of its files in a release, and its columns."""

    folder: str
    schema: pa.Schema
    shaped: Callable[[Row], Row]


MESSAGES = Shape("data", chat.SCHEMA, lambda row: row)
_OTHERS: dict[Format, Shape] = {
    "alpaca": Shape("alpaca", chat.ALPACA, chat.alpaca_row),
    "sharegpt": Shape("sharegpt", chat.SHAREGPT, chat.sharegpt_row),
}
_OF_CONVERSATIONS: dict[Format, Shape] = {
    **_OTHERS,
    "alpaca": Shape("alpaca", chat.ALPACA_WITH_HISTORY, chat.alpaca_row_with_history),
}


@contextmanager
def _parquet(path: Path, shape: Shape) -> Iterator[WriteRows]:
    with pq.ParquetWriter(path, shape.schema, compression="zstd", compression_level=3) as writer:
        yield lambda rows: writer.write_table(pa.Table.from_pylist(list(map(shape.shaped, rows)), schema=shape.schema))


@contextmanager
def _lines(path: Path, shape: Shape) -> Iterator[WriteRows]:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        yield lambda rows: file.writelines(_line(shape.shaped(row)) for row in rows)


_WRITERS = {"parquet": _parquet, "jsonl": _lines}


@dataclass(frozen=True)
class Kind:
    """Files of one shape and one ending; all kinds of a release hold the same rows."""

    shape: Shape
    ending: str

    def write(self, path: Path) -> AbstractContextManager[WriteRows]:
        """Open a new local file for rows as `messages`; Parquet makes a row group of each call."""
        return _WRITERS[self.ending](path, self.shape)

    def path(self, split: str, number: int | str) -> str:
        """Of a shard, below the release's folder; `*` names all shards."""
        shard = number if isinstance(number, str) else f"{number:05d}"
        return f"{self.shape.folder}/{split}-{shard}.{self.ending}"


def kinds(formats: Collection[Format], conversations: bool = False) -> list[Kind]:
    """Every shape that is asked for in every ending that is asked for, Parquet first.

    `conversations`: rows may hold more than one question and its answer.

    `datasets` reads all configurations of a folder by the reader of the first, so every shape must come in its ending.
    """
    endings = [name for name in _WRITERS if name in formats]
    shapes = [MESSAGES] if endings else []
    others = _OF_CONVERSATIONS if conversations else _OTHERS
    shapes += [shape for name, shape in others.items() if name in formats]
    return [Kind(shape, ending) for shape in shapes for ending in endings or ["jsonl"]]


def _line(row: Row) -> str:
    return json.dumps(row, ensure_ascii=False, allow_nan=False).translate(_LINE_ENDS) + "\n"
