"""The rows of a release in figures -> the images of its data card."""

from collections import Counter

from glan.release.figures import Figures
from glan.release.measures import Measured
from glan.report.plots import Lines, lengths, png, whole

ROWS = "plots/rows.png"
LENGTHS = "plots/lengths.png"


def pictures(figures: Figures, measured: Measured) -> dict[str, bytes]:
    """PNG images by their paths in the release."""
    fields: Counter[str] = Counter()
    for node, rows in figures.nodes.items():
        fields[node.field] += rows
    ranked = sorted(fields.items(), key=lambda one: (-one[1], one[0]))
    bars = measured.texts.bars.items()
    return {
        ROWS: png(Lines("Rows by field", ranked, whole)),
        LENGTHS: png(*(lengths(f"each {name}", found) for name, found in bars)),
    }
