"""Snapshot and places -> the rows that a release will hold, in figures, before any of it is written."""

import csv
import io

import pyarrow as pa

from glan.dataset import View
from glan.release.splits import SPLITS, Places
from glan.report.diversity import Diversity
from glan.report.reach import COUNTED, LEVELS, Nodes
from glan.report.texts import Read


class Measured:
    """The rows that a release will hold, in figures."""

    def __init__(self, view: View, placed: Places) -> None:
        read, number = Read(view), 0
        for table in view.tables("instructions", list(Read.READS)):
            kept = table.filter(table["kept"])
            chosen = placed[number : number + len(kept)] < len(SPLITS)
            read.add(kept.filter(pa.array(chosen)))
            number += len(kept)
        self.texts = read.texts()

    @property
    def nodes(self) -> Nodes:
        """What the rows reach of every node."""
        return self.texts.nodes

    @property
    def diversity(self) -> Diversity:
        """How varied the questions are."""
        return self.texts.diversity


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
