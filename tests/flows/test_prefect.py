"""What a person sees in Prefect: against a real server with a database of its own."""

import base64
import contextvars
import json
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from flow_world import KEY, World
from model_faults import Faults
from model_server import ModelServer
from prefect import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterParentFlowRunId
from prefect.client.schemas.objects import FlowRun, State, TaskRun
from prefect.states import Cancelling
from prefect_world import eventually, running_server
from stage_world import UNJUDGED

SVG = "{http://www.w3.org/2000/svg}"


@dataclass(frozen=True)
class Seen:
    """A running server and what it holds."""

    url: str
    home: Path

    def children(self, run_id: Any) -> list[FlowRun]:
        wanted = FlowRunFilter(parent_flow_run_id=FlowRunFilterParentFlowRunId(any_=[run_id]))
        with get_client(sync_client=True) as client:
            return client.read_flow_runs(flow_run_filter=wanted)

    def task_runs(self, run_id: Any, count: int) -> list[TaskRun]:
        """The task runs of a flow run, once so many have come to an end: the server records them a little later."""
        runs: list[TaskRun] = []

        def recorded() -> bool:
            with get_client(sync_client=True) as client:
                runs[:] = client.read_task_runs(
                    flow_run_filter=FlowRunFilter.model_validate({"id": {"any_": [run_id]}})
                )
            return sum(1 for run in runs if run.state and run.state.is_final()) >= count

        eventually(recorded)
        return runs

    def artifacts(self, *run_ids: Any) -> dict[str, Any]:
        """The data of the artifacts of these flow runs by key."""
        with get_client(sync_client=True) as client:
            return {
                artifact.key: artifact.data
                for artifact in client.read_artifacts(limit=200)
                if artifact.flow_run_id in run_ids and artifact.key
            }


@pytest.fixture(scope="module")
def real_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    """`prefect server start` on a port and in a home of its own."""
    with running_server(tmp_path_factory.mktemp("prefect")) as server:
        yield Seen(server.url, server.home)


@pytest.fixture
def seen(real_server: Seen, server: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """An empty store, and runs that go to the real server."""
    monkeypatch.chdir(tmp_path)
    return World(server, str(tmp_path / "store"), monkeypatch)


def run_id(state: State[Any]) -> Any:
    return state.state_details.flow_run_id


def test_a_run_shows_its_disciplines_units_and_figures(seen: World, real_server: Seen) -> None:
    seen.server.latency = 0.6
    first = seen.run(disciplines=["physics", "economics"])
    assert first.name == "Completed", first.message
    disciplines = real_server.children(run_id(first))
    assert {run.name for run in disciplines} == {"physics", "economics"}
    assert {run.state_name for run in disciplines} == {"Completed"}
    one, other = disciplines
    assert max(one.start_time, other.start_time) < min(one.end_time, other.end_time)  # they overlap

    [physics] = [run for run in disciplines if run.name == "physics"]
    tasks = real_server.task_runs(physics.id, count=9)
    assert Counter(task.name.split()[0] for task in tasks) == {
        "subjects": 1, "syllabi": 2, "questions": 2, "answers": 2, "instructions": 2,
    }  # fmt: skip
    syllabi = {task.name for task in tasks if task.name.startswith("syllabi ")}
    for unit in seen.receipts("syllabi"):
        assert any(f"syllabi physics/{unit.unit}".startswith(name) for name in syllabi)

    made = real_server.artifacts(run_id(first), *(run.id for run in disciplines))
    assert {f"{stage}-{run.name}" for stage in UNJUDGED for run in disciplines} <= made.keys()
    assert {float(made[f"{stage}-physics"]) for stage in UNJUDGED} == {100.0}
    [whole, *table] = json.loads(made["glan-summary"])
    assert {(line["discipline"], line["stage"]) for line in table} == {
        (name, stage) for name in ("all", "physics", "economics") for stage in UNJUDGED
    }
    assert whole["calls"] == sum(line["calls"] for line in table if line["discipline"] != "all") == seen.server.count
    assert whole["kept"] == seen.load("instructions")["kept"].sum()
    assert {line["cost USD"] for line in table if line["calls"]} == {"unknown"}
    assert "Rejected by curation" in made["glan-reasons"]
    shows_the_coverage(made["glan-coverage"])
    leads_to_the_report(made["glan-data"], seen, run_id(first))

    seen.server.latency = 0.0
    again = seen.run(disciplines=["physics", "economics"])
    assert again.name == "Completed"
    assert real_server.children(run_id(again)) == []
    assert "nothing has changed" in real_server.artifacts(run_id(again))["glan-data"]
    more = seen.run(disciplines=["physics", "economics"], subjects=3)
    for discipline in real_server.children(run_id(more)):
        states = Counter(task.state_name for task in real_server.task_runs(discipline.id, count=13))
        assert states == {"Cached": 9, "Completed": 4}


def shows_the_coverage(artifact: str) -> None:
    """An image that needs no other address, and stands on its own as XML."""
    kind, _, body = artifact.partition(",")
    assert kind == "data:image/svg+xml;base64"
    texts = [text.text or "" for text in ElementTree.fromstring(base64.b64decode(body)).iter(f"{SVG}text")]
    assert {"Natural sciences", "Physics", "Economics"} <= set(texts)
    assert "2 of 197 disciplines begun" in texts[0]


def leads_to_the_report(artifact: str, world: World, run: Any) -> None:
    """The page that the run left is in the store, and its address and that of the data are said."""
    page = world.store.files.read(f"_runs/{run}.html").decode()
    assert "Physics" in page and KEY not in page
    assert f"_runs/{run}.html" in artifact
    assert f'glan.load("instructions", store="{world.store_url}")' in artifact


def test_nothing_that_prefect_keeps_of_a_run_is_large(seen: World, real_server: Seen) -> None:
    state = seen.run(subjects=2)
    assert state.name == "Completed", state.message
    everything = seen.load("answers")["text"].tolist() + seen.load("syllabi")["text"].tolist()
    with sqlite3.connect(f"file:{real_server.home / 'prefect.db'}?mode=ro", uri=True) as connection:
        largest = {
            table: connection.execute(f"select max(length({column})) from {table}").fetchone()[0] or 0
            for table, column in (("flow_run", "parameters"), ("task_run", "task_inputs"), ("artifact", "data"))
        }
    assert largest["flow_run"] < 10_000 and largest["task_run"] < 10_000 and largest["artifact"] < 100_000
    kept = _everything(real_server.home / "prefect.db")
    assert not any(text in kept for text in everything)


def test_artifacts_that_cannot_be_made_neither_fail_nor_delay_a_run(
    seen: World, real_server: Seen, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tasks import artifacts

    def breaking(*_: Any) -> Any:
        raise OSError("no picture today")

    monkeypatch.setattr(artifacts, "coverage", breaking)
    released = threading.Event()

    def slow(*_: Any) -> str:
        released.wait(120)
        return "a page nobody waited for"

    monkeypatch.setattr(artifacts, "page", slow)
    monkeypatch.setattr(artifacts, "PATIENCE_SECONDS", 3.0)
    begun = time.monotonic()
    state = seen.run(questions=0)
    assert state.name == "Completed", state.message
    assert time.monotonic() - begun < 45
    made = real_server.artifacts(run_id(state))
    assert "glan-summary" in made and "glan-reasons" in made and "glan-coverage" not in made
    released.set()
    for left in (one for one in threading.enumerate() if one.name == "summary"):
        left.join(30)


def test_a_store_too_large_to_be_read_in_time_costs_the_report_and_nothing_else(
    seen: World, real_server: Seen, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tasks import artifacts

    def endless(view: Any, covered: Any, go_on: Callable[[], None]) -> Any:
        while True:
            go_on()
            time.sleep(0.05)

    monkeypatch.setattr(artifacts, "figures", endless)
    monkeypatch.setattr(artifacts, "READING_SHARE", 0.3)
    state = seen.run(questions=0)
    assert state.name == "Completed", state.message
    made = real_server.artifacts(run_id(state))
    assert {"glan-summary", "glan-coverage", "glan-reasons"} <= made.keys()
    assert "could not be made in time" in made["glan-data"]


def test_what_is_missing_makes_a_run_partially_completed(seen: World, real_server: Seen) -> None:
    refused = Faults(when=lambda payload, nth: "refusal" if "Course:" in payload["messages"][-1]["content"] else None)
    seen.server.faults = refused
    state = seen.run(disciplines=["physics", "economics"], subjects=1)
    assert (state.type.value, state.name) == ("COMPLETED", "PartiallyCompleted")
    assert {run.state_name for run in real_server.children(run_id(state))} == {"PartiallyCompleted"}


def test_a_refused_key_fails_the_run_with_one_sentence_and_few_calls(seen: World, real_server: Seen) -> None:
    seen.server.latency = 0.05
    seen.server.faults = Faults(when=lambda payload, nth: "unauthorized")
    state = seen.run(disciplines=["physics", "economics", "chemistry", "history"], lists=4)
    assert state.is_failed()
    assert "API key" in str(state.message) and "\n" not in str(state.message)
    assert seen.server.count <= 4 * 3
    assert {run.state_name for run in real_server.children(run_id(state))} == {"Failed"}
    eventually(lambda: len(_everything(real_server.home / "prefect.db")) > 0)
    assert KEY not in _everything(real_server.home / "prefect.db")
    assert KEY not in (real_server.home / "log").read_text(errors="replace")
    for path in Path(seen.store_url).rglob("*"):
        assert not path.is_file() or KEY.encode() not in path.read_bytes()


def test_one_failed_unit_does_not_stop_the_rest(
    seen: World, real_server: Seen, monkeypatch: pytest.MonkeyPatch
) -> None:
    from glan.stages import questions

    asked: list[str] = []
    run = questions.run

    def failing_once(unit: Any, recipe: Any, effects: Any) -> Any:
        asked.append(unit.address)
        if unit.address == asked[0]:
            raise ValueError("this unit is cursed")
        return run(unit, recipe, effects)

    monkeypatch.setattr(questions, "run", failing_once)
    state = seen.run(subjects=3)
    assert state.name == "PartiallyCompleted", state.message
    [physics] = real_server.children(run_id(state))
    assert physics.state_name == "PartiallyCompleted"
    failed = [task for task in real_server.task_runs(physics.id, count=10) if task.state_name == "Failed"]
    assert len(failed) == 1
    assert len(seen.load("instructions")) == 6
    assert "cursed" in real_server.artifacts(run_id(state))["glan-reasons"]

    monkeypatch.undo()


def test_weather_that_outlasts_the_patience_shows_as_retrying_and_is_overcome(
    seen: World, real_server: Seen, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tasks import caching

    monkeypatch.setattr(caching, "BACKOFF_SECONDS", 0.1)
    seen.set(GLAN_PATIENCE_SECONDS="0")
    seen.server.faults = Faults(when=lambda payload, nth: "error_503" if seen.server.count < 12 else None)
    state = seen.run(questions=0)
    assert state.name == "Completed", state.message
    [physics] = real_server.children(run_id(state))
    [listing] = [task for task in real_server.task_runs(physics.id, count=3) if task.name == "subjects physics"]
    with get_client(sync_client=True) as client:
        names = [each.name for each in client.read_task_run_states(listing.id)]
    assert "Retrying" in names
    assert names[-1] == "Completed"


def test_cancelling_a_run_without_a_deployment_stops_it(seen: World, real_server: Seen) -> None:
    seen.server.faults = Faults(hang=1.0)  # of every call
    ended: list[State[Any]] = []
    known = {run.id for run in _roots()}
    runner = threading.Thread(target=contextvars.copy_context().run, args=(lambda: ended.append(seen.run()),))
    runner.start()
    seen.server.wait_for_calls(2)
    [mine] = [run for run in _roots() if run.id not in known]
    with get_client(sync_client=True) as client:
        client.set_flow_run_state(mine.id, Cancelling())
    runner.join(30)
    assert [state.name for state in ended] == ["Cancelled"]
    with get_client(sync_client=True) as client:
        assert client.read_flow_run(mine.id).state_name == "Cancelled"
    assert {run.state_name for run in real_server.children(mine.id)} == {"Cancelled"}
    assert seen.server.count == 2


def _roots() -> list[FlowRun]:
    with get_client(sync_client=True) as client:
        return [run for run in client.read_flow_runs(limit=200) if run.parent_task_run_id is None]


def _everything(database: Path) -> str:
    """All text in a database."""
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        return "\n".join(connection.iterdump())
