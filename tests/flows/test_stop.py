"""Ctrl-C and SIGTERM to a run in a process of its own: it ends soon, and the next run goes on from there."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from flow_world import environment
from model_server import ModelServer
from prefect.settings import PREFECT_API_URL
from prefect_homes import prefect_home
from prefect_world import PrefectServer

import glan
from flows.server import SECONDS_TO_END

AT_ONCE = 4
WHOLE = 2 * 2 + 2 * (2 + 12 + 12)
"""Calls of one pass."""


def start(server: ModelServer, folder: Path, **prefect: str) -> "subprocess.Popen[bytes]":
    """`glan run` in a process of its own."""
    settings = {**environment(server, str(folder / "store")), "GLAN_MAX_CONCURRENCY": str(AT_ONCE)}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    options = ["--discipline", "physics", "--subjects", "2", "--questions", "12", "--lists", "2", "--json"]
    command = [str(Path(sys.executable).with_name("glan")), "run", *options]
    home = {"PREFECT_HOME": str(prefect_home(folder / "prefect"))}
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(
            command,
            cwd=folder,
            env={**kept, **settings, **home, **prefect},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def stopped(run: "subprocess.Popen[bytes]", server: ModelServer, calls: int, how: signal.Signals) -> int:
    """Stop a run once so many calls have arrived in all; its exit code, which has to come soon."""
    server.wait_for_calls(calls, timeout=120)
    os.killpg(run.pid, how)  # as a terminal does, and as services and jobs are stopped
    return run.wait(20)


@pytest.mark.soak
def test_a_stopped_run_ends_soon_and_the_next_goes_on_from_it(
    server: ModelServer, prefect_server: None, tmp_path: Path
) -> None:
    store = str(tmp_path / "store")
    known = {"PREFECT_API_URL": str(PREFECT_API_URL.value())}
    server.latency = 0.3

    assert stopped(start(server, tmp_path), server, 16, signal.SIGINT) == 1  # under a temporary server
    assert len(glan.load("subjects", store=store)) > 0
    first = committed(tmp_path)
    assert stopped(start(server, tmp_path), server, 26, signal.SIGTERM) not in (0, 1, 2)
    assert stopped(start(server, tmp_path, **known), server, 36, signal.SIGTERM) not in (0, 1, 2)
    assert server.count < WHOLE
    second = committed(tmp_path)
    assert first.items() < second.items()
    server.latency = 0.0
    assert start(server, tmp_path, **known).wait(240) == 0, (tmp_path / "log").read_text()

    assert second.items() < committed(tmp_path).items()
    assert len(glan.load("instructions", store=store)) == 24
    assert WHOLE <= server.count <= WHOLE + 3 * AT_ONCE
    understood = glan.load("calls", store=store).query("understood")
    assert len(understood) == WHOLE
    assert understood["request_key"].is_unique
    assert "Traceback" not in (tmp_path / "log").read_text()


@pytest.mark.soak
def test_a_run_that_is_stopped_ends_soon_though_its_prefect_server_is_gone(server: ModelServer, tmp_path: Path) -> None:
    (tmp_path / "server").mkdir()
    prefect = PrefectServer(tmp_path / "server")
    prefect.start()
    try:
        server.latency = 0.3
        run = start(server, tmp_path, PREFECT_API_URL=prefect.url)
        server.wait_for_calls(16, timeout=120)
    finally:
        prefect.kill()
    run.terminate()
    assert run.wait(SECONDS_TO_END + 10) == 128 + signal.SIGTERM
    asked = server.count
    understood = glan.load("calls", store=str(tmp_path / "store")).query("understood")
    assert len(understood) >= asked - AT_ONCE


def committed(folder: Path) -> dict[Path, bytes]:
    """Every object of a stage and of the call log, with its bytes."""
    return {path: path.read_bytes() for path in (folder / "store").rglob("disc=*/*.parquet")}
