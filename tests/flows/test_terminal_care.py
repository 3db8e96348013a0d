"""`glan verify` as people and machines see it."""

import datetime
import json
from pathlib import Path

import pytest
from care_world import whole_store
from stage_world import PHYSICS
from terminal_world import settle_in, typed

from glan.store.store import Store


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A whole store that the settings name."""
    settle_in(tmp_path, monkeypatch)
    return whole_store("store", disciplines=(PHYSICS,))


def test_a_whole_store_is_said_to_be_whole(store: Store) -> None:
    said = typed("verify", "--deep")
    assert (said.code, said.stdout) == (0, f"{store.files.url} is whole.\n")
    assert json.loads(typed("verify", "--json").stdout) == []


def test_each_finding_says_where_it_is_and_what_to_do(store: Store) -> None:
    path = store.files.list("answers")[0].path
    store.files.delete(path)
    said = typed("verify")
    assert said.code == 1
    assert path in said.stdout and "run again" in said.stdout
    machine = typed("verify", "--discipline", "physics", "--json")
    [finding] = [one for one in json.loads(machine.stdout) if one["path"] == path]
    assert (machine.code, finding["kind"]) == (1, "missing")
    assert "run again" in finding["remedy"]


def test_compaction_says_what_it_has_merged_and_then_finds_nothing_to_do(store: Store) -> None:
    said = typed("compact")
    assert said.code == 0
    assert "physics answers: 2 objects, 6 rows" in said.stdout
    assert typed("verify", "--json").code == 0
    again = typed("compact", "--json")
    assert (again.code, json.loads(again.stdout)) == (0, [])
    assert typed("compact", "--part-mb", "900").code == 2


def test_gc_shows_what_may_go_and_removes_it_only_if_told_to(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "nothing" in typed("gc", "--yes").stdout
    typed("compact")
    small = {entry.path for entry in store.files.list("answers")}
    month = datetime.timedelta(days=30)
    monkeypatch.setattr("flows.terminal.care.now", lambda: datetime.datetime.now(datetime.UTC) + month)
    shown = typed("gc")
    assert shown.code == 0 and "merged into a part" in shown.stdout and "Nothing was removed" in shown.stdout
    assert {entry.path for entry in store.files.list("answers")} == small
    assert json.loads(typed("gc", "--json").stdout)["removed"] == []
    assert "removed" in typed("gc", "--older-than", "7d", "--yes").stdout
    assert len(store.files.list("answers")) == 1
    assert typed("verify", "--deep").code == 0


@pytest.mark.parametrize("age", ["0h", "two days", "48", "-1d"])
def test_an_age_that_is_none_is_bad_input(store: Store, age: str) -> None:
    said = typed("gc", f"--older-than={age}", "--yes")
    assert said.code == 2 and "--older-than" in said.stderr


def test_a_wrong_name_is_bad_input(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    assert typed("verify", "--discipline", "alchemy").code == 2
    monkeypatch.setenv("GLAN_STORE", "nowhere")
    said = typed("verify")
    assert said.code == 2 and "there is no store" in said.stderr
