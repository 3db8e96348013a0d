"""A run that is going obeys: cancelled with its parent, paused, slowed down, and ended when nobody is left to obey."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flow_world import World, config, environment
from model_faults import Faults
from model_server import ModelServer
from prefect import flow, get_client
from prefect.client.schemas.objects import FlowRun, State
from prefect.deployments import run_deployment
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect_world import PrefectServer, Started, cancel, eventually, newest, run_of, running_server, served
from typer.testing import CliRunner

from flows.cli import app
from flows.generate import generate
from tasks import controls, progress

SOON = 20.0
"""Seconds: some for the watch to notice, some for Prefect to write down the end, on a busy machine."""

HANGING = Faults(hang=1.0)


@pytest.fixture(scope="module")
def prefect(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrefectServer]:
    with running_server(tmp_path_factory.mktemp("prefect")) as server:
        yield server


@pytest.fixture
def world(prefect: PrefectServer, server: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.chdir(tmp_path)
    for name in (controls.LIMIT, controls.PAUSED):
        controls.Variable.unset(name)
    return World(server, str(tmp_path / "store"), monkeypatch)


def test_a_run_stops_soon_when_the_run_that_started_it_is_cancelled(world: World) -> None:
    world.server.faults = HANGING

    @flow(name="parent")
    def parent() -> State[Any]:
        return world.run()

    whole = Started(lambda: parent(return_state=True))
    world.server.wait_for_calls(2)
    cancel(newest("parent").id)
    whole.state(within=SOON)
    assert newest("generate").state_name == "Cancelled"
    assert newest("discipline").state_name == "Cancelled"
    assert world.server.count == 2


def test_a_run_that_waits_for_its_endpoint_before_it_pays_stops_soon(world: World) -> None:
    world.set(OPENAI_BASE_URL="http://127.0.0.2:9/v1")  # nobody is there; not taken for a server of this machine's own
    run = Started(world.run)
    eventually(lambda: bool(world.store.files.list("_runs")), seconds=60)
    time.sleep(2)
    cancel(newest("generate").id)
    assert run.state(within=SOON).name == "Cancelled"


def test_a_unit_that_waits_before_another_try_does_not_delay_a_stop(world: World) -> None:
    world.set(GLAN_PATIENCE_SECONDS="0")
    world.server.faults = Faults(error_503=1.0)
    run = Started(world.run)
    eventually(lambda: "Retrying" in task_states(newest("discipline")), seconds=60)
    cancel(newest("generate").id)
    began = time.monotonic()
    assert run.state(within=SOON).name == "Cancelled"
    assert time.monotonic() - began < SOON


def task_states(run: FlowRun) -> set[str | None]:
    from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId

    with get_client(sync_client=True) as client:
        found = client.read_task_runs(flow_run_filter=FlowRunFilter(id=FlowRunFilterId(any_=[run.id])))
    return {task.state_name for task in found}


def test_a_run_is_paused_and_slowed_down_while_it_goes_and_says_so(world: World) -> None:
    said: list[str] = []
    progress.listen(said.append)
    world.server.latency = 0.4
    world.set(GLAN_MAX_CONCURRENCY="8")
    run = Started(lambda: world.run(subjects=4, questions=100))
    world.server.wait_for_calls(20)
    glan("pause")
    eventually(lambda: any(line.startswith("paused") for line in said))
    eventually(lambda: world.server.in_flight == 0)
    before = world.server.count
    time.sleep(4)
    assert world.server.count == before

    glan("limit", "2")
    eventually(lambda: "at most 2 calls at once from now on" in said)
    world.server.in_flight_max = 0
    glan("resume")
    world.server.wait_for_calls(before + 6)
    assert world.server.in_flight_max <= 2

    glan("limit")
    controls.Variable.set(controls.PAUSED, "perhaps", overwrite=True)
    eventually(lambda: "at most 8 calls at once from now on" in said)
    eventually(lambda: any("glan_paused must be true or false" in line for line in said))
    world.server.latency = 0.0
    assert run.state(within=120).name == "Completed"
    assert len(said) == len(set(said))


def glan(*words: str) -> None:
    assert CliRunner().invoke(app, words).exit_code == 0


@pytest.mark.parametrize("command", [["pause"], ["resume"], ["limit", "3"]])
def test_a_control_without_a_lasting_server_is_bad_input(command: list[str]) -> None:
    with temporary_settings(restore_defaults={PREFECT_API_URL}):
        told = CliRunner().invoke(app, command)
    assert told.exit_code == 2
    assert "PREFECT_API_URL is not set" in " ".join(told.stderr.split())


@pytest.mark.usefixtures("world")
def test_a_limit_out_of_range_is_bad_input() -> None:
    told = CliRunner().invoke(app, ["limit", "0"])
    assert (told.exit_code, controls.Variable.get(controls.LIMIT)) == (2, None)


@pytest.mark.soak
def test_runs_of_a_deployment_end_when_cancelled_with_their_parent_or_without_their_keeper(
    world: World, prefect: PrefectServer, tmp_path: Path
) -> None:
    world.server.latency = 0.3
    plenty = config(subjects=4, questions=100)
    parameters = {"config": plenty.model_dump(mode="json")}
    here = {**environment(world.server, world.store_url), "GLAN_MAX_CONCURRENCY": "8"}
    with served(prefect, tmp_path, **here) as keeper:
        mine = run_deployment("generate/test", parameters=parameters, timeout=0)
        world.server.wait_for_calls(30, timeout=120)
        cancel(mine.id)
        eventually(lambda: run_of(mine.id).state_name == "Cancelled", seconds=60)
        assert quiet(world.server, seconds=5)
        first = world.server.count

        @flow(name="parent")
        def parent() -> None:
            run_deployment("generate/test", parameters=parameters, timeout=0)
            eventually(lambda: "Cancel" in str(run_of(newest("parent").id).state_name), seconds=120)

        whole = Started(lambda: parent(return_state=True))
        world.server.wait_for_calls(first + 10, timeout=120)
        child = newest("generate")
        cancel(newest("parent").id)
        whole.state(within=SOON)
        eventually(lambda: run_of(child.id).state_name == "Cancelled", seconds=60)
        assert quiet(world.server, seconds=5)
        second = world.server.count

        lost = run_deployment("generate/test", parameters=parameters, timeout=0)
        world.server.wait_for_calls(second + 10, timeout=120)
        os.kill(keeper.pid, signal.SIGKILL)
        eventually(lambda: run_of(lost.id).state_name == "Crashed", seconds=60)
        assert "is gone" in str(run_of(lost.id).state.message)
        assert quiet(world.server, seconds=5)
    world.server.latency = 0.0
    state = generate(plenty, return_state=True)
    assert state.name == "Completed"
    understood = world.load("calls").query("understood")
    assert understood["request_key"].is_unique


def quiet(server: ModelServer, seconds: float) -> bool:
    """Whether no call arrives any more."""
    before = server.count
    time.sleep(seconds)
    return server.count == before
