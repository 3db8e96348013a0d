"""Snapshot and ledger -> the figures of a report. Everything is read as a stream; what is kept is counts and samples."""

import datetime
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from glan.dataset import View
from glan.report.coverage import Coverage, GoOn, checked
from glan.report.instructions import Instructions, instructions
from glan.report.ledger import Ledger, ledger
from glan.report.origins import Origin, origins
from glan.report.samples import FEW, Sample, samples
from glan.units import STAGES, Receipt, Stage, planned, quarantined

MOST_FAILURES = 3
"""Entries of the quarantine that are shown, of each stage and kind."""


@dataclass(frozen=True)
class StageFigures:
    """What one stage holds."""

    disciplines: int
    units: int
    rows: int
    planned: int
    quarantined: int


@dataclass(frozen=True)
class Quarantine:
    """What is in quarantine, by stage and kind of trouble, and the first few entries of each."""

    counts: Counter[tuple[str, str]]
    entries: Mapping[tuple[str, str], list[dict[str, str]]]


@dataclass(frozen=True)
class Figures:
    """All that a report shows."""

    store: str
    snapshot: int | None
    snapshot_at: datetime.datetime | None
    instructions: Instructions
    stages: Mapping[Stage, StageFigures]
    ledger: Ledger
    quarantine: Quarantine
    samples: tuple[Sample, ...]
    origins: tuple[Origin, ...]
    """Of each sample."""

    @property
    def coverage(self) -> Coverage:
        """Of every discipline."""
        return self.instructions.coverage


def figures(view: View, most: int = FEW, go_on: GoOn = lambda: None) -> Figures:
    """Read everything; `most`: how many samples beside the examples of rejected rows."""
    read = instructions(view, go_on)
    chosen = list(samples(view, go_on, most, read.examples))
    return Figures(
        store=view.store.files.url,
        snapshot=view.snapshot.number if view.snapshot else None,
        snapshot_at=view.snapshot.created_at if view.snapshot else None,
        instructions=read,
        stages={stage: _stage(view.receipts(stage)) for stage in checked(STAGES, go_on)},
        ledger=ledger(view, go_on),
        quarantine=_quarantine(view, go_on),
        samples=tuple(chosen),
        origins=tuple(origins(view, chosen, go_on)),
    )


def _stage(receipts: list[Receipt]) -> StageFigures:
    return StageFigures(
        disciplines=len({receipt.discipline_id for receipt in receipts}),
        units=len(receipts),
        rows=sum(receipt.rows for receipt in receipts),
        planned=planned(receipts),
        quarantined=quarantined(receipts),
    )


def _quarantine(view: View, go_on: GoOn) -> Quarantine:
    found = Quarantine(Counter(), {})
    entries: dict[tuple[str, str], list[dict[str, str]]] = {}
    for batch in checked(view.batches("quarantine", ["stage", "error_kind", "node", "message", "raw_text"]), go_on):
        for row in batch.to_pylist():
            kind = row["stage"], row["error_kind"]
            found.counts[kind] += 1
            if len(some := entries.setdefault(kind, [])) < MOST_FAILURES:
                some.append({name: row[name] or "" for name in ("node", "message", "raw_text")})
    return Quarantine(found.counts, entries)
