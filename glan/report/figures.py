"""Snapshot and ledger -> the figures of a report. Everything is read as a stream; what is kept is counts."""

import datetime
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

import pyarrow as pa
import pyarrow.compute as pc

from glan.dataset import View
from glan.report.coverage import Coverage, GoOn, checked, coverage
from glan.report.samples import Sample, samples
from glan.report.texts import Texts, texts
from glan.store import calls
from glan.units import STAGES, Receipt, Stage, planned, quarantined

_SUMMED = ("understood", "prompt_tokens", "cached_tokens", "completion_tokens", "cost_usd")
_READ = ["stage", "model", *_SUMMED]
_BATCHES = 500


@dataclass(frozen=True)
class StageFigures:
    """What one stage holds."""

    disciplines: int
    units: int
    rows: int
    planned: int
    quarantined: int


@dataclass(frozen=True)
class Spent:
    """What the calls of one stage to one model took. `unpriced`: calls that cost nobody knows what."""

    calls: int = 0
    understood: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float = 0.0
    unpriced: int = 0

    def plus(self, other: "Spent") -> "Spent":
        """The sum."""
        return Spent(**{name: getattr(self, name) + getattr(other, name) for name in self.__dataclass_fields__})


@dataclass(frozen=True)
class Figures:
    """All that a report shows."""

    store: str
    snapshot: int | None
    snapshot_at: datetime.datetime | None
    coverage: Coverage
    stages: Mapping[Stage, StageFigures]
    spent: Mapping[tuple[str, str], Spent]
    """By stage and model, of every call on record, those of units that never came to be included."""

    quarantine: Counter[tuple[str, str]]
    """By stage and kind of trouble."""

    texts: Texts
    samples: tuple[Sample, ...]

    @property
    def spent_in_all(self) -> Spent:
        """The sum over stages and models."""
        total = Spent()
        for one in self.spent.values():
            total = total.plus(one)
        return total


def figures(view: View, covered: Coverage | None = None, go_on: GoOn = lambda: None) -> Figures:
    """Read everything; `covered` is the view's coverage if it has been read before."""
    return Figures(
        store=view.store.files.url,
        snapshot=view.snapshot.number if view.snapshot else None,
        snapshot_at=view.snapshot.created_at if view.snapshot else None,
        coverage=covered or coverage(view, go_on),
        stages={stage: _stage(view.receipts(stage)) for stage in checked(STAGES, go_on)},
        spent=_spent(view, go_on),
        quarantine=_quarantine(view, go_on),
        texts=texts(view, go_on),
        samples=tuple(samples(view, go_on)),
    )


def _stage(receipts: list[Receipt]) -> StageFigures:
    return StageFigures(
        disciplines=len({receipt.discipline_id for receipt in receipts}),
        units=len(receipts),
        rows=sum(receipt.rows for receipt in receipts),
        planned=planned(receipts),
        quarantined=quarantined(receipts),
    )


def _spent(view: View, go_on: GoOn) -> dict[tuple[str, str], Spent]:
    order: dict[str, int] = {stage: number for number, stage in enumerate(STAGES)}
    spent: dict[tuple[str, str], Spent] = {}
    batches = checked(calls.scan(view.store.files, view.disciplines, _READ), go_on)
    while some := list(islice(batches, _BATCHES)):  # parts of the ledger are small: summed many at a time
        for stage, model, one in _summed(pa.Table.from_batches(some)):
            spent[stage, model] = spent.get((stage, model), Spent()).plus(one)
    return dict(sorted(spent.items(), key=lambda item: (order.get(item[0][0], len(order)), item[0])))


def _summed(table: pa.Table) -> Iterator[tuple[str, str, Spent]]:
    """By stage and model. Without a cost a call is unpriced, unless it is known to have taken no token."""
    tokens = pc.add(table["prompt_tokens"], table["completion_tokens"])  # null where the endpoint did not count
    unpriced = pc.and_(pc.fill_null(pc.greater(tokens, 0), True), pc.is_null(table["cost_usd"]))
    counted = table.append_column("unpriced", unpriced)
    sums = [(name, "sum") for name in (*_SUMMED, "unpriced")]
    for row in counted.group_by(["stage", "model"]).aggregate([*sums, ([], "count_all")]).to_pylist():
        figures = {name: row[f"{name}_sum"] or 0 for name, _ in sums}
        yield row["stage"], row["model"], Spent(calls=row["count_all"], **figures)


def _quarantine(view: View, go_on: GoOn) -> Counter[tuple[str, str]]:
    found: Counter[tuple[str, str]] = Counter()
    for batch in checked(view.batches("quarantine", ["stage", "error_kind"]), go_on):
        found.update((row["stage"], row["error_kind"]) for row in batch.to_pylist())
    return found
