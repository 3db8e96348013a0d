"""A unit is asked for once, and committed only when everything it rests on is on record."""

import json
from pathlib import Path
from typing import Any

import pytest
from stage_world import PHYSICS, effects, new_store, recipe

from glan.errors import EndpointRefused, StoreWeather
from glan.gateway.requests import Request
from glan.stages import subjects
from glan.store.files import Files
from glan.store.local import LocalFiles
from glan.store.store import Store

UNIT = subjects.plan(PHYSICS, recipe(lists=2))
MADE = recipe(lists=2)


def a_list(request: Request) -> str:
    one = {"subject_name": "Optics", "level": "expert", "introduction": "x", "subtopics": ["x"]}
    return json.dumps({"subjects": [one]})


def one_fails(request: Request) -> str:
    return "nothing" if request.sample_index == 1 else a_list(request)


class RecordingFiles(LocalFiles):
    """A real folder that notes what is created."""

    def __init__(self, folder: Path, events: list[str]) -> None:
        super().__init__(str(folder))
        self.events = events
        self.refuse = ""

    def create(self, path: str, body: bytes) -> bool:
        self.events.append(path.partition("/")[0])
        if path.startswith(self.refuse or "\0"):
            raise StoreWeather("the store is not there")
        return super().create(path, body)


def recorded(tmp_path: Path) -> tuple[Store, list[str]]:
    new_store(tmp_path)
    events: list[str] = []
    files: Files = RecordingFiles(tmp_path / "store", events)
    return Store(files), events


def test_the_log_is_waited_for_before_the_quarantine_and_that_before_the_rows(tmp_path: Path) -> None:
    store, events = recorded(tmp_path)
    subjects.run(UNIT, MADE, effects(store, one_fails, events))
    assert events == ["ask", "wait", "quarantine", "subjects"]


def test_without_failures_no_quarantine_is_written(tmp_path: Path) -> None:
    store, events = recorded(tmp_path)
    subjects.run(UNIT, MADE, effects(store, a_list, events))
    assert events == ["ask", "wait", "subjects"]


def test_a_unit_that_is_committed_makes_no_call_and_writes_nothing(tmp_path: Path) -> None:
    store, events = recorded(tmp_path)
    first = subjects.run(UNIT, MADE, effects(store, a_list))
    events.clear()

    def never(request: Request) -> str:
        raise AssertionError("a committed unit was asked again")

    assert subjects.run(UNIT, MADE, effects(store, never, events)) == first
    assert events == []


def test_a_unit_of_which_nothing_came_is_committed_all_the_same(tmp_path: Path) -> None:
    store, events = recorded(tmp_path)
    receipt = subjects.run(UNIT, MADE, effects(store, lambda request: "nothing", events))
    assert (receipt.rows, receipt.quarantined, receipt.planned) == (0, 2, 2)
    assert subjects.run(UNIT, MADE, effects(store, lambda request: "nothing", events)) == receipt
    assert events.count("ask") == 1


@pytest.mark.parametrize("refused", ["quarantine", "subjects"])
def test_a_commit_that_breaks_off_leaves_the_unit_undone_and_the_next_try_completes_it(
    tmp_path: Path, refused: str
) -> None:
    store, _ = recorded(tmp_path)
    files: Any = store.files
    files.refuse = refused
    with pytest.raises(StoreWeather):
        subjects.run(UNIT, MADE, effects(store, one_fails))
    assert store.find(UNIT) is None
    files.refuse = ""
    receipt = subjects.run(UNIT, MADE, effects(store, one_fails))
    assert (receipt.rows, receipt.quarantined) == (1, 1)
    assert store.read_quarantine(UNIT).num_rows == 1


def test_an_endpoint_that_refuses_leaves_nothing_behind(tmp_path: Path) -> None:
    store, events = recorded(tmp_path)

    def refuse(request: Request) -> str:
        raise EndpointRefused("the key is wrong")

    with pytest.raises(EndpointRefused):
        subjects.run(UNIT, MADE, effects(store, refuse, events))
    assert events == ["ask"]


def test_a_log_that_cannot_be_written_holds_the_unit_back_and_the_next_try_reads_the_history_anew(
    tmp_path: Path,
) -> None:
    store, events = recorded(tmp_path)
    run = effects(store, a_list, events)

    def broken() -> None:
        raise StoreWeather("no log")

    run.log.wait = broken
    with pytest.raises(StoreWeather):
        subjects.run(UNIT, MADE, run)
    assert events == ["ask", "forget"]


def test_a_receipt_counts_the_calls_tokens_and_cost_of_what_was_understood(tmp_path: Path) -> None:
    store, _ = recorded(tmp_path)
    receipt = subjects.run(UNIT, MADE, effects(store, a_list))
    assert (receipt.calls, receipt.prompt_tokens, receipt.completion_tokens, receipt.cost_usd) == (2, 20, 40, 1.0)


def test_an_object_says_of_its_unit_what_it_says_in_stores_that_are_there(tmp_path: Path) -> None:
    """Byte for byte, or `glan replay` takes objects of an earlier version for changed ones."""
    store, _ = recorded(tmp_path)
    receipt = subjects.run(UNIT, MADE, effects(store, lambda _: "nothing"))
    with store.opened(receipt.object) as file:
        noted = file.schema_arrow.metadata[b"glan"].decode()
    assert noted == (
        f'{{"stage":"subjects","discipline_id":"physics","unit":"physics","key":"{UNIT.key}","edition":0,'
        f'"object":"{UNIT.object}","rows":0,"planned":2,"quarantined":2,"asks_again":"","closes":0,'
        '"content_digest":"4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945","parent_digest":"",'
        '"capacity":null,"calls":0,"prompt_tokens":0,"completion_tokens":0,"cost_usd":0.0}'
    )


def test_a_quarantine_row_says_what_failed_where_and_how_often(tmp_path: Path) -> None:
    store, _ = recorded(tmp_path)
    run = effects(store, one_fails)
    subjects.run(UNIT, MADE, run)
    [row] = store.read_quarantine(UNIT).to_pylist()
    assert (row["stage"], row["discipline_id"], row["node"]) == ("subjects", "physics", "physics #1")
    assert (row["error_kind"], row["raw_text"], row["attempts"]) == ("malformed", "nothing", 3)
    assert (row["unit_key"], row["run_id"]) == (UNIT.key, "run")
    assert row["request_key"] == run.gateway.asked[1].key
