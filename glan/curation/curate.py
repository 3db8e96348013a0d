"""Judged rows of all disciplines -> verdicts with duplicates, published by discipline.

The pass looks at signatures alone and fetches the texts of candidates only. A discipline gets a new generation only
where verdicts changed. Which of several duplicates survives does not depend on the order of runs: a row that a release
holds, else one accepted before, else the best by score and id.
"""

import datetime
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from glan.config import Curation
from glan.curation.duplicates import Candidate, duplicates_of
from glan.curation.verdicts import own_reasons, verdict
from glan.keys import digest
from glan.records import content_digest, table
from glan.release.releases import held_by_release
from glan.store import manifests, parts
from glan.store.store import Store
from glan.units import Receipt, Unit

Clock = Callable[[], datetime.datetime]
ByAddress = Mapping[str, Receipt]
Place = tuple[str, int]

LOOKED_AT = ["question_id", "signature", "reasons", "duplicate_of", "kept"]


@dataclass(frozen=True)
class Verdicts:
    """What curation left: kept rows by discipline, rejected rows in all and by reason; and whose rows readers see anew."""

    kept: dict[str, int] = field(default_factory=dict)
    rejected: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    changed: tuple[str, ...] = ()


def curate_store(
    store: Store, judged: Mapping[str, Sequence[Receipt]], settings: Curation, run_id: str, clock: Clock
) -> Verdicts:
    """Decide duplicates over every discipline of the store and publish the disciplines whose verdicts changed.

    `judged` are the units of this run by discipline; those of other disciplines, and rounds beyond this run's limits,
    are taken as they are published. The figures returned are of the disciplines in `judged`.
    """
    named = {
        discipline_id: _present(store, manifest)
        for discipline_id, manifest in manifests.all_current(store.files, "instructions").items()
    }
    units = {
        discipline_id: _units(store, discipline_id, judged.get(discipline_id, ()), named.get(discipline_id, {}))
        for discipline_id in sorted({*named, *judged})
    }
    looks = _looks(store, units, named)
    duplicates = duplicates_of(
        _candidates(store, looks, named), lambda ids: _texts(store, looks, ids), settings.near_duplicate_jaccard
    )
    changed = []
    for discipline_id, receipts in units.items():
        before = named.get(discipline_id, {})
        after = {receipt.unit: _decided(store, receipt, looks[receipt.place], duplicates) for receipt in receipts}
        if before != after:
            add, drop = list(after.values()), before.keys() - after.keys()
            manifests.publish(
                store.files, "instructions", discipline_id, add=add, drop=drop, run_id=run_id, clock=clock
            )
            changed.append(discipline_id)
    found = {
        discipline_id: [row["reasons"] for one in units[discipline_id] for row in _judge(looks[one.place], duplicates)]
        for discipline_id in sorted(judged)
    }
    return _verdicts(found, changed)


def _verdicts(found: Mapping[str, Sequence[Sequence[str]]], changed: Sequence[str]) -> Verdicts:
    """The figures, from the reasons of each row by discipline."""
    every = [reasons for some in found.values() for reasons in some]
    return Verdicts(
        kept={discipline_id: sum(not reasons for reasons in some) for discipline_id, some in found.items()},
        rejected=sum(bool(reasons) for reasons in every),
        reasons=dict(Counter(code for reasons in every for code in reasons)),
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
    current = {
        **named,
        **{receipt.unit: receipt for receipt in judged if not _is_there(named.get(receipt.unit), receipt)},
    }
    return [receipt for unit, receipt in sorted(current.items()) if answers.get(unit) == receipt.parent_digest]


def _is_there(named: Receipt | None, judged: Receipt) -> bool:
    """Whether a unit is published with the very verdicts; where its rows are makes no difference."""
    return named is not None and (named.key, named.content_digest) == (judged.key, judged.content_digest)


def _looks(
    store: Store, units: Mapping[str, Sequence[Receipt]], named: Mapping[str, ByAddress]
) -> dict[Place, "_Look"]:
    """The columns that decide, of all units to be published and of those published now, by place."""
    receipts = {receipt.place: receipt for some in named.values() for receipt in some.values()}
    receipts |= {receipt.place: receipt for some in units.values() for receipt in some}
    current = {receipt.place for some in units.values() for receipt in some}
    tables = parts.tables(store, receipts.values(), LOOKED_AT)
    return {
        place: _Look(receipt, rows, place in current)
        for (place, receipt), rows in zip(receipts.items(), tables, strict=True)
    }


@dataclass(frozen=True)
class _Look:
    """The columns of one unit that decide, and whether the unit is to be published (or is being replaced)."""

    receipt: Receipt
    rows: pa.Table
    current: bool


def _candidates(store: Store, looks: Mapping[Place, _Look], named: Mapping[str, ByAddress]) -> Iterator[Candidate]:
    published = {receipt.place for some in named.values() for receipt in some.values()}
    accepted = {
        row["question_id"]
        for place in published
        for row in looks[place].rows.select(["question_id", "kept"]).to_pylist()
        if row["kept"]
    }
    held = {
        question_id for batch in held_by_release(store.files) for question_id in batch.column("question_id").to_pylist()
    }
    for look in looks.values():
        if look.current:
            for row in look.rows.to_pylist():
                question_id = row["question_id"]
                yield Candidate(
                    question_id,
                    row["signature"],
                    held=question_id in held,
                    accepted=question_id in accepted,
                    eligible=not own_reasons(row["reasons"]),
                )


def _texts(store: Store, looks: Mapping[Place, _Look], ids: Sequence[str]) -> dict[str, str]:
    """The questions of these ids, read from the units that hold them."""
    wanted = set(ids)
    holders = [
        look.receipt for look in looks.values() if not wanted.isdisjoint(look.rows.column("question_id").to_pylist())
    ]
    return {
        row["question_id"]: row["question"]
        for rows in parts.tables(store, holders, ["question_id", "question"])
        for row in rows.to_pylist()
        if row["question_id"] in wanted
    }


def _judge(look: _Look, duplicates: Mapping[str, str]) -> list[dict[str, Any]]:
    """The verdict columns of each row, in order."""
    return [verdict(own_reasons(row["reasons"]), duplicates.get(row["question_id"])) for row in look.rows.to_pylist()]


def _decided(store: Store, receipt: Receipt, look: _Look, duplicates: Mapping[str, str]) -> Receipt:
    """The unit with today's verdicts: as it is if they are the same, else a new object of the same unit."""
    verdicts = _judge(look, duplicates)
    changed = [row["duplicate_of"] for row in verdicts]
    if changed == look.rows.column("duplicate_of").to_pylist():
        return receipt
    rows = [{**row, **new} for row, new in zip(store.read(receipt).to_pylist(), verdicts, strict=True)]
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
    name = digest([receipt.key, changed])[:16]
    return store.commit(
        unit,
        table("instructions", rows),
        planned=receipt.planned,
        content_digest=content_digest("instructions", rows),
        object=f"instructions/disc={receipt.discipline_id}/{receipt.unit}-{name}.parquet",
    )
