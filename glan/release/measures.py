"""Snapshot and places -> the rows that a release will hold, in figures, before any of it is written."""

import csv
import io

import pyarrow as pa

from glan.dataset import View
from glan.release.balance import weight_of
from glan.release.releases import ReleaseOptions
from glan.release.splits import SPLITS, Places
from glan.report.diversity import Diversity
from glan.report.reach import COUNTED, LEVELS, Nodes, begun
from glan.report.texts import Read


class Measured:
    """The rows that a release will hold, in figures. Disciplines that give none are among its nodes, unless by their weight."""

    def __init__(self, view: View, placed: Places, options: ReleaseOptions) -> None:
        weights = options.weights_in_tree
        wanted = [one for one in begun(view) if weight_of((one.field, one.sub_field, one.discipline_id), weights)]
        read, number = Read(view, wanted), 0
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
