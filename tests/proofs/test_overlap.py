"""Jobs that overlap on one store: nights, a backfill during a night, one run that waits for another."""

from pathlib import Path

import pandas as pd
import pytest
from flow_world import copied
from model_server import ModelServer
from proof_checks import check_complete, check_store, paid_twice
from proof_world import RUN, SEED, Desk, one_pass

import glan

NIGHT = ("expand", "RUN.toml", "--target", "24", "--discipline", "physics", "--discipline", "economics")
REFRESH = ("backfill", "RUN.toml", "--mode", "refresh", "--stage", "answers", "--discipline", "physics")


@pytest.mark.soak
def test_a_second_run_waits_for_the_first_and_then_has_nothing_to_do(prefect_api: str, tmp_path: Path) -> None:
    with ModelServer(seed=SEED, latency=0.15) as server:
        desk = Desk(tmp_path, server, str(tmp_path / "store"), RUN)
        running = [desk.start(prefect_api), desk.start(prefect_api)]
        assert [process.end().code for process in running] == [0, 0]
        assert server.count == one_pass(RUN)
    check_store(desk.store)
    check_complete(desk.store, RUN)


@pytest.mark.soak
@pytest.mark.parametrize("on_busy", ["wait", "skip", "share"])
def test_overlapping_nights_and_a_backfill_add_up(
    undisturbed: str, prefect_api: str, tmp_path: Path, on_busy: str
) -> None:
    store = copied(Path(undisturbed), tmp_path / "store")
    before = glan.load("questions", store=store)
    with ModelServer(seed=SEED, latency=0.1) as server:
        desk = Desk(tmp_path / "desk", server, store, RUN)
        running = [
            desk.start(prefect_api, *NIGHT, "--on-busy", on_busy),
            desk.start(prefect_api, *NIGHT, "--on-busy", on_busy),
            desk.start(prefect_api, *REFRESH),
        ]
        codes = [process.end().code for process in running]
        assert codes[2] == 0
        assert set(codes[:2]) <= ({0, 1} if on_busy == "skip" else {0})  # skipping is told as unfinished
        if on_busy == "wait":
            assert not paid_twice(server)
    check_store(store)
    questions, instructions = glan.load("questions", store=store), glan.load("instructions", store=store)
    assert set(before["question_id"]) <= set(questions["question_id"])
    assert len(instructions) == len(glan.load("answers", store=store)) == len(questions)
    assert _reached(instructions)["physics"] >= 24 or on_busy == "skip"
    sets = [(row["syllabus_id"], *sorted(row["key_concepts"])) for row in questions.to_dict("records")]
    assert len(set(sets)) == len(sets)
    answers = glan.load("answers", store=store, disciplines=["physics"])
    assert 1 in set(answers["edition"])


def _reached(instructions: pd.DataFrame) -> dict[str, int]:
    counts: dict[str, int] = instructions[instructions["kept"]].groupby("discipline_id").size().to_dict()
    return counts
