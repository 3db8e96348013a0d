"""Rejected rows -> a few of every reason, the same ones whatever the order or number of the others."""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from glan.keys import hashed

MOST_REASONS = 60
OF_EACH = 3


class Where(NamedTuple):
    """A row of instructions: the number of its unit, in the order of the snapshot, and its place there."""

    unit: int
    row: int


@dataclass(frozen=True)
class _Found:
    """By rank, so that the one with the largest is first in a heap of smallest ones."""

    rank: int
    where: Where

    def __lt__(self, other: "_Found") -> bool:
        return self.rank > other.rank


class Examples:
    """Feed it the tables of instructions, with the columns in `READS`."""

    READS = ("question_id", "kept", "reasons")

    def __init__(self) -> None:
        self._unit = -1
        self._found: dict[str, list[_Found]] = {}

    def add(self, table: pa.Table) -> None:
        """Take note of the rejected rows of the next unit."""
        self._unit += 1
        places = pc.indices_nonzero(pc.invert(pc.fill_null(table["kept"], False))).to_pylist()
        rejected = table.select(["question_id", "reasons"]).take(places).to_pylist() if places else []
        for place, row in zip(places, rejected, strict=True):
            found = _Found(hashed("example", row["question_id"]), Where(self._unit, place))
            for reason in row["reasons"] or ():
                self._note(reason, found)

    def __iter__(self) -> Iterator[Where]:
        """All of them, each once."""
        return iter(sorted({one.where for heap in self._found.values() for one in heap}))

    def _note(self, reason: str, found: _Found) -> None:
        if reason not in self._found and len(self._found) == MOST_REASONS:
            return
        heap = self._found.setdefault(reason, [])
        if len(heap) < OF_EACH:
            heapq.heappush(heap, found)
        elif found.rank < heap[0].rank:
            heapq.heapreplace(heap, found)
