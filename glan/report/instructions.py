"""Instructions of a snapshot, read once as a stream -> all that a report says of them."""

from collections import Counter
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from glan.dataset import View
from glan.report.coverage import Coverage, GoOn, Judged, checked, covered
from glan.report.examples import Examples, Where
from glan.report.ledger import hours_of
from glan.report.reach import begun
from glan.report.texts import Read, Texts

_COLUMNS = list(dict.fromkeys((*Read.READS, *Judged.READS, *Examples.READS, "created_at")))


@dataclass(frozen=True)
class Instructions:
    """What there is. `hours`: rows by the hour since 1970 in which the last call behind them ended, and `kept`."""

    coverage: Coverage
    texts: Texts
    examples: tuple[Where, ...]
    """A few rejected rows of every reason."""

    hours: Counter[tuple[int, bool]]


def instructions(view: View, go_on: GoOn = lambda: None) -> Instructions:
    """Read them."""
    judged, read, examples = Judged(), Read(view, begun(view)), Examples()
    hours: Counter[tuple[int, bool]] = Counter()
    for table in checked(view.tables("instructions", _COLUMNS), go_on):
        judged.add(table)
        read.add(table)
        examples.add(table)
        hours.update(_hours(table))
    return Instructions(covered(view, judged), read.texts(), tuple(examples), hours)


def _hours(table: pa.Table) -> dict[tuple[int, bool], int]:
    timed = pa.table({"hour": hours_of(table["created_at"]), "kept": pc.fill_null(table["kept"], False)})
    counted = timed.filter(pc.is_valid(timed["hour"])).group_by(["hour", "kept"]).aggregate([([], "count_all")])
    return {(row["hour"], row["kept"]): row["count_all"] for row in counted.to_pylist()}
