"""What has to be true of a store and of what was paid, at any time and after any accident: one function each.

They read through `glan.load` what readers see, and through the store whatever else lies in it. Each raises an
AssertionError that says what is wrong; none changes anything.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import pyarrow as pa
from model_server import ModelServer, Received

import glan
from glan.care.verify import verify
from glan.dataset import View
from glan.stages.questions import span_of
from glan.store import calls
from glan.store.parts import is_part
from glan.store.store import Store
from glan.supplements import follows_from_one
from glan.units import STAGES, Receipt, planned

Row = dict[str, Any]

TABLES = (*STAGES, "quarantine", "taxonomy")
IDS = {
    "subjects": "subject_id",
    "syllabi": "syllabus_id",
    "questions": "question_id",
    "answers": "question_id",
    "continuations": "question_id",
    "instructions": "question_id",
}
PARENTS = {
    "syllabi": ("subjects", "subject_id"),
    "questions": ("syllabi", "syllabus_id"),
    "answers": ("questions", "question_id"),
    "continuations": ("answers", "question_id"),
    "instructions": ("answers", "question_id"),
}
NEVER_COMPARED = frozenset({"run_id", "created_at"})


def tables(store: str) -> dict[str, list[str]]:
    """All that readers see of a store, in no order: each row as text, without `run_id` and `created_at`."""
    return {name: sorted(_text(row) for row in rows(store, name)) for name in TABLES}


def rows(store: str, stage: str) -> list[Row]:
    """The rows that readers see of one table."""
    found: list[Row] = glan.scan(stage, store).read_all().to_pylist()
    return found


def check_store(store: str) -> None:
    """Everything that holds of a store at any time, whatever was killed while writing it."""
    opened = Store.open(store)
    view = View.open(opened, "latest")
    seen = {stage: rows(store, stage) for stage in STAGES}
    for stage, column in IDS.items():
        _check_unique(stage, column, seen[stage])
    for stage, (above, column) in PARENTS.items():
        lost = {row[column] for row in seen[stage]} - {row[column] for row in seen[above]}
        assert not lost, f"{stage}: rows whose {column} is not in {above}: {sorted(lost)[:3]}"
    _check_instructions(seen)
    _check_counts(view, opened)
    on_record = understood(store)
    for stage in STAGES:
        _check_objects(opened, stage, view.receipts(stage), on_record)


def check_whole(store: Store) -> None:
    """That a store is whole: the same, and nothing that `glan verify --deep` finds."""
    check_store(store.files.url)
    assert list(verify(store, deep=True)) == []


def check_complete(store: str, run: Mapping[str, Any]) -> None:
    """At every stage, as many rows as the run was to make, or a quarantine entry for each that is missing."""
    view = View.open(Store.open(store), "latest")
    wanted = {stage: planned(view.receipts(stage)) for stage in STAGES}
    made = {stage: sum(receipt.rows for receipt in view.receipts(stage)) for stage in STAGES}
    by_discipline = Counter(row["discipline_id"] for row in rows(store, "subjects"))
    assert set(by_discipline) == set(run["disciplines"])
    assert wanted["syllabi"] == sum(min(run["subjects"], number) for number in by_discipline.values())
    across = (made["syllabi"] - len(by_discipline)) * run.get("cross_subject_questions", 0)
    assert wanted["questions"] == made["syllabi"] * run["questions"] + across
    assert wanted["answers"] == made["questions"]
    assert wanted["instructions"] == made["instructions"] == made["answers"]


def understood(store: str) -> set[str]:
    """Keys of the requests that have an understood reply in the write-ahead log."""
    return {row["request_key"] for row in ledger(store) if row["understood"]}


def ledger(store: str) -> list[Row]:
    """Every attempt on record, each once; [] where nothing is recorded yet."""
    batches = list(calls.scan(Store.open(store).files))
    found: list[Row] = pa.Table.from_batches(batches).to_pylist() if batches else []
    return found


def unrecorded(store: str, received: Iterable[Received], earlier: Collection[str] = ()) -> list[Received]:
    """Those calls of the server that are not in the write-ahead log: in flight or not yet written.

    `earlier` are the runs that asked another server, whose calls have the same ids.
    """
    recorded = {row["provider_request_id"] for row in ledger(store) if row["run_id"] not in earlier}
    return [call for call in received if f"req-{call.index}" not in recorded]


def paid_twice(server: ModelServer) -> set[str]:
    """Payloads that the server answered more than once."""
    return {digest for digest, count in server.count_by_payload(status=200).items() if count > 1}


def in_flight_when_refused(server: ModelServer) -> list[Received]:
    """Calls that arrived after the first that was refused for good."""
    received = server.calls
    first = next(
        call.index for call in received if call.status in (401, 402, 403) or call.fault == "insufficient_quota"
    )
    return received[first + 1 :]


def _check_unique(stage: str, column: str, found: Collection[Row]) -> None:
    twice = [key for key, count in Counter(row[column] for row in found).items() if count > 1]
    assert not twice, f"{stage}: {column} found more than once: {twice[:3]}"


def _check_instructions(seen: dict[str, list[Row]]) -> None:
    """Every instruction has the very question and answer of its id."""
    questions = {row["question_id"]: row["text"] for row in seen["questions"]}
    answers = {row["question_id"]: row["text"] for row in seen["answers"]}
    for row in seen["instructions"]:
        assert (row["question"], row["answer"]) == (questions[row["question_id"]], answers[row["question_id"]])
        assert row["kept"] == (not row["reasons"]), f"kept {row['kept']} with reasons {row['reasons']}"


def _check_counts(view: View, store: Store) -> None:
    """planned = committed + quarantined, of each unit and so of each stage; the rows are what receipts say."""
    for stage in STAGES:
        receipts = view.receipts(stage)
        for receipt in receipts:
            assert receipt.planned == receipt.rows + receipt.quarantined, f"{receipt.object}: counts do not add up"
            assert store.read_quarantine(receipt).num_rows == receipt.quarantined
        found = sum(table.num_rows for table in view.tables(stage))
        assert found == sum(receipt.rows for receipt in receipts), f"{stage}: other rows than its receipts name"
        if stage in ("questions", "answers"):
            _check_rounds(receipts)


def _check_rounds(receipts: Iterable[Receipt]) -> None:
    """The rounds of a syllabus follow each other without gap or overlap."""
    reached: Counter[str] = Counter()
    for receipt in sorted(receipts, key=lambda receipt: receipt.unit):
        node, (start, stop) = span_of(receipt.unit)
        if follows_from_one(receipt.unit):
            continue  # of the same round as what it asks again
        assert receipt.stage == "answers" or start == reached[node], f"{receipt.unit} does not begin at {reached[node]}"
        reached[node] = stop


def _check_objects(store: Store, stage: str, named: Iterable[Receipt], on_record: set[str]) -> None:
    """Every object of a unit there, named or not, is whole, is what its receipt says, and rests on replies that are on record."""
    for receipt in named:
        body = store.files.read(receipt.object)
        assert hashlib.sha256(body).hexdigest() == receipt.sha256, f"{receipt.object} is not what its receipt says"
    for entry in store.files.list(stage):
        if is_part(entry.path):  # copies of units
            continue
        receipt = store.receipt(entry.path)
        keys = {key for row in store.read(receipt).to_pylist() for key in row["request_keys"]}
        assert keys <= on_record, f"{entry.path} rests on replies that are not in the call log"


def _text(row: Row) -> str:
    return json.dumps(
        {name: value for name, value in row.items() if name not in NEVER_COMPARED}, sort_keys=True, default=str
    )
