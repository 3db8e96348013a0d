"""Ctrl-C and SIGTERM to a run in a process of its own: it ends soon, and the next run goes on from there."""

import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from flow_world import environment
from model_server import ModelServer

import glan

AT_ONCE = 4
WHOLE = 2 * 2 + 2 * (2 + 12 + 12)
"""Calls of one pass."""


def start(server: ModelServer, folder: Path) -> "subprocess.Popen[bytes]":
    """`glan run` in a process of its own, with a temporary Prefect server."""
    settings = {**environment(server, str(folder / "store")), "GLAN_MAX_CONCURRENCY": str(AT_ONCE)}
    home = {"PREFECT_HOME": str(folder / "prefect")}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    options = ["--discipline", "physics", "--subjects", "2", "--questions", "12", "--lists", "2", "--json"]
    command = [str(Path(sys.executable).with_name("glan")), "run", *options]
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(command, cwd=folder, env={**kept, **settings, **home}, stdout=log, stderr=log)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_run_ends_soon_and_the_next_goes_on_from_it(
    server: ModelServer, tmp_path: Path, how: signal.Signals
) -> None:
    server.latency = 0.3
    stopped = start(server, tmp_path)
    server.wait_for_calls(30, timeout=120)
    stopped.send_signal(how)
    code = stopped.wait(20)
    log = (tmp_path / "log").read_text()
    assert code == 1 if how is signal.SIGINT else code not in (0, 1, 2), log
    assert "Traceback" not in log
    calls = server.count
    assert calls < WHOLE
    store = str(tmp_path / "store")
    committed = {path: path.read_bytes() for path in (tmp_path / "store").rglob("disc=*/*.parquet")}
    assert len(glan.load("syllabi", store=store)) == 2  # what was committed can be read

    server.latency = 0.0
    assert start(server, tmp_path).wait(120) == 0, (tmp_path / "log").read_text()

    assert len(glan.load("instructions", store=store)) == 24
    assert WHOLE <= server.count <= WHOLE + AT_ONCE
    for path, body in committed.items():
        assert path.read_bytes() == body
    understood = glan.load("calls", store=store).query("understood")
    assert Counter(understood["request_key"]).most_common(1)[0][1] == 1
