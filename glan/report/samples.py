"""Snapshot -> a few rows from all over it, each with its way back: discipline, subject, sessions, concepts."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from glan.dataset import View
from glan.keys import seed_for
from glan.report.coverage import GoOn
from glan.stages.questions import span_of
from glan.store.store import Store
from glan.units import Receipt

MOST = 30

_READ = [
    "question_id", "syllabus_id", "field", "sub_field", "discipline", "subject", "level", "session_indexes",
    "key_concepts", "question", "answer", "kept", "reasons", "question_model", "answer_model",
]  # fmt: skip


@dataclass(frozen=True)
class Sample:
    """A row of instructions, and the titles of the sessions it was asked about."""

    row: Mapping[str, Any]
    sessions: tuple[str, ...]


def samples(view: View, go_on: GoOn = lambda: None, most: int = MOST) -> Iterator[Sample]:
    """At most so many rows, from units spread evenly over the snapshot; the same rows for the same snapshot."""
    units = [receipt for receipt in view.receipts("instructions") if receipt.rows]
    if not units:
        return
    syllabi = {(receipt.discipline_id, receipt.unit): receipt for receipt in view.receipts("syllabi")}
    chosen = [units[index * len(units) // most] for index in range(most)] if len(units) > most else units
    each, over = divmod(most, len(chosen))
    for number, receipt in enumerate(chosen):
        go_on()
        syllabus = syllabi.get((receipt.discipline_id, span_of(receipt.unit)[0]))
        yield from _of_unit(view.store, receipt, syllabus, each + (number < over))


def _of_unit(store: Store, receipt: Receipt, syllabus: Receipt | None, number: int) -> Iterator[Sample]:
    chance = random.Random(seed_for("report", receipt.discipline_id, receipt.unit))
    places = sorted(chance.sample(range(receipt.rows), min(number, receipt.rows)))
    titles = _titles(store, syllabus) if syllabus else {}
    for row in store.read(receipt, _READ).take(places).to_pylist():
        known = titles.get(row["syllabus_id"], [])
        indexes = row["session_indexes"] or []
        yield Sample(row, tuple(known[index] if index < len(known) else f"session {index + 1}" for index in indexes))


def _titles(store: Store, syllabus: Receipt) -> dict[str, list[str]]:
    """The titles of the sessions, by syllabus."""
    rows = store.read(syllabus, ["syllabus_id", "sessions"]).to_pylist()
    return {row["syllabus_id"]: [session["title"] for session in row["sessions"]] for row in rows}
