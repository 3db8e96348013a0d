"""Kept rows -> how deep the tree is covered, how varied questions are, how long texts are."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from glan.dataset import View
from glan.report import reach
from glan.report.diversity import Diversity, Sampled, diversity
from glan.report.reach import Nodes, Reached
from glan.taxonomy import Discipline

SHARES = (0, 5, 25, 50, 75, 95, 100)
"""Percent of the texts that are not longer than what `Texts.lengths` says."""

_BARS = 24
_TEXTS = {
    "question": ("question", False),
    "answer": ("answer", False),
    "follow-up question": ("question", True),
    "follow-up answer": ("answer", True),
}
"""Texts whose lengths are told: their column, and whether it is that of further turns."""

_READ_OF_ROWS = ["question_id", "question", *reach.READS]


@dataclass(frozen=True)
class Bars:
    """How many texts are how long: `counts[i]` of them have from `edges[i]` to below `edges[i + 1]` characters."""

    edges: tuple[int, ...]
    counts: tuple[int, ...]


@dataclass(frozen=True)
class Texts:
    """Figures of kept rows. `lengths`: characters at each of `SHARES`, of questions, of answers, and of those of further
    turns; none of what there is none of."""

    nodes: Nodes
    diversity: Diversity
    lengths: Mapping[str, tuple[int, ...]]
    bars: Mapping[str, Bars]


class Read:
    """Feed it the tables of instructions, with the columns in `READS`, in the order of a snapshot; `expected`: disciplines that
    are told of even if none of their rows is kept."""

    READS = ("question_id", "question", "answer", "turns", "kept", *reach.READS)

    def __init__(self, view: View, expected: Iterable[Discipline]) -> None:
        self._reached, self._sample = Reached(view, expected), Sampled()
        self._lengths = {name: [np.empty(0, np.int32)] for name in _TEXTS}  # four bytes a text

    def add(self, table: pa.Table) -> None:
        """Take in what is kept of the rows of a unit."""
        kept = table.filter(table["kept"])
        turns = pc.list_flatten(kept["turns"])
        for name, (column, further) in _TEXTS.items():
            texts = pc.struct_field(turns, column) if further else kept[column]
            self._lengths[name].append(pc.fill_null(pc.utf8_length(texts), 0).to_numpy())
        for row in kept.select(_READ_OF_ROWS).to_pylist():
            self._reached.add(row)
            self._sample.add(row["question_id"], row["question"])

    def texts(self) -> Texts:
        """What came of it."""
        counted = {name: np.concatenate(found) for name, found in self._lengths.items()}
        some = {name: found for name, found in counted.items() if len(found)}
        return Texts(
            nodes=self._reached.nodes(),
            diversity=diversity(self._sample.texts),
            lengths={
                name: tuple(int(value) for value in np.percentile(found, SHARES, method="lower"))
                for name, found in some.items()
            },
            bars={name: _bars(found) for name, found in some.items()},
        )


def _bars(lengths: NDArray[np.int32]) -> Bars:
    """Steps that grow with the length, as lengths of texts spread over orders of magnitude."""
    edges = np.unique(np.geomspace(max(1, lengths.min()), lengths.max() + 1, _BARS + 1).astype(np.int64))
    edges = edges if len(edges) > 1 else np.array([edges[0], edges[0] + 1])
    edges[0] = min(edges[0], lengths.min())
    counts, _ = np.histogram(lengths, edges)
    return Bars(tuple(int(edge) for edge in edges), tuple(int(count) for count in counts))
