"""The Prefect server dies in the middle of a run and comes back: no work is lost, and nothing is paid for twice."""

import threading
import time
from pathlib import Path
from typing import Any

import pytest
from flow_world import World
from model_server import ModelServer
from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed
from prefect_world import Started, newest, run_of, running_server
from proof_checks import paid_twice

from flows.endings import told

PLENTY = {"disciplines": ["physics", "economics", "chemistry", "law"], "subjects": 3, "questions": 12}


@pytest.mark.soak
@pytest.mark.parametrize("seconds_away", [5.0, 40.0, 120.0])
def test_a_run_outlives_its_prefect_server(
    seconds_away: float, server: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    home = tmp_path / "prefect"
    home.mkdir()
    with running_server(home) as prefect:
        world = World(server, str(tmp_path / "store"), monkeypatch)
        world.set(GLAN_MAX_CONCURRENCY="8")
        server.latency = 0.5
        run = Started(lambda: world.run(**PLENTY))
        server.wait_for_calls(40, timeout=60)
        prefect.kill()
        time.sleep(seconds_away)
        prefect.start()
        state = run.state(within=240)
        assert state.name == "Completed", state.message
        assert run_of(newest("generate").id).state_name == "Completed"
        assert not paid_twice(server)
        assert len(world.load("instructions")) == 4 * 3 * 12
        before = server.count
        assert world.run(**PLENTY).name == "Completed"
        assert server.count == before


@pytest.mark.soak
def test_a_run_that_is_done_while_its_prefect_server_is_away_is_not_called_failed(tmp_path: Path) -> None:
    home = tmp_path / "prefect"
    home.mkdir()
    with running_server(home) as prefect:

        @flow(name="done")
        @told
        def done() -> State[Any]:
            prefect.kill()
            threading.Timer(100, prefect.start).start()
            return Completed(message="all is there")

        assert done(return_state=True).name == "Completed"
        assert newest("done").state_name == "Completed"
