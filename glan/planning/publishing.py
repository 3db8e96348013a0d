"""Receipts -> generations and snapshots: what readers see, and when.

Each stage's generation moves on as units are committed. People read snapshots, and a discipline enters a snapshot
only while its generations fit together: every child was made from the very parent that is named beside it. So a
discipline that is being made anew shows its old rows until the last of its units is done.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import partial

from glan.clock import Clock
from glan.errors import Unreadable
from glan.languages import language_at, subject_at
from glan.planning.walk import Shelf, named_units
from glan.records import READ_BY_LATER_STAGES, row_digest
from glan.stages import pairs
from glan.stages.syllabi import address
from glan.store import manifests, snapshots
from glan.store.manifests import Manifest
from glan.store.store import Store
from glan.supplements import split
from glan.units import ASKING, STAGES, Receipt, Stage

PARENT_STAGE: dict[Stage, Stage] = {
    "questions": "syllabi",
    "answers": "questions",
    "continuations": "answers",
    "judgements": "answers",
    "instructions": "answers",
}

Named = Mapping[Stage, Mapping[str, Receipt]]


def publish_units(
    store: Store,
    discipline_id: str,
    receipts: Iterable[Receipt],
    run_id: str,
    clock: Clock,
    in_place_of_all: bool = False,
) -> None:
    """Name committed units in the generations of their stages, beside or in place of what is named there."""
    by_stage: dict[Stage, list[Receipt]] = {}
    for receipt in receipts:
        by_stage.setdefault(receipt.stage, []).append(receipt)
    for stage in STAGES:
        if stage in by_stage:
            named = manifests.current(store.files, stage, discipline_id) if in_place_of_all else None
            drop = {receipt.unit for receipt in named.units} if named else set()
            manifests.publish(
                store.files, stage, discipline_id, add=by_stage[stage], drop=drop, run_id=run_id, clock=clock
            )


def publish_done(store: Store, shelf: Shelf, receipts: Iterable[Receipt], run_id: str, clock: Clock) -> None:
    """Name what an earlier run committed and could not publish; writes nothing where all is named."""
    unnamed = [
        receipt
        for receipt in receipts
        if receipt.stage in ASKING and shelf.named[receipt.stage].get(receipt.unit) != receipt
    ]
    if unnamed:
        publish_units(store, shelf.discipline_id, unnamed, run_id, clock)
        publish_snapshot(store, [shelf.discipline_id], run_id, clock)


def drop_orphans(store: Store, discipline_id: str, run_id: str, clock: Clock) -> None:
    """Take the units whose parent has left its stage out of the next generation; their objects stay."""
    gone = orphans(store, named_units(_current(store, discipline_id)))
    for stage in ASKING:
        if gone[stage]:
            manifests.publish(store.files, stage, discipline_id, add=[], drop=gone[stage], run_id=run_id, clock=clock)


def _current(store: Store, discipline_id: str) -> dict[Stage, Manifest | None]:
    return {stage: manifests.current(store.files, stage, discipline_id) for stage in STAGES}


def orphans(store: Store, named: Named) -> dict[Stage, set[str]]:
    """By stage, the addresses of named units whose parent is not named, or is another than they were made from."""
    gone: dict[Stage, set[str]] = {stage: set() for stage in STAGES}
    for stage in ASKING:
        gone[stage] = _supplements_of_others(named[stage])
    places: dict[str, int] = {}
    if named["syllabi"]:
        lists = [one for unit, one in named["subjects"].items() if unit not in gone["subjects"]]
        subjects, places = _subjects(store, lists)
        gone["syllabi"] |= {
            unit
            for unit, receipt in named["syllabi"].items()
            if subjects.get(subject_at(unit)) != receipt.parent_digest
        }
    for stage, above in PARENT_STAGE.items():
        left = {unit: receipt for unit, receipt in named[above].items() if unit not in gone[above]}
        made_from = _syllabi(left, places) if stage == "questions" else partial(_same_round, left)
        for unit, receipt in named[stage].items():
            if made_from(split(stage, unit)[0]) != receipt.parent_digest:
                gone[stage].add(unit)
    return gone


def _same_round(named: Mapping[str, Receipt], unit: str) -> str | None:
    parent = named.get(unit)
    return parent.content_digest if parent else None


def _syllabi(named: Mapping[str, Receipt], places: Mapping[str, int]) -> Callable[[str], str | None]:
    """What a round is made from, by its address: its syllabus, or that and the one of a subject before it."""
    others = {(language_at(unit), pairs.mark(unit)): receipt for unit, receipt in named.items() if receipt.rows}

    def made_from(unit: str) -> str | None:
        syllabus, mark = pairs.syllabi_of(unit)
        own, other = named.get(syllabus), others.get((language_at(syllabus), mark))
        if own is None or not mark:
            return own.content_digest if own else None
        in_order = places.get(mark, 0) < places.get(pairs.mark(syllabus), 0)
        return pairs.both(own, other) if other and in_order else None

    return made_from


def _supplements_of_others(named: Mapping[str, Receipt]) -> set[str]:
    """Supplements of units that are no longer named."""
    asked_again = {unit: receipt for unit, receipt in named.items() if receipt.asks_again}
    by_key = {receipt.key: receipt for receipt in named.values()} if asked_again else {}

    def lost(receipt: Receipt) -> bool:
        if not receipt.asks_again:
            return False
        before = by_key.get(receipt.asks_again)
        return before is None or lost(before)

    return {unit for unit, receipt in asked_again.items() if lost(receipt)}


def _subjects(store: Store, named: Iterable[Receipt]) -> tuple[dict[str, str], dict[str, int]]:
    """What the syllabi of the named subjects are made from: the digest of each subject by its address; and their places."""
    columns = ["subject_id", "position", *READ_BY_LATER_STAGES["subjects"]]
    rows = [row for receipt in named for row in store.read(receipt, columns).to_pylist()]
    digests = {address(row["subject_id"]): row_digest("subjects", row) for row in rows}
    return digests, {pairs.mark(row["subject_id"]): row["position"] for row in rows}


def publish_snapshot(store: Store, discipline_ids: Iterable[str], run_id: str, clock: Clock) -> None:
    """Let readers see the current generations of these disciplines, those that are seen to fit together."""
    generations: dict[str, dict[str, int]] = {}
    for discipline_id in discipline_ids:
        current = _current(store, discipline_id)
        if _fits(store, named_units(current)):
            generations[discipline_id] = {
                stage: manifest.generation for stage, manifest in current.items() if manifest is not None
            }
    if generations:
        snapshots.publish(store.files, generations, run_id=run_id, clock=clock)


def _fits(store: Store, named: Named) -> bool:
    """Whether every child is known to be made from the parent that is named beside it."""
    try:
        return not any(orphans(store, named).values())
    except Unreadable:  # whoever walks the discipline says so
        return False
