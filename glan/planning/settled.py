"""Disciplines in which nothing is left to do, as far as is noted: so that a look at a large store need not read it all.

What a survey finds depends on the recipe, the generations of the discipline, its editions and the names of its objects
alone. While all of these are the same, so is what it finds.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from glan.planning.publishing import orphans
from glan.planning.walk import Survey, Walk
from glan.store import notes
from glan.store.store import Store
from glan.units import STAGES, Stage, quarantined


@dataclass(frozen=True)
class Holding:
    """Of one stage: units that are done, their rows, and the rows that they have in quarantine."""

    units: int
    rows: int
    quarantined: int


Settled = Mapping[Stage, Holding]
"""A discipline of which every unit is done and named, and no orphan is left."""


def noted(store: Store, walk: Walk) -> Settled | None:
    """What is noted of the discipline as it is now; None if it is not known to be settled."""
    found = notes.find(store.files, _name(walk), walk.basis)
    return {stage: Holding(**found[stage]) for stage in STAGES} if found else None


def note(store: Store, walk: Walk, seen: Survey) -> None:
    """Note the discipline if it is settled; to be called once readers see all that it holds."""
    named = walk.shelf.named
    if not seen.complete or any(orphans(store, named).values()):
        return
    receipts = {stage: {at: receipt for at, (_, receipt) in seen.done[stage].items()} for stage in STAGES}
    if any(named[stage].get(at) != receipt for stage in STAGES for at, receipt in receipts[stage].items()):
        return
    found = {
        stage: asdict(Holding(len(some), sum(receipt.rows for receipt in some.values()), quarantined(some.values())))
        for stage, some in receipts.items()
    }
    notes.keep(store.files, _name(walk), walk.basis, found)


def _name(walk: Walk) -> str:
    return f"settled/{walk.discipline.discipline_id}"
