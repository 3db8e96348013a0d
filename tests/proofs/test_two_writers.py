"""Two runs of the same disciplines at the same time leave what one would."""

import random
from pathlib import Path
from typing import Any

import pytest
from model_server import ModelServer
from proof_checks import check_complete, check_store, tables
from proof_world import LONG_RUN, RUN, SEED, Desk, one_pass

UNSEEDED = {"models": {role: {"send_seed": False} for role in ("subject", "syllabus", "question", "answer")}}
SHARED = {"on_busy": "share"}


def test_two_runs_at_once_make_the_tables_of_one(undisturbed: str, prefect_api: str, tmp_path: Path) -> None:
    with ModelServer(seed=SEED, latency=0.15, latency_sigma=0.5) as server:
        store = _made_by_two(tmp_path, server, RUN, prefect_api)
        assert server.count <= 2 * one_pass(RUN)
        assert len(server.count_by_payload()) == one_pass(RUN)
    assert tables(store) == tables(undisturbed)


@pytest.mark.soak
@pytest.mark.parametrize("store_url", ["local", "s3"], indirect=True)
@pytest.mark.parametrize("killed", [None, "first", "second"])
@pytest.mark.parametrize("share", [0.1, 0.6])
def test_a_second_run_that_comes_in_the_middle_and_one_that_is_killed(
    store_url: str, killed: str | None, share: float, undisturbed: str, prefect_api: str, tmp_path: Path
) -> None:
    chance = random.Random(f"{killed} {share}")
    with ModelServer(seed=SEED, latency=0.3, latency_sigma=0.5) as server:
        desk = Desk(tmp_path / "desk", server, store_url, {**RUN, **SHARED})
        first = desk.start(prefect_api)
        first.wait_for(lambda: server.count >= round(share * one_pass(RUN)))
        second = desk.start(prefect_api)
        running = {"first": first, "second": second}
        if killed:
            after = server.count + chance.randint(0, 20)
            running[killed].wait_for(lambda: server.count >= after)
            running.pop(killed).kill()
        for process in running.values():
            ended = process.end()
            assert (ended.code, ended.quarantined) == (0, 0), ended.error
        assert server.count <= 2 * one_pass(RUN)
        assert len(server.count_by_payload()) == one_pass(RUN)
    assert tables(store_url) == tables(undisturbed)
    check_store(store_url)
    check_complete(store_url, RUN)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(3))
def test_two_runs_that_draw_differently_still_fit_together(seed: int, prefect_api: str, tmp_path: Path) -> None:
    with ModelServer(seed=seed, latency=0.1, latency_sigma=1.0) as server:
        _made_by_two(tmp_path, server, {**LONG_RUN, **UNSEEDED}, prefect_api)


def _made_by_two(folder: Path, server: ModelServer, run: dict[str, Any], prefect_api: str) -> str:
    desk = Desk(folder / "desk", server, str(folder / "store"), {**run, **SHARED})
    running = [desk.start(prefect_api), desk.start(prefect_api)]
    for process in running:
        ended = process.end()
        assert (ended.code, ended.quarantined) == (0, 0), ended
    check_store(desk.store)
    check_complete(desk.store, run)
    return desk.store
