"""A damaged or foreign file in the store: a clear error or work done again, never a wrong table."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from model_server import ModelServer
from proof_checks import check_complete, check_store, rows, tables
from proof_world import RUN, SEED, environment, run_here
from stage_world import UNJUDGED
from store_world import cut_in_half

import glan
from glan.dataset import View
from glan.errors import StoreError
from glan.store.store import REMADE, Store
from glan.units import Stage

MORE = {**RUN, "questions": 6}

pytestmark = pytest.mark.usefixtures("prefect_server")


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer(seed=SEED) as server:
        yield server


@pytest.fixture
def store(undisturbed: str, server: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a finished store, which runs in this process use."""
    folder = tmp_path / "store"
    shutil.copytree(undisturbed, folder)
    for name, value in environment(server, str(folder)).items():
        monkeypatch.setenv(name, value)
    return folder


@pytest.mark.parametrize("stage", UNJUDGED)
def test_a_truncated_object_is_named_and_never_read_as_less(store: Path, stage: Stage) -> None:
    [damaged, *_] = View.open(Store.open(str(store)), "latest").receipts(stage)
    cut_in_half(store / "v1" / damaged.object)
    with pytest.raises(StoreError, match=damaged.object):
        glan.load(stage, str(store))


def test_a_run_that_needs_a_truncated_object_says_which(store: Path) -> None:
    before = rows(str(store), "questions")
    [damaged, *_] = View.open(Store.open(str(store)), "latest").receipts("syllabi")
    cut_in_half(store / "v1" / damaged.object)
    state = run_here(MORE)
    assert damaged.object in str(state.message) or state.name == "PartiallyCompleted"
    assert {row["question_id"] for row in before} <= {row["question_id"] for row in rows(str(store), "questions")}


def test_a_truncated_object_that_no_generation_names_stops_the_run_with_its_name(
    store: Path, server: ModelServer
) -> None:
    [damaged, *_] = View.open(Store.open(str(store)), "latest").receipts("answers")
    for folder in ("_manifests", "_snapshots"):
        shutil.rmtree(store / "v1" / folder)
    cut_in_half(store / "v1" / damaged.object)
    state = run_here(RUN)
    assert state.is_failed()
    assert damaged.object in str(state.message) and REMADE in str(state.message)
    assert server.count == 0


def test_a_deleted_object_is_made_again_from_the_log_without_a_call(
    store: Path, undisturbed: str, server: ModelServer
) -> None:
    [gone, *_] = View.open(Store.open(str(store)), "latest").receipts("answers")
    for folder in ("_manifests", "_snapshots"):
        shutil.rmtree(store / "v1" / folder)
    (store / "v1" / gone.object).unlink()
    assert run_here(RUN).name == "Completed"
    assert server.count == 0
    assert tables(str(store)) == tables(undisturbed)
    check_store(str(store))


def test_foreign_files_beside_the_objects_change_nothing(store: Path, server: ModelServer) -> None:
    root = store / "v1"
    [question, *_] = sorted((root / "questions" / "disc=physics").glob("*.parquet"))
    for name in ("copy-of.txt", f"{question.name}.backup-2", f"{question.stem}-copy.parquet", "notes.parquet"):
        for stage in UNJUDGED:
            (root / stage / "disc=physics" / name).write_bytes(b"not of this store")
    (root / "taxonomy" / "notes.txt").write_text("mine")
    assert run_here(MORE).name == "Completed"
    foreign = [
        path for path in root.rglob("*") if path.is_file() and path.read_bytes() in (b"not of this store", b"mine")
    ]
    assert len(foreign) == 4 * len(UNJUDGED) + 1, "a foreign file was removed or written over"
    for path in foreign:
        path.unlink()
    check_store(str(store))
    check_complete(str(store), MORE)


@pytest.mark.parametrize(
    ("path", "table"), [("_snapshots/copy.json", "answers"), ("_calls/disc=physics/notes.txt", "calls")]
)
def test_a_foreign_file_among_the_marks_is_named(store: Path, path: str, table: str) -> None:
    (store / "v1" / path).write_text("{}")
    with pytest.raises(StoreError, match=path):
        glan.load(table, str(store))


def test_a_foreign_file_among_the_generations_stops_a_run_before_it_asks(store: Path, server: ModelServer) -> None:
    path = "_manifests/answers/physics/old.json"
    (store / "v1" / path).write_text("{}")
    state = run_here(MORE)
    assert state.is_failed() and path in str(state.result(raise_on_failure=False))
    assert server.count == 0
