"""fan-out, expand, backfill and curate as a team starts them: through the API of a server, on a worker."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from flow_world import SMALL
from model_faults import Faults
from model_server import ModelServer
from prefect.client.schemas.filters import FlowRunFilter
from prefect.client.schemas.objects import FlowRun
from prefect.states import Cancelling
from proof_checks import check_store
from serve_world import Served

import glan

TWO = ["physics", "economics"]
THREE = [*TWO, "law"]
TINY = {**SMALL, "subjects": 1, "questions": 2}
CHILD = {name: value for name, value in TINY.items() if name != "disciplines"}


@pytest.fixture(scope="module")
def model() -> Iterator[ModelServer]:
    with ModelServer(seed=1) as running:
        yield running


@pytest.fixture(scope="module")
def served(model: ModelServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("fan") / "work"
    with Served(folder, model, "--at-once", "4") as running:
        yield running


@pytest.fixture(autouse=True)
def fair_weather(model: ModelServer) -> Iterator[None]:
    yield
    model.faults, model.latency = Faults(), 0.0


def children(served: Served, run: FlowRun, deployment: str = "generate/generate") -> list[FlowRun]:
    """The runs of a deployment that a run has started."""
    wanted = served.client.read_deployment_by_name(deployment).id
    started = served.client.read_flow_runs(
        flow_run_filter=FlowRunFilter.model_validate({"parent_flow_run_id": {"any_": [run.id]}})
    )
    return [one for one in started if one.deployment_id == wanted]


def artifact(served: Served, run: FlowRun, key: str) -> Any:
    found = [one for one in served.client.read_artifacts(limit=200) if one.key == key and one.flow_run_id == run.id]
    return found[-1].data


def rows(served: Served, stage: str = "instructions") -> Any:
    return glan.load(stage, store=str(served.folder / "data"))


@pytest.mark.soak
def test_each_discipline_is_a_run_of_its_own_and_one_that_fails_stops_no_other(
    served: Served, model: ModelServer
) -> None:
    model.faults = Faults(when=lambda payload, nth: "unauthorized" if "Economics" in str(payload["messages"]) else None)
    parent = served.run("fan-out/fan-out", {"config": {"disciplines": TWO, "at_once": 2, "config": CHILD}}, 240)
    assert parent.state_name == "PartiallyCompleted", parent.state
    assert "economics (Failed)" in str(parent.state and parent.state.message)
    runs = {run.name: run.state_name for run in children(served, parent)}
    assert runs == {
        "generate physics": "Completed",
        "generate economics": "Failed",
    }
    assert rows(served).groupby("discipline_id").size().to_dict() == {"physics": 2}
    assert float(artifact(served, parent, "glan-fan-out")) == 100.0
    model.faults = Faults()
    again = served.run("fan-out/fan-out", {"config": {"disciplines": TWO, "config": CHILD}}, 240)
    assert again.state_name == "Completed", again.state
    assert len(rows(served)) == 4
    check_store(str(served.folder / "data"))


@pytest.mark.soak
def test_what_cannot_be_started_is_one_sentence(served: Served) -> None:
    unknown = served.run("fan-out/fan-out", {"config": {"disciplines": ["law"], "deployment": "nobody/knows"}})
    assert unknown.state_name == "Failed"
    assert "no deployment nobody/knows" in str(unknown.state and unknown.state.message)
    wrong = served.run("fan-out/fan-out", {"config": {"disciplines": ["law"], "config": {"qestions": 3}}})
    assert wrong.state_name == "Failed"
    assert "qestions" in str(wrong.state and wrong.state.message)


@pytest.mark.soak
def test_cancelling_the_parent_cancels_the_children_and_keeps_what_is_committed(
    served: Served, model: ModelServer
) -> None:
    model.latency = 1.0
    more = {**CHILD, "subjects": 3, "questions": 12}
    before = model.count
    parent = served.start("fan-out/fan-out", {"config": {"disciplines": THREE, "at_once": 3, "config": more}})
    model.wait_for_calls(before + 8, timeout=120)
    served.client.set_flow_run_state(parent.id, Cancelling())
    ended = served.awaited(parent, lambda now: now.state is not None and now.state.is_final())
    assert ended.state_name == "Cancelled"
    for child in children(served, parent):
        served.awaited(child, lambda now: now.state_name == "Cancelled")
    time.sleep(3)
    calls = model.count
    time.sleep(3)
    assert model.count == calls
    check_store(str(served.folder / "data"))
    model.latency = 0.0
    again = served.run("fan-out/fan-out", {"config": {"disciplines": THREE, "config": more}}, 240)
    assert again.state_name == "Completed", again.state
    assert len(rows(served)) == 3 * 3 * 12
    check_store(str(served.folder / "data"))


@pytest.mark.soak
def test_a_budget_is_dealt_out_among_the_children(served: Served, model: ModelServer) -> None:
    before = model.count
    config = {"disciplines": THREE, "at_once": 1, "budget": {"calls": 9}, "config": {**CHILD, "seed": 7}}
    parent = served.run("fan-out/fan-out", {"config": config}, 240)
    assert parent.state_name == "BudgetSpent", parent.state
    assert 6 <= model.count - before <= 9


@pytest.mark.soak
def test_nights_backfills_and_curation_through_their_forms(served: Served, model: ModelServer) -> None:
    made = served.run("fan-out/fan-out", {"config": {"disciplines": THREE, "config": CHILD}}, 240)
    assert made.state_name == "Completed", made.state
    before = int(rows(served)["kept"].sum())
    target = int(rows(served).query("kept").groupby("discipline_id").size().max()) + 2
    night = served.run("expand/expand-nightly", {"config": {"target": target, "disciplines": ["physics"]}}, 240)
    assert night.state_name == "Completed", night.state
    assert int(rows(served)["kept"].sum()) > before
    assert artifact(served, night, "glan-expansion")
    preview = {"disciplines": ["law"], "stage": "answers", "mode": "refresh", "preview": True}
    calls = model.count
    looked = served.run("backfill/backfill", {"config": preview})
    assert looked.state_name == "Completed", looked.state
    assert "answers" in str(artifact(served, looked, "glan-forecast"))
    assert model.count == calls
    redone = served.run("backfill/backfill", {"config": {**preview, "preview": False}}, 240)
    assert redone.state_name == "Completed", redone.state
    assert set(rows(served, "answers").query("discipline_id == 'law'")["edition"]) == {1}
    strict = {"curation": {"min_question_words": 400}}
    assert served.run("curate/curate", {"config": strict}, 240).state_name == "Completed"
    assert not rows(served)["kept"].any()
    check_store(str(served.folder / "data"))
