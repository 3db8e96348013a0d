"""Snapshot and places -> the rows that a release will hold, in figures, before any of it is written."""

import csv
import io

from glan.dataset import View
from glan.release.splits import SPLITS, Places
from glan.report import reach
from glan.report.diversity import Diversity, Sampled, diversity
from glan.report.reach import COUNTED, LEVELS, Nodes, Reached


class Measured:
    """The rows that a release will hold, in figures."""

    def __init__(self, view: View, placed: Places) -> None:
        reached, sample, number = Reached(view), Sampled(), 0
        for table in view.tables("instructions", ["question_id", "question", "kept", *reach.READS]):
            for row in table.filter(table["kept"]).to_pylist():
                if placed[number] < len(SPLITS):
                    reached.add(row)
                    sample.add(row["question_id"], row["question"])
                number += 1
        self.nodes: Nodes = reached.nodes()
        self.diversity: Diversity = diversity(sample.texts)


def coverage_csv(nodes: Nodes) -> bytes:
    """A line for each node of the tree; the levels below a node are empty."""
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow([*LEVELS, *COUNTED, "evenness"])
    for path, one in nodes.items():
        even = "" if one.evenness is None else f"{one.evenness:.4f}"
        lines.writerow([*map(inert, path), *(getattr(one, name) for name in COUNTED), even])
    return text.getvalue().encode()


def inert(cell: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
