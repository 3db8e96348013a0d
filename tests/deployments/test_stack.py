"""The stack of docker-compose.yml, run as plain processes: deployments started on it, and its worker stopped and killed."""

import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import httpx
import pytest
from flow_world import KEY, SMALL
from model_faults import Faults
from model_server import ModelServer
from prefect import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterParentFlowRunId
from prefect.client.schemas.objects import FlowRun
from prefect.deployments import run_deployment
from stack_world import Stack

import glan
from glan.units import OPTIONAL, STAGES

HEARTBEAT_SECONDS = 30
"""The shortest that Prefect takes."""

AFTER_SUBJECTS = [stage for stage in STAGES[1:] if stage not in OPTIONAL]
"""Subjects are listed whole, whatever a run takes of them."""

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def server() -> Iterator[ModelServer]:
    with ModelServer(seed=1) as running:
        yield running


@pytest.fixture(scope="module")
def running(server: ModelServer) -> Iterator[Stack]:
    """The whole stack, pointed at the model server, and this process at its API."""
    variables = {"OPENAI_BASE_URL": server.base_url, "OPENAI_API_KEY": KEY, "GLAN_MODEL": "teacher"}
    with Stack(variables, PREFECT_FLOWS_HEARTBEAT_FREQUENCY=str(HEARTBEAT_SECONDS)) as stack, stack.api():
        yield stack


@pytest.fixture
def stack(running: Stack, server: ModelServer, monkeypatch: pytest.MonkeyPatch) -> Stack:
    """The stack, its store reachable from this process, and an endpoint without faults."""
    for name, value in running.environment("bucket").items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)
    server.faults = Faults()
    return running


def store_of(stack: Stack) -> str:
    return stack.environment("worker")["GLAN_STORE"]


def start(deployment: str, **config: Any) -> FlowRun:
    """As the UI starts a run: it goes to whichever worker is free."""
    return run_deployment(deployment, parameters={"config": config}, timeout=0, as_subflow=False)


def seen(run_id: UUID) -> FlowRun:
    with get_client(sync_client=True) as client:
        return client.read_flow_run(run_id)


def end_of(run: FlowRun, seconds: float = 300) -> FlowRun:
    eventually(lambda: (state := seen(run.id).state) is not None and state.is_final(), seconds)
    return seen(run.id)


def eventually(true: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(1)


def rows(stack: Stack, stage: str, discipline_id: str) -> int:
    return len(glan.load(stage, store=store_of(stack), disciplines=[discipline_id]))


def test_the_api_takes_no_call_without_the_password(stack: Stack) -> None:
    assert httpx.post(f"{stack.api_url}/flow_runs/filter", json={}).status_code == 401
    assert httpx.get(f"{stack.api_url}/ready").status_code == 200


def test_generate_makes_its_rows_in_the_store_of_the_stack(stack: Stack) -> None:
    ended = end_of(start("generate/generate", **SMALL))
    assert ended.state_name == "Completed", stack.log("worker")
    assert [rows(stack, stage, "physics") for stage in AFTER_SUBJECTS] == [2, 6, 6, 6]
    assert KEY not in stack.log("worker")


def test_fan_out_runs_one_deployment_for_each_discipline(stack: Stack) -> None:
    common = {name: value for name, value in SMALL.items() if name != "disciplines"}
    run = start("fan-out/fan-out", disciplines=["economics", "law"], at_once=2, config=common)
    ended = end_of(run, 600)
    assert ended.state_name == "Completed", (ended.state, stack.log("worker"))
    with get_client(sync_client=True) as client:
        children = client.read_flow_runs(
            flow_run_filter=FlowRunFilter(parent_flow_run_id=FlowRunFilterParentFlowRunId(any_=[run.id]))
        )
    assert {child.state_name for child in children} <= {"Completed"}
    assert [rows(stack, "instructions", name) for name in ("economics", "law")] == [6, 6]


def test_a_worker_that_is_stopped_ends_its_run_first(stack: Stack, server: ModelServer) -> None:
    server.faults = Faults(hang=1.0)
    before = server.count
    run = start("generate/generate", **SMALL | {"disciplines": ["history"]})
    server.wait_for_calls(before + 1, timeout=120)
    assert stack.stop("worker") < 90
    assert seen(run.id).state_name == "Cancelled"
    stack.start("worker")
    stack.await_health("worker")


def test_a_worker_that_is_killed_shows_its_run_as_crashed_and_the_next_carries_on(
    stack: Stack, server: ModelServer
) -> None:
    wanted = SMALL | {"disciplines": ["chemistry"], "questions": 20}
    server.latency = 1.0
    before = server.count
    run = start("generate/generate", **wanted)
    server.wait_for_calls(before + 15, timeout=120)
    stack.kill("worker")
    server.latency = 0.0
    stack.start("worker")
    stack.await_health("worker")
    eventually(lambda: seen(run.id).state_name == "Crashed", 3 * HEARTBEAT_SECONDS + 180)
    asked_before = server.count - before
    ended = end_of(start("generate/generate", **wanted))
    assert ended.state_name == "Completed", stack.log("worker")
    assert [rows(stack, stage, "chemistry") for stage in AFTER_SUBJECTS] == [2, 40, 40, 40]
    one_pass = 2 * wanted["lists"] + 2 * 2 + 2 * 40
    assert server.count - before < asked_before + one_pass
