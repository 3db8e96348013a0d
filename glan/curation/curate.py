"""Judged rows of all disciplines -> verdicts with duplicates, published by discipline.

The pass streams over signatures and fetches the texts of candidates only. A discipline gets a new generation only
where verdicts changed. Which of several duplicates survives does not depend on the order of runs: a row that a release
holds, else one accepted before, else the best by score and id.
"""

import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from glan.clock import Clock
from glan.config import Curation
from glan.curation.duplicates import duplicates_of
from glan.curation.meaning import same_in_meaning
from glan.curation.overview import Held, Identity, Overview, identity
from glan.curation.verdicts import DUPLICATE, SAME_MEANING, Duplicate, compared
from glan.keys import digest
from glan.records import content_digest, table
from glan.store import manifests
from glan.store.ahead import ahead
from glan.store.files import Files
from glan.store.store import Store
from glan.units import Receipt, Unit, unit_object

ByAddress = Mapping[str, Receipt]


@dataclass(frozen=True)
class Verdicts:
    """What curation left: kept rows by discipline, rejected rows in all and by reason; and whose rows readers see anew."""

    kept: dict[str, int] = field(default_factory=dict)
    rejected: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    changed: tuple[str, ...] = ()


def curate_store(
    store: Store, judged: Mapping[str, Sequence[Receipt]], held: Held, settings: Curation, run_id: str, clock: Clock
) -> Verdicts:
    """Decide duplicates over every discipline of the store and publish the disciplines whose verdicts changed.

    `judged` are the units of this run by discipline; those of other disciplines, and rounds beyond this run's limits,
    are taken as they are published. Rows that are `held` stay. The figures returned are of the disciplines in `judged`.
    """
    named = {
        discipline_id: _present(store, manifest)
        for discipline_id, manifest in manifests.all_current(store.files, "instructions").items()
    }
    units = {
        discipline_id: _units(store, discipline_id, judged.get(discipline_id, ()), named.get(discipline_id, {}))
        for discipline_id in sorted({*named, *judged})
    }
    overview = Overview(
        store,
        [unit for some in units.values() for unit in some],
        [unit for some in named.values() for unit in some.values()],
        held,
    )
    duplicates = found_among(overview, settings, notes=store.files)
    decided = _decided(store, overview.changed(duplicates), duplicates)
    changed = []
    for discipline_id, receipts in units.items():
        before = named.get(discipline_id, {})
        after = {receipt.unit: decided.get(identity(receipt), receipt) for receipt in receipts}
        if before != after:
            # Only what is new: what has stayed may have been made anew by another run since it was read.
            add = [receipt for unit, receipt in after.items() if before.get(unit) != receipt]
            drop = before.keys() - after.keys()
            manifests.publish(
                store.files, "instructions", discipline_id, add=add, drop=drop, run_id=run_id, clock=clock
            )
            changed.append(discipline_id)
    return _verdicts(overview, duplicates, sorted(judged), changed)


def found_among(overview: Overview, settings: Curation, notes: Files | None = None) -> dict[str, Duplicate]:
    """What is a duplicate of what: by words over all disciplines, then, if an embedding model is set, by meaning within
    each. Reads the overview, which is new. `notes`: where what was found of a discipline is kept for the next pass.

    Raises:
        InputError: the embedding model cannot be loaded here.
    """
    with tempfile.TemporaryDirectory(prefix="glan-duplicates-") as scratch:
        jaccard = settings.near_duplicate_jaccard
        by_words = duplicates_of(overview.candidates(), overview.texts, jaccard, Path(scratch))
    if not settings.embedding_model:
        return {name: Duplicate(of) for name, of in by_words.items()}
    with tempfile.TemporaryDirectory(prefix="glan-meaning-") as scratch:
        alike = same_in_meaning(overview, by_words, settings, notes, Path(scratch))
    # What stayed in the place of a row may itself go by meaning: then the row names what stays in the end.
    instead = {name: Duplicate(alike[of].of if of in alike else of) for name, of in by_words.items()}
    return instead | alike


def _verdicts(
    overview: Overview, duplicates: Mapping[str, Duplicate], judged: Sequence[str], changed: Sequence[str]
) -> Verdicts:
    """The figures of the disciplines judged now."""
    reasons = sum((overview.own_reasons[discipline_id] for discipline_id in judged), Counter[str]())
    left = Counter(overview.eligible)
    for code in (DUPLICATE, SAME_MEANING):
        gone = overview.by_discipline([name for name, one in duplicates.items() if one.reason == code])
        reasons[code] = sum(gone[discipline_id] for discipline_id in judged)
        left.subtract(gone)
    return Verdicts(
        kept={discipline_id: left[discipline_id] for discipline_id in judged},
        rejected=sum(overview.rows[discipline_id] - left[discipline_id] for discipline_id in judged),
        reasons=dict(+reasons),
        changed=tuple(changed),
    )


def _present(store: Store, manifest: manifests.Manifest) -> dict[str, Receipt]:
    """The units that a manifest names, without those whose object somebody has removed."""
    objects = store.objects("instructions", manifest.discipline_id)
    return {receipt.unit: receipt for receipt in manifest.units if receipt.object in objects}


def _units(store: Store, discipline_id: str, judged: Sequence[Receipt], named: ByAddress) -> list[Receipt]:
    """What is to be published: what was judged now, and what is published and still fits the answers named."""
    manifest = manifests.current(store.files, "answers", discipline_id)
    answers = {receipt.unit: receipt.content_digest for receipt in manifest.units} if manifest else {}
    new = {receipt.unit: receipt for receipt in judged if not _is_there(named.get(receipt.unit), receipt)}
    current = {**named, **new}
    return [receipt for unit, receipt in sorted(current.items()) if answers.get(unit) == receipt.parent_digest]


def _is_there(named: Receipt | None, judged: Receipt) -> bool:
    """Whether a unit is published with the very verdicts, wherever its rows are."""
    return named is not None and (named.key, named.content_digest) == (judged.key, judged.content_digest)


def _decided(store: Store, units: Sequence[Receipt], duplicates: Mapping[str, Duplicate]) -> dict[Identity, Receipt]:
    """New objects of these units with today's verdicts, by what they replace."""
    made = ahead(lambda unit: rewritten(store, unit, duplicates), units)
    return {identity(unit): new for unit, new in zip(units, made, strict=True)}


def rewritten(store: Store, receipt: Receipt, duplicates: Mapping[str, Duplicate]) -> Receipt:
    """The unit with the verdicts that follow from these duplicates, as an object of its own."""
    rows = [compared(row, duplicates.get(row["question_id"])) for row in store.read(receipt).to_pylist()]
    near = [one.similarity if (one := duplicates.get(row["question_id"])) else None for row in rows]
    unit = Unit(
        stage="instructions",
        discipline_id=receipt.discipline_id,
        address=receipt.unit,
        key=receipt.key,
        edition=receipt.edition,
        node=f"{receipt.discipline_id}/{receipt.unit}",
        path=("", "", ""),
        parent_digest=receipt.parent_digest,
    )
    by_meaning = [near] if any(one is not None for one in near) else []
    name = digest([receipt.key, [row["duplicate_of"] for row in rows], *by_meaning])
    return store.commit(
        unit,
        table("instructions", rows),
        planned=receipt.planned,
        content_digest=content_digest("instructions", rows),
        object=unit_object("instructions", receipt.discipline_id, receipt.unit, name),
    )
