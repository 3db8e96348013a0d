"""Kept rows of a snapshot -> how deep the tree is covered, how varied questions are, how long texts are."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow.compute as pc

from glan.dataset import View
from glan.report import reach
from glan.report.coverage import GoOn, checked
from glan.report.diversity import Diversity, Sampled, diversity
from glan.report.reach import Nodes, Reached

SHARES = (0, 5, 25, 50, 75, 95, 100)
"""Percent of the texts that are not longer than what `Texts.lengths` says."""

_READ = ["question_id", "question", "answer", "kept", *reach.READS]


@dataclass(frozen=True)
class Texts:
    """Figures of kept rows. `lengths`: characters at each of `SHARES`, of questions and of answers; none without rows."""

    nodes: Nodes
    diversity: Diversity
    lengths: Mapping[str, tuple[int, ...]]


def texts(view: View, go_on: GoOn = lambda: None) -> Texts:
    """Read them as a stream."""
    reached, sample = Reached(view), Sampled()
    lengths = {"question": [np.empty(0, np.int32)], "answer": [np.empty(0, np.int32)]}
    for table in checked(view.tables("instructions", _READ), go_on):
        kept = table.filter(table["kept"])
        for name, found in lengths.items():
            found.append(pc.utf8_length(kept[name]).to_numpy())
        for row in kept.select(["question_id", "question", *reach.READS]).to_pylist():
            reached.add(row)
            sample.add(row["question_id"], row["question"])
    counted = {name: np.concatenate(found) for name, found in lengths.items()}
    return Texts(
        nodes=reached.nodes(),
        diversity=diversity(sample.texts),
        lengths={
            name: tuple(int(value) for value in np.percentile(found, SHARES, method="lower"))
            for name, found in counted.items()
            if len(found)
        },
    )
