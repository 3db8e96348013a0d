"""The main job end to end, over real HTTP, on a folder and on S3."""

import itertools
import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
from flow_world import MADE_BY_A_MODEL, World, asks_for
from model_faults import Faults
from stage_world import UNJUDGED

from glan.prompts import Prompt
from glan.records import READ_BY_LATER_STAGES
from glan.store import snapshots
from tasks import progress

TWO = {"disciplines": ["physics", "economics"]}


@pytest.mark.parametrize("store_url", ["local", pytest.param("s3", marks=pytest.mark.soak)], indirect=True)
def test_the_whole_path_runs_once_and_a_second_run_asks_nothing_and_starts_nothing(
    world_anywhere: World, started: list[str]
) -> None:
    world = world_anywhere
    first = world.run(**TWO)
    assert first.name == "Completed", first.message
    # Two lists of two steps for each discipline; of two subjects each two steps, three questions, three answers.
    assert world.server.count == 2 * (2 * 2 + 2 * (2 + 3 + 3))
    assert Counter(re.split("[ -]", name)[0] for name in started) == {
        "subjects": 2, "syllabi": 4, "questions": 4, "answers": 4, "instructions": 4, "curate": 1,
    }  # fmt: skip
    for discipline_id in TWO["disciplines"]:
        assert_nothing_is_missing(world, discipline_id, subjects=2, questions=3)
    assert_rows_lead_back_to_their_calls(world)
    assert_prompts_can_be_rendered_again(world)
    tables, objects = world.tables(), {stage: world.objects(stage) for stage in UNJUDGED}
    calls = world.server.count
    started.clear()

    second = world.run(**TWO)

    assert second.name == "Completed", second.message
    assert world.server.count == calls
    assert started == []
    assert objects == {stage: world.objects(stage) for stage in UNJUDGED}
    for stage in UNJUDGED:
        pd.testing.assert_frame_equal(tables[stage], world.load(stage))


@pytest.mark.parametrize("store_url", ["local", pytest.param("s3", marks=pytest.mark.soak)], indirect=True)
def test_what_cannot_be_made_is_in_quarantine_with_its_reason_and_is_not_asked_again(world_anywhere: World) -> None:
    world = world_anywhere
    world.server.faults = Faults(when=hopeless)

    first = world.run(subjects=3, questions=6)

    assert first.type.value == "COMPLETED"
    assert first.name == "PartiallyCompleted"
    for stage in MADE_BY_A_MODEL:
        planned, committed, quarantined = world.figures(stage)
        assert planned == committed + quarantined, stage
        assert len(world.load(stage)) == committed
    assert world.figures("syllabi")[0] == 3
    assert world.figures("questions")[0] == world.figures("syllabi")[1] * 6
    assert world.figures("answers")[0] == world.figures("questions")[1]
    assert len(world.load("instructions")) == world.figures("answers")[1] > 0  # downstream went on
    missing = world.load("quarantine")
    assert len(missing) == sum(world.figures(stage)[2] for stage in MADE_BY_A_MODEL)
    kinds = {stage: set(rows["error_kind"]) for stage, rows in missing.groupby("stage")}
    assert kinds == {"questions": {"refused", "empty"}, "answers": {"truncated"}}
    assert (missing["message"] != "").all()
    assert (missing["attempts"] >= 1).all()
    calls = world.server.count

    world.run(subjects=3, questions=6)

    assert world.server.count == calls


def test_a_list_that_is_never_understood_leaves_the_others_and_a_quarantined_row(world: World) -> None:
    lost: list[Any] = []

    def one_list_is_wrong(payload: dict[str, Any], nth: int) -> str | None:
        if asks_for(payload) != "subjects":
            return None
        lost[:] = lost or [payload["messages"][2]]
        return "wrong_schema" if payload["messages"][2] == lost[0] else None

    world.server.faults = Faults(when=one_list_is_wrong)
    state = world.run(questions=0)
    assert state.name == "PartiallyCompleted", state.message
    planned, committed, quarantined = world.figures("subjects")
    assert (planned, quarantined) == (committed + 1, 1)
    assert set(world.load("subjects")["lists_found_in"]) == {1}
    assert world.figures("syllabi") == (2, 2, 0)


def test_weather_and_bad_replies_cost_calls_and_no_rows(world: World) -> None:
    world.server.faults = Faults(
        rate_limit=0.05, error_500=0.05, error_503=0.05, drop_before=0.05, drop_inside=0.05, empty=0.05
    )
    state = world.run()
    assert state.name == "Completed", state.message
    assert_nothing_is_missing(world, "physics", subjects=2, questions=3)
    calls = world.load("calls")
    assert len(calls) == world.server.count
    assert calls["understood"].sum() == 20 < len(calls)
    spent = progress.of(str(state.state_details.flow_run_id)).total().spent
    assert (spent.calls, spent.understood) == (len(calls), 20)
    assert (spent.prompt_tokens, spent.completion_tokens) == (
        calls["prompt_tokens"].sum(),
        calls["completion_tokens"].sum(),
    )


def test_every_snapshot_holds_together(made: World) -> None:
    made.run(questions=5)
    made.run(disciplines=["economics"])
    latest = snapshots.latest(made.store.files)
    assert latest is not None
    for number in range(1, latest.number + 1):
        assert_parents_exist(made, number)


def test_a_discipline_that_is_not_in_the_taxonomy_ends_the_run_before_anything_is_asked(world: World) -> None:
    state = world.run(disciplines=["phlogistics"])
    assert state.is_failed()
    assert "phlogistics" in str(state.message)
    assert world.server.count == 0


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the task runs that begin from now on, in any thread."""
    from prefect.task_engine import SyncTaskRunEngine

    names: list[str] = []
    begin: Callable[..., Any] = SyncTaskRunEngine.begin_run

    def noting(engine: Any) -> Any:
        names.append(engine.task_run.name)
        return begin(engine)

    monkeypatch.setattr(SyncTaskRunEngine, "begin_run", noting)
    return names


def hopeless(payload: dict[str, Any], nth: int) -> str | None:
    """Some questions are always refused or empty, some answers always cut; decided by the seed, so for good."""
    lot = payload["seed"] % 4
    if asks_for(payload) == "question":
        return {0: "refusal", 1: "empty"}.get(lot)
    return "length" if asks_for(payload) == "answer" and lot < 2 else None


def assert_nothing_is_missing(world: World, discipline_id: str, subjects: int, questions: int) -> None:
    planned = {stage: world.figures(stage, discipline_id) for stage in UNJUDGED}
    assert planned["syllabi"] == (subjects, subjects, 0)
    rows = subjects * questions
    assert planned["questions"] == planned["answers"] == planned["instructions"] == (rows, rows, 0)
    assert planned["subjects"][0] == planned["subjects"][1] >= subjects
    for stage in UNJUDGED:
        assert len(world.load(stage, disciplines=[discipline_id])) == planned[stage][1]


def assert_rows_lead_back_to_their_calls(world: World) -> None:
    calls = world.load("calls")
    understood = set(calls[calls["understood"]]["request_key"])
    for stage in UNJUDGED:
        for keys in world.load(stage)["request_keys"]:
            assert len(keys) > 0
            assert set(keys) <= understood
    assert_parents_exist(world, snapshot="latest")
    assert set(world.load("answers")["question_id"]) == set(world.load("instructions")["question_id"])
    config_digests = {path.rpartition("/")[2].removesuffix(".json") for path in world.objects("_inputs/config")}
    assert len(config_digests) == 2  # as it was given, and with every model named


def assert_parents_exist(world: World, snapshot: Any) -> None:
    ids = {"syllabi": "subject_id", "questions": "syllabus_id", "answers": "question_id", "instructions": "question_id"}
    tables = {stage: world.load(stage, snapshot=snapshot) for stage in UNJUDGED}
    for above, stage in itertools.pairwise(UNJUDGED):
        assert set(tables[stage][ids[stage]]) <= set(tables[above][ids[stage]]), (snapshot, stage)


def assert_prompts_can_be_rendered_again(world: World) -> None:
    """The answer's prompt, by its digest, from what the store holds: what the model server got is what comes out."""
    sent = [call.payload["messages"] for call in world.server.calls if asks_for(call.payload) == "answer"]
    questions = world.load("questions").set_index("question_id")["text"]
    kept = world.objects("_inputs/prompts")
    for _, row in world.load("answers").iterrows():
        text = kept[f"_inputs/prompts/{row['prompt_digest']}.md"].decode()
        prompt = Prompt.parse(row["prompt_name"], text, "kept")
        assert prompt.stamp.digest == row["prompt_digest"]
        assert prompt.render({"question": questions[row["question_id"]]}) in sent
    for stage in MADE_BY_A_MODEL:
        assert {f"_inputs/prompts/{digest}.md" for digest in world.load(stage)["prompt_digest"]} <= kept.keys()
        assert set(READ_BY_LATER_STAGES[stage]) <= set(world.load(stage).columns)
