"""Figures -> the plots that stand for a whole report where only an image is shown."""

from collections import Counter

from glan.costs import dollars
from glan.report.figures import Figures
from glan.report.plots import Columns, Lines, lengths, png, whole
from glan.report.steps import moment, steps


def overview(figures: Figures) -> bytes:
    """A PNG: rows by field, rows over time, lengths, tokens and money by stage."""
    fields: Counter[str] = Counter()
    for place in figures.coverage.places:
        fields[place.field] += place.cover.kept
    spent = figures.ledger.by(lambda account: (account.stage,))
    time = steps(figures)
    first, last = (moment(hour) for hour in (time.start, time.stop))
    return png(
        Lines("Instructions kept, by field", [(name, rows) for name, rows in fields.most_common() if rows], whole),
        Columns("Instructions over time", time.rows, first, last, whole),
        *(lengths(f"each {name}", bars) for name, bars in figures.instructions.texts.bars.items()),
        Lines("Tokens by stage", [(stage, one.tokens) for (stage,), one in spent.items()], whole),
        Lines("Known cost by stage", [(stage, one.cost_usd) for (stage,), one in spent.items()], dollars),
    )
