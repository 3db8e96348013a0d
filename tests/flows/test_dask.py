"""The task runner Dask, with real worker processes on this machine: all that holds with threads holds with it."""

import contextvars
import os
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from distributed import Client, LocalCluster
from flow_world import World
from free_ports import free_ports
from model_faults import Faults
from model_server import ModelServer
from prefect import get_client
from prefect.client.schemas.filters import FlowRunFilter
from prefect.client.schemas.objects import State
from proof_checks import check_complete, check_store, paid_twice, tables, unrecorded
from proof_world import CONCURRENCY, RUN, Desk, one_pass
from stage_world import UNJUDGED

from tasks import progress, wiring

TWO = {"disciplines": ["physics", "economics"]}
MANY = {**TWO, "subjects": 4, "questions": 8}
AT_ONCE = 8


@pytest.fixture
def dask(world: World) -> Iterator[World]:
    """An empty store, and runs in two worker processes that leave none behind."""
    world.set(GLAN_TASK_RUNNER="dask", GLAN_DASK_WORKERS="2", GLAN_MAX_CONCURRENCY=str(AT_ONCE))
    before = set(processes())
    yield world
    assert set(processes()) <= before


def processes() -> list[psutil.Process]:
    """The worker processes that this one has started and that are alive, the oldest first."""
    children = psutil.Process().children(recursive=True)
    return [child for child in children if any("spawn_main" in word for word in words(child))]


def words(process: psutil.Process) -> list[str]:
    """Its command line; none of a process that has just ended."""
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:  # a zombie is one, too
        return []


def meanwhile(world: World, calls: int, act: Callable[[], None], **given: Any) -> State[Any]:
    """Run, and do something once so many calls have arrived."""
    ended: list[State[Any]] = []
    run = threading.Thread(
        target=contextvars.copy_context().run, args=(lambda: ended.append(world.run(**given)),), daemon=True
    )
    run.start()
    world.server.wait_for_calls(calls, timeout=60)
    act()
    run.join(120)
    [state] = ended
    return state


def writers(world: World) -> Counter[str]:
    """How many calls each process has made that is on record."""
    return Counter(world.load("calls", columns=["writer"])["writer"])


def task_states(state: State[Any], count: int) -> dict[str, str]:
    """How the units of a run ended, by the names of their tasks, once so many have."""
    deadline = time.monotonic() + 30
    while True:
        with get_client(sync_client=True) as client:
            children = FlowRunFilter.model_validate({"parent_flow_run_id": {"any_": [state.state_details.flow_run_id]}})
            runs = client.read_task_runs(flow_run_filter=children)
        ended = {run.name: run.state_name or "" for run in runs if run.state and run.state.is_final()}
        if len(ended) >= count:
            return ended
        assert time.monotonic() < deadline, ended
        time.sleep(0.2)


@pytest.mark.soak
def test_the_tables_are_those_of_threads_and_what_a_worker_says_is_heard(
    dask: World, made_once: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(progress, "_listeners", [said.append])
    dask.server.faults = Faults(when=lambda payload, nth: "error_503" if dask.server.count < 6 else None)
    first = dask.run()
    assert first.name == "Completed", first.message
    assert tables(dask.store_url) == tables(str(made_once))
    assert any("waiting up to" in line for line in said) and any("answers again" in line for line in said)
    assert len(list(dask.store.files.list("_receipts"))) == 9
    calls = dask.server.count
    assert len(dask.load("calls")) == calls
    assert progress.of(str(first.state_details.flow_run_id)).total().spent.calls == calls

    assert dask.run().name == "Completed"
    assert dask.server.count == calls
    more = dask.run(subjects=3)
    states = task_states(more, count=13)
    assert Counter(states.values()) == {"Cached": 9, "Completed": 4}
    assert {name.split()[0] for name in states} == set(UNJUDGED)


@pytest.mark.soak
def test_a_killed_worker_process_costs_only_the_calls_it_had_not_yet_on_record(dask: World) -> None:
    dask.server.latency = 0.2
    long = {**MANY, "questions": 24}  # so that the process that dies has units of which much is on record
    state = meanwhile(dask, 150, lambda: processes()[0].kill(), **long)
    assert state.name == "Completed", state.message
    check_store(dask.store_url)
    check_complete(dask.store_url, long)
    lost = {call.digest for call in unrecorded(dask.store_url, dask.server.calls)}
    assert paid_twice(dask.server) <= lost


@pytest.mark.soak
def test_a_final_error_in_one_worker_process_ends_the_run_in_all(dask: World) -> None:
    dask.server.latency = 0.2
    refused: list[tuple[int, float]] = []

    def once(payload: dict[str, Any], nth: int) -> str | None:
        """When both are at work, however long the second took to start."""
        count = dask.server.count
        if refused or count < 60 or count % 10 or len(writers(dask)) < 2:
            return None
        refused.append((count, time.monotonic()))
        return "unauthorized"

    dask.server.faults = Faults(when=once)
    state = dask.run(**{**MANY, "questions": 60})
    assert state.is_failed()
    assert "API key" in str(state.message) and "\n" not in str(state.message)
    [(count, moment)] = refused
    assert dask.server.count <= count + 4 * AT_ONCE
    assert time.monotonic() - moment < 15


@pytest.mark.soak
def test_worker_processes_share_a_limited_endpoint(dask: World) -> None:
    dask.server.latency = 0.05
    dask.server.limit = 6
    state = dask.run(**MANY)
    assert state.name == "Completed", state.message
    check_complete(dask.store_url, MANY)
    shares = writers(dask)
    refusals = dask.server.count_by_payload(status=429).total()
    assert len(shares) == 2
    assert min(shares.values()) > 0.2 * sum(shares.values())
    assert refusals <= 60


def test_without_the_extra_nothing_starts(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "prefect_dask", None)
    world.set(GLAN_TASK_RUNNER="dask")
    state = world.run()
    assert state.is_failed()
    assert "GLAN_TASK_RUNNER: dask is not installed; install glan[dask]" in str(state.message)
    assert world.server.count == 0
    assert not Path(world.store_url).exists()


def test_a_scheduler_that_does_not_answer_is_named(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.cluster.ANSWER_SECONDS", 1)
    world.set(GLAN_TASK_RUNNER="dask", GLAN_DASK_ADDRESS=f"tcp://127.0.0.1:{free_ports(1)[0]}")
    state = world.run()
    assert state.is_failed()
    assert "GLAN_DASK_ADDRESS: no Dask scheduler answers at tcp://127.0.0.1" in str(state.message)
    assert world.server.count == 0


@pytest.mark.soak
def test_a_cluster_that_is_running_is_used_by_run_after_run_and_left_as_it_was(world: World) -> None:
    with (
        LocalCluster(n_workers=2, threads_per_worker=4, dashboard_address=None) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        world.set(GLAN_TASK_RUNNER="dask", GLAN_DASK_ADDRESS=cluster.scheduler_address)
        assert world.run(**TWO).name == "Completed"
        assert world.run(**TWO, questions=5).name == "Completed"
        assert len(writers(world)) == 4
        assert [len(left) for left in client.run(lambda: wiring._effects).values()] == [0, 0]
    check_store(world.store_url)
    assert len(world.load("instructions")) == 2 * 2 * 5


@pytest.mark.soak
def test_ctrl_c_ends_all_worker_processes_and_the_next_run_goes_on(server: ModelServer, tmp_path: Path) -> None:
    server.latency = 0.3
    desk = Desk(tmp_path, server, str(tmp_path / "store"), RUN, GLAN_TASK_RUNNER="dask")
    run = desk.start()  # under a temporary Prefect server
    server.wait_for_calls(30, timeout=300)
    family = psutil.Process(run.pid).children(recursive=True)
    os.killpg(run.pid, signal.SIGINT)  # as a terminal does
    assert psutil.wait_procs(family, timeout=30)[1] == []
    ended = run.end()
    assert (ended.code, "Traceback" in ended.error) == (1, False), ended.error
    check_store(desk.store)
    stopped_at, server.latency = server.count, 0.0
    assert desk.run().code == 0
    assert stopped_at < one_pass(RUN) <= server.count <= one_pass(RUN) + 2 * CONCURRENCY
    check_complete(desk.store, RUN)
