"""Two runs of the same disciplines at the same time leave what one would."""

from pathlib import Path
from typing import Any

import pytest
from model_server import ModelServer
from proof_checks import check_complete, check_store, tables
from proof_world import LONG_RUN, RUN, SEED, Desk, Process, one_pass

UNSEEDED = {"models": {role: {"send_seed": False} for role in ("subject", "syllabus", "question", "answer")}}


def test_two_runs_at_once_make_the_tables_of_one(undisturbed: str, prefect_api: str, tmp_path: Path) -> None:
    with ModelServer(seed=SEED, latency=0.15, latency_sigma=0.5) as server:
        store = _made_by_two(tmp_path, server, RUN, prefect_api)
        assert server.count <= 2 * one_pass(RUN)
        assert len(server.count_by_payload()) == one_pass(RUN)
    assert tables(store) == tables(undisturbed)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(3))
def test_two_runs_that_draw_differently_still_fit_together(seed: int, prefect_api: str, tmp_path: Path) -> None:
    with ModelServer(seed=seed, latency=0.1, latency_sigma=1.0) as server:
        _made_by_two(tmp_path, server, {**LONG_RUN, **UNSEEDED}, prefect_api)


def _made_by_two(folder: Path, server: ModelServer, run: dict[str, Any], prefect_api: str) -> str:
    desk = Desk(folder / "desk", server, str(folder / "store"), {**run, "on_busy": "share"})
    running: list[Process] = [desk.start(prefect_api), desk.start(prefect_api)]
    for process in running:
        ended = process.end()
        assert (ended.code, ended.quarantined) == (0, 0), ended
    check_store(desk.store)
    check_complete(desk.store, run)
    return desk.store
