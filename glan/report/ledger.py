"""The ledger of calls -> what they took: by stage, model and discipline, and by the hour. Read once, as a stream."""

import datetime
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from glan.costs import Spent
from glan.dataset import View
from glan.report.coverage import GoOn, checked
from glan.store import calls
from glan.units import STAGES

_SUMMED = ("understood", "prompt_tokens", "cached_tokens", "completion_tokens", "cost_usd")
_READ = ["stage", "model", "discipline_id", "finished_at", *_SUMMED]
_BATCHES = 500
_HOUR = 3600


class Account(NamedTuple):
    """What calls were for."""

    stage: str
    model: str
    discipline_id: str


Hours = Mapping[tuple[int, str], Spent]
"""By hour since 1970 (UTC) in which calls ended, and stage."""


@dataclass(frozen=True)
class Ledger:
    """Every call on record of some disciplines, those of units that never came to be included."""

    accounts: Mapping[Account, Spent]
    hours: Hours

    @property
    def total(self) -> Spent:
        """Of all calls."""
        return sum(self.accounts.values(), Spent())

    def by(self, key: Callable[[Account], tuple[str, ...]]) -> dict[tuple[str, ...], Spent]:
        """Summed up under the key of each account, stages in their order."""
        order: dict[str, int] = {stage: number for number, stage in enumerate(STAGES)}
        sums: dict[tuple[str, ...], Spent] = defaultdict(Spent)
        for account, spent in sorted(
            self.accounts.items(), key=lambda one: (order.get(one[0].stage, len(order)), one[0])
        ):
            sums[key(account)] += spent
        return dict(sums)


def ledger(view: View, go_on: GoOn = lambda: None, until: datetime.datetime | None = None) -> Ledger:
    """Read the calls of the view's disciplines; `until`: only those that had ended by then."""
    accounts: dict[Account, Spent] = defaultdict(Spent)
    hours: dict[tuple[int, str], Spent] = defaultdict(Spent)
    batches = checked(calls.scan(view.store.files, view.disciplines, _READ), go_on)
    while some := list(islice(batches, _BATCHES)):  # parts of the ledger are small: summed many at a time
        table = _counted(pa.Table.from_batches(some), until)
        for key, spent in _summed(table, list(Account._fields)):
            account = Account(*key)
            accounts[account] += spent
        for (hour, stage), spent in _summed(table.filter(pc.is_valid(table["hour"])), ["hour", "stage"]):
            hours[hour, stage] += spent
    return Ledger(dict(accounts), dict(sorted(hours.items())))


def hours_of(times: pa.ChunkedArray) -> pa.ChunkedArray:
    """The hour since 1970 that each moment is in."""
    seconds = pc.cast(pc.cast(times, pa.timestamp("s", tz="UTC"), safe=False), pa.int64())
    return pc.divide(seconds, _HOUR)


def _counted(table: pa.Table, until: datetime.datetime | None) -> pa.Table:
    """With the hour, and whether a call is unpriced: without a cost, and not known to have taken no token."""
    if until is not None:
        table = table.filter(pc.less_equal(table["finished_at"], pa.scalar(until, pa.timestamp("us", tz="UTC"))))
    tokens = pc.add(table["prompt_tokens"], table["completion_tokens"])  # null where the endpoint did not count
    unpriced = pc.and_(pc.fill_null(pc.greater(tokens, 0), True), pc.is_null(table["cost_usd"]))
    return table.append_column("unpriced", unpriced).append_column("hour", hours_of(table["finished_at"]))


def _summed(table: pa.Table, keys: list[str]) -> Iterable[tuple[tuple[Any, ...], Spent]]:
    sums = [(name, "sum") for name in (*_SUMMED, "unpriced")]
    for row in table.group_by(keys).aggregate([*sums, ([], "count_all")]).to_pylist():
        figures = {name: row[f"{name}_sum"] or 0 for name, _ in sums}
        yield tuple(row[key] for key in keys), Spent(calls=row["count_all"], **figures)
