"""What publishing a release promises."""

import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest
from tiny_store import clock, commit, instruction, new_store, publish, unit

from glan.errors import InputError, StoreError
from glan.release import releases
from glan.release.publish import ROWS_PER_SHARD
from glan.release.publish import publish as release
from glan.release.releases import ReleaseManifest, ReleaseOptions
from glan.store.store import Store
from glan.units import Receipt


def commit_instructions(store: Store, discipline_id: str, *ids: str, version: str = "", **given: Any) -> Receipt:
    one = unit("instructions", discipline_id, "basics.0-20", version)
    return commit(store, one, [instruction(name, one, **given) for name in ids])


def filled(url: str) -> Store:
    """Two disciplines with three kept rows and a rejected one."""
    store = new_store(url)
    one = unit("instructions", "physics", "optics.0-20")
    rows = [instruction("q3", one, level="graduate"), instruction("q4", one, kept=False, reasons=["repeats itself"])]
    publish(store, commit_instructions(store, "economics", "q1", "q2"), commit(store, one, rows))
    return store


def make(
    store: Store,
    name: str = "first",
    run_id: str = "run",
    disciplines: Any = None,
    **options: Any,
) -> ReleaseManifest:
    """Publish with these options; all rows are for training unless they say otherwise."""
    chosen = ReleaseOptions(**{"test": 0, "validation": 0, **options})
    return release(store, name, disciplines=disciplines, options=chosen, run_id=run_id, clock=clock)


def bodies(store: Store, name: str) -> dict[str, bytes]:
    return {entry.path: store.files.read(entry.path) for entry in store.files.list(f"releases/{name}")}


def ids(store: Store, name: str = "first", shard: int = 0) -> list[str]:
    file = pq.ParquetFile(store.files.open_input(f"releases/{name}/data/train-{shard:05d}.parquet"))
    return file.read(["question_id"])["question_id"].to_pylist()


def test_kept_rows_are_published_as_messages_with_their_provenance(store_url: str) -> None:
    store = filled(store_url)
    manifest = make(store)
    assert (manifest.rows, manifest.rejected, manifest.rejected_by_reason) == (3, 1, {"repeats itself": 1})
    assert ids(store) == ["q1", "q2", "q3"]
    line = store.files.read("releases/first/data/train-00000.jsonl").splitlines()[0]
    assert json.loads(line) == {
        "messages": [{"role": "user", "content": "What is q1?"}, {"role": "assistant", "content": "It is q1."}],
        "question_id": "q1",
        "discipline_id": "economics",
        "field": "Social sciences",
        "sub_field": "",
        "discipline": "Economics",
        "subject": "Basics",
        "level": "undergraduate",
        "language": None,  # nothing on record says what it had to be in
        "strategy": "single_session",
        "key_concepts": ["scarcity", "choice"],
        "difficulty": "",
        "question_type": "",
        "correct_option": "",
        "other_subject": "",
        "question_model": "asker-1",
        "answer_model": "answerer-1",
        "request_keys": ["1" * 64, "2" * 64],
        "flags": [],
    }


def test_plain_readers_take_both_formats_and_find_the_same_rows(tmp_path: Path) -> None:
    store = filled(str(tmp_path))
    make(store)
    data = tmp_path / "v1" / "releases" / "first" / "data"
    lines = pd.read_json(data / "train-00000.jsonl", lines=True)
    table = pq.read_table(data / "train-00000.parquet")
    assert lines.astype(object).where(lines.notna(), None).to_dict("records") == table.to_pylist()


def test_the_manifest_names_every_file_with_its_digest(store_url: str) -> None:
    store = filled(store_url)
    manifest = make(store)
    for file in manifest.files:
        body = store.files.read(f"releases/first/{file.path}")
        assert (len(body), hashlib.sha256(body).hexdigest()) == (file.size, file.sha256)
    named = {f"releases/first/{file.path}" for file in manifest.files}
    assert set(bodies(store, "first")) == named | {"releases/first/_plan.json", "releases/first/manifest.json"}


def test_equal_stores_make_equal_bytes(tmp_path: Path) -> None:
    first, second = filled(str(tmp_path / "one")), filled(str(tmp_path / "two"))
    make(first)
    make(second)
    assert bodies(first, "first") == bodies(second, "first")


def test_text_with_any_line_end_stays_one_json_line(tmp_path: Path) -> None:
    store = new_store(str(tmp_path))
    text = "a\nb\r\nc\u2028d\u2029e\u0085f \U0001f600 \x0b\x0c\x1c"
    publish(store, commit_instructions(store, "physics", "q1", answer=text))
    make(store)
    body = store.files.read("releases/first/data/train-00000.jsonl").decode()
    assert len(body.splitlines()) == 1
    assert json.loads(body)["messages"][1]["content"] == text


def test_many_rows_are_cut_into_shards_in_order(tmp_path: Path) -> None:
    store = new_store(str(tmp_path))
    names = [f"q{number:06d}" for number in range(ROWS_PER_SHARD + 3)]
    publish(store, commit_instructions(store, "physics", *names))
    manifest = make(store)
    counts = {file.path: file.rows for file in manifest.files if file.rows is not None}
    assert list(counts.values()) == [ROWS_PER_SHARD, ROWS_PER_SHARD, 3, 3]
    assert ids(store) + ids(store, shard=1) == names


def test_publishing_the_same_again_changes_nothing_and_says_so(store_url: str) -> None:
    store = filled(store_url)
    first = make(store)
    before = bodies(store, "first")
    again = make(store, run_id="another run")
    assert (first.already_published, again.already_published) == (False, True)
    assert again.run_id == "run"
    assert bodies(store, "first") == before


def test_a_finished_release_is_never_given_other_rows(tmp_path: Path) -> None:
    store = filled(str(tmp_path))
    make(store)
    before = bodies(store, "first")
    with pytest.raises(InputError, match="choose another name"):
        make(store, formats=["jsonl"])
    publish(store, commit_instructions(store, "economics", "q9", version="new"))
    with pytest.raises(InputError, match="choose another name"):
        make(store)
    assert bodies(store, "first") == before
    assert make(store, "second").rows == 2


class StopsAt(Exception):
    """Raised in place of a write."""


def cut_off(store: Store, at: str) -> Store:
    """The store to a process that dies when it comes to write this file."""
    create = store.files.create

    def until(path: str, body: bytes) -> bool:
        if path.endswith(at):
            raise StopsAt(path)
        return create(path, body)

    store.files.create = until  # type: ignore[method-assign]
    return store


@pytest.mark.parametrize("at", ["train-00000.parquet", "train-00000.jsonl", "README.md", "manifest.json"])
def test_a_release_cut_off_before_its_manifest_is_finished_from_its_own_snapshot(store_url: str, at: str) -> None:
    store = filled(store_url)
    with pytest.raises(StopsAt):
        make(cut_off(Store.open(store_url), at))
    assert releases.find(store.files, "first") is None
    publish(store, commit_instructions(store, "economics", "q9", version="new"))
    finished = make(store, run_id="another run")
    assert (finished.snapshot, finished.run_id, finished.already_published) == (1, "run", False)
    assert ids(store) == ["q1", "q2", "q3"]
    untouched = filled(store_url + "-untouched")
    make(untouched)
    assert bodies(store, "first") == bodies(untouched, "first")


def test_an_unfinished_release_is_not_finished_as_another(tmp_path: Path) -> None:
    store = filled(str(tmp_path))
    with pytest.raises(StopsAt):
        make(cut_off(Store.open(str(tmp_path)), "manifest.json"))
    for other in ({"disciplines": ["physics"]}, {"formats": ["jsonl"]}):
        with pytest.raises(InputError, match="not finished"):
            make(store, **other)


KILLED = """
import os, signal, sys
from tiny_store import clock
from glan.release.publish import publish
from glan.release.releases import ReleaseOptions
from glan.store.store import Store
store = Store.open(sys.argv[1])
create = store.files.create
def until_the_manifest(path, body):
    if path.endswith("manifest.json"):
        os.kill(os.getpid(), signal.SIGKILL)
    return create(path, body)
store.files.create = until_the_manifest
publish(store, "first", options=ReleaseOptions(test=0, validation=0), run_id="run", clock=clock)
"""


def test_a_process_killed_between_data_and_manifest_is_followed_by_one_that_finishes(tmp_path: Path) -> None:
    store = filled(str(tmp_path))
    path = os.pathsep.join(entry for entry in sys.path if entry)
    killed = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], env={**os.environ, "PYTHONPATH": path})
    assert killed.returncode == -signal.SIGKILL
    assert {name.rpartition("/")[2] for name in bodies(store, "first")} >= {"train-00000.parquet", "README.md"}
    assert releases.finished(store.files) == []
    assert make(store).rows == 3
    assert [manifest.release for manifest in releases.finished(store.files)] == ["first"]


def test_disciplines_and_formats_can_be_chosen(tmp_path: Path) -> None:
    store = filled(str(tmp_path))
    manifest = make(store, disciplines=["Physics"], formats=["jsonl"])
    assert (manifest.rows, manifest.disciplines) == (1, ("physics",))
    plots = ["plots/rows.png", "plots/lengths.png"]
    assert [file.path for file in manifest.files] == ["data/train-00000.jsonl", "coverage.csv", *plots, "README.md"]


def test_nothing_kept_is_an_error_and_writes_nothing(tmp_path: Path) -> None:
    store = new_store(str(tmp_path))
    with pytest.raises(InputError, match="no snapshot yet"):
        make(store)
    publish(store, commit_instructions(store, "physics", "q1", kept=False, reasons=["too short"]))
    with pytest.raises(InputError, match="no kept instructions"):
        make(store)
    assert store.files.list("releases") == []


@pytest.mark.parametrize("name", ["", "First", "-first", ".first", "a/b", "../up", "a..b", "a b", "é", "a" * 65, "a\n"])
def test_a_name_that_is_no_folder_name_is_refused(tmp_path: Path, name: str) -> None:
    store = filled(str(tmp_path))
    with pytest.raises(InputError, match="cannot name a release"):
        make(store, name)
    assert store.files.list("releases") == []


@pytest.mark.parametrize("formats", [["csv"], []])
def test_an_unknown_format_is_refused(tmp_path: Path, formats: list[str]) -> None:
    with pytest.raises(ValueError, match="formats"):
        make(filled(str(tmp_path)), formats=formats)


@pytest.fixture(params=[["parquet", "jsonl"], ["jsonl"], ["alpaca"]], ids="-".join)
def formats(request: pytest.FixtureRequest) -> Iterator[list[str]]:
    yield request.param


def test_the_rows_that_releases_hold_can_be_read(store_url: str, formats: list[str]) -> None:
    store = filled(store_url)
    assert releases.held_by_release(store.files).read_all().num_rows == 0
    make(store, formats=formats)
    with pytest.raises(StopsAt):
        make(cut_off(Store.open(store_url), "manifest.json"), "unfinished")
    held = releases.held_by_release(store.files).read_all().to_pylist()
    assert [(row["discipline_id"], row["question_id"]) for row in held] == [
        ("economics", "q1"),
        ("economics", "q2"),
        ("physics", "q3"),
    ]


@pytest.mark.parametrize("formats", [["parquet"], ["jsonl"]])
def test_a_release_that_is_damaged_or_not_whole_is_told_by_name_where_its_rows_are_needed(
    tmp_path: Path, formats: list[str]
) -> None:
    store = filled(str(tmp_path))
    make(store, formats=formats, test=1)
    file = tmp_path / "v1" / "releases" / "first" / "data" / f"test-00000.{formats[0]}"
    file.write_bytes(file.read_bytes()[:40])
    with pytest.raises(StoreError, match=r"releases/first/data/test-00000.*damaged; restore it"):
        releases.held_by_release(store.files).read_all()
    with pytest.raises(StoreError, match=r"releases/first/data/test-00000"):
        make(store, "second", test=1)
    file.unlink()
    with pytest.raises(StoreError, match=r"releases/first/data/test-00000.*its release names it"):
        releases.held_by_release(store.files).read_all()
