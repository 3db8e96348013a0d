"""Small stores for tests, made through the store's public interface: units, generations, snapshots."""

import datetime
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from glan import keys
from glan.records import SCHEMAS, table
from glan.store import manifests, snapshots, taxonomies
from glan.store.local import LocalFiles
from glan.store.snapshots import Snapshot
from glan.store.store import Store
from glan.units import Receipt, Stage, Unit

NOON = datetime.datetime(2026, 1, 2, 12, tzinfo=datetime.UTC)
TREE = {
    "physics": ("Natural sciences", "Physical sciences", "Physics"),
    "economics": ("Social sciences", "", "Economics"),
    "law": ("Social sciences", "", "Law"),
}


class Interrupted(LocalFiles):
    """A folder in which something happens just before the first file under a path is created."""

    def __init__(self, folder: str, path: str, happens: Callable[[], None]) -> None:
        super().__init__(folder)
        self._path, self._happens = path, [happens]

    def create(self, path: str, body: bytes) -> bool:
        if path.startswith(self._path) and self._happens:
            self._happens.pop()()
        return super().create(path, body)


def clock() -> datetime.datetime:
    """A clock that stands still."""
    return NOON


def new_store(url: str) -> Store:
    """A started store with a taxonomy of three disciplines and nothing else."""
    store = Store.open(url)
    store.start()
    rows = [
        {"field": field, "sub_field": sub_field, "discipline": name, "discipline_id": one, "origin": "curated"}
        for one, (field, sub_field, name) in TREE.items()
    ]
    taxonomies.publish(store.files, rows, None, clock=clock)
    return store


def unit(stage: Stage, discipline_id: str, address: str, version: str = "") -> Unit:
    """A unit whose key depends on all the arguments."""
    key = keys.digest([stage, discipline_id, address, version])
    path = TREE[discipline_id]
    return Unit(stage=stage, discipline_id=discipline_id, address=address, key=key, node=address, path=path)


def rows_of(one: Unit, given: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Rows of the unit's stage; what is not given is null, or that of every row."""
    common = {
        "unit_key": one.key,
        "edition": 0,
        "run_id": "run",
        "created_at": NOON,
        "discipline_id": one.discipline_id,
    }
    empty = dict.fromkeys(SCHEMAS[one.stage].names)
    return table(one.stage, [{**empty, **common, **row} for row in given])


def commit(
    store: Store, one: Unit, given: Sequence[Mapping[str, Any]], failed: Sequence[Mapping[str, Any]] = ()
) -> Receipt:
    """Commit the unit with these rows and quarantine rows."""
    empty = dict.fromkeys(SCHEMAS["quarantine"].names)
    common = {
        "unit_key": one.key,
        "stage": one.stage,
        "discipline_id": one.discipline_id,
        "edition": 0,
        "created_at": NOON,
    }
    quarantine = table("quarantine", [{**empty, **common, **row} for row in failed])
    return store.commit(
        one,
        rows_of(one, given),
        planned=len(given) + len(failed),
        content_digest=keys.digest([str(row) for row in given]),
        quarantine=quarantine,
    )


def publish(store: Store, *receipts: Receipt) -> Snapshot:
    """Name the units in their generations, and these in a snapshot."""
    generations: dict[str, dict[str, int]] = {}
    for receipt in receipts:
        stage, discipline_id = receipt.stage, receipt.discipline_id
        manifest = manifests.publish(store.files, stage, discipline_id, add=[receipt], run_id="run", clock=clock)
        generations.setdefault(discipline_id, {})[stage] = manifest.generation
    return snapshots.publish(store.files, generations, run_id="run", clock=clock)


def instruction(question_id: str, one: Unit, **given: Any) -> dict[str, Any]:
    """A kept row of instructions."""
    field, sub_field, discipline = one.path
    return {
        "question_id": question_id,
        "field": field,
        "sub_field": sub_field,
        "discipline": discipline,
        "subject": "Basics",
        "level": "undergraduate",
        "strategy": "single_session",
        "key_concepts": ["scarcity", "choice"],
        "question": f"What is {question_id}?",
        "answer": f"It is {question_id}.",
        "kept": True,
        "reasons": [],
        "question_model": "asker-1",
        "answer_model": "answerer-1",
        "request_keys": ["1" * 64, "2" * 64],
        **given,
    }
