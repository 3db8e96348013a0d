"""Snapshot -> rows from all over it, kept or not, and for a duplicate the row that was kept instead."""

import random
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from glan.dataset import View
from glan.keys import seed_for
from glan.records import KIND, OTHER
from glan.report.coverage import GoOn
from glan.report.examples import Where
from glan.store import parts
from glan.store.ahead import ahead
from glan.store.store import Store
from glan.units import Receipt

FEW = 40
"""Samples of a report that a run waits for."""

MANY = 240
"""Samples of a report that someone asks for: some megabytes with all that they rest on."""

_READ = [
    "question_id", "syllabus_id", "subject_id", "discipline_id", "field", "sub_field", "discipline", "subject", "level",
    "language", "sample_index", "strategy", "session_indexes", "key_concepts", "question", "answer", "turns", "kept",
    "reasons", "duplicate_of", "contamination", "scores", "flags", *KIND, *OTHER, "question_model", "answer_model", "request_keys",
    "run_id", "created_at",
]  # fmt: skip


@dataclass(frozen=True)
class Sample:
    """A row of instructions and its unit; `instead`: of a duplicate, the row that was kept."""

    row: Mapping[str, Any]
    unit: Receipt
    instead: Mapping[str, Any] | None = None


def samples(view: View, go_on: GoOn = lambda: None, most: int = FEW, more: Iterable[Where] = ()) -> Iterator[Sample]:
    """At most so many rows from units spread evenly over the snapshot, the same ones for the same snapshot, and `more`."""
    every = view.receipts("instructions")
    chosen: dict[int, set[int]] = {}
    for where in (*_spread(every, most), *more):
        chosen.setdefault(where.unit, set()).add(where.row)

    def rows_of(number: int) -> list[Sample]:
        go_on()
        rows = view.store.read(every[number], _READ).take(sorted(chosen[number])).to_pylist(maps_as_pydicts="strict")
        return [Sample(row, every[number]) for row in rows]

    found = [sample for some in ahead(rows_of, sorted(chosen)) for sample in some]
    wanted = {sample.row["duplicate_of"] for sample in found} - {None}
    known = {sample.row["question_id"]: sample.row for sample in found}
    disciplines = {sample.unit.discipline_id for sample in found if sample.row["duplicate_of"]}
    near = sorted(every, key=lambda receipt: receipt.discipline_id not in disciplines)
    known |= _looked_up(view.store, near, wanted - known.keys(), go_on)
    for sample in found:
        yield Sample(sample.row, sample.unit, known.get(sample.row["duplicate_of"]))


def _spread(every: list[Receipt], most: int) -> Iterator[Where]:
    """Places of rows in units at even distances."""
    units = [number for number, receipt in enumerate(every) if receipt.rows]
    if not units:
        return
    taken = Counter(units[index * len(units) // most] for index in range(most)) if len(units) > most else None
    each, over = divmod(most, len(units))
    for place, number in enumerate(units):
        wanted = taken[number] if taken is not None else each + (place < over)
        receipt = every[number]
        chance = random.Random(seed_for("report", receipt.discipline_id, receipt.unit))
        for row in chance.sample(range(receipt.rows), min(wanted, receipt.rows)):
            yield Where(number, row)


def _looked_up(
    store: Store, receipts: list[Receipt], wanted: Collection[str], go_on: GoOn
) -> dict[str, Mapping[str, Any]]:
    """The rows of these questions: ids are read, unit by unit, until all are found, and rows where one is."""
    found: dict[str, Mapping[str, Any]] = {}
    if not wanted:
        return found
    ids = pa.array(sorted(wanted), pa.string())
    for receipt, table in zip(receipts, parts.tables(store, receipts, ["question_id"]), strict=True):
        go_on()
        if places := pc.indices_nonzero(pc.is_in(table["question_id"], ids)).to_pylist():
            rows = store.read(receipt, ["question_id", "discipline", "subject", "question", "answer"]).take(places)
            found |= {row["question_id"]: row for row in rows.to_pylist()}
        if len(found) == len(ids):
            break
    return found
