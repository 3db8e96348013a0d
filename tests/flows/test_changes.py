"""What changes makes anew: exactly what rests on the change, and nothing that is paid for already."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from flow_world import World, replaced_prompt
from model_faults import Faults
from model_server import ModelServer, payload_digest
from stage_world import UNJUDGED

from glan.units import Stage

ADDED = "Take care."


def test_more_questions_ask_only_for_the_further_range(made: World) -> None:
    before = {stage: made.objects(stage) for stage in UNJUDGED}
    assert made.asked(questions=5) == {"questions": 4, "answers": 4}
    for stage in UNJUDGED:
        assert before[stage].items() <= made.objects(stage).items()
    assert sorted(made.load("questions")["sample_index"]) == sorted([0, 1, 2, 3, 4] * 2)
    spans = {unit.unit.rpartition(".")[2] for unit in made.receipts("questions")}
    assert spans == {"000000-000003", "000003-000005"}


def test_fewer_questions_or_subjects_remove_nothing_and_ask_nothing(made: World) -> None:
    before = made.tables()
    assert made.sent(questions=1) == 0
    assert made.sent(subjects=1) == 0
    for stage in UNJUDGED:
        pd.testing.assert_frame_equal(before[stage], made.load(stage))


def test_a_higher_limit_of_subjects_makes_the_further_subjects_alone(made: World) -> None:
    before = {stage: made.objects(stage) for stage in UNJUDGED}
    assert made.asked(subjects=3) == {"syllabi": 2, "questions": 3, "answers": 3}
    for stage in UNJUDGED:
        assert before[stage].items() <= made.objects(stage).items()


@pytest.mark.parametrize(
    ("prompt", "asked"),
    [
        ("answer", {"answers": 6}),
        ("question", {"questions": 6, "answers": 6}),
        ("question_batch", {}),  # not used by this run
    ],
)
def test_a_changed_prompt_makes_its_stage_anew_and_those_below(
    made: World, tmp_path: Path, prompt: str, asked: dict[str, int]
) -> None:
    before = {stage: made.objects(stage) for stage in UNJUDGED}
    made.set(GLAN_PROMPTS=str(replaced_prompt(tmp_path / "prompts", prompt, ADDED)))
    assert made.asked() == asked
    for stage in UNJUDGED:
        changed = made.objects(stage) != before[stage]
        assert changed == (stage in asked or (stage == "instructions" and bool(asked))), stage
        assert before[stage].items() <= made.objects(stage).items()  # nothing is overwritten
    for stage in ("questions", "answers", "instructions"):
        assert made.figures(stage)[1] == len(made.load(stage)) == 6


def test_a_changed_syllabus_prompt_leaves_questions_alone_where_the_syllabus_comes_out_the_same(
    made: World, tmp_path: Path
) -> None:
    """The stage's own units are made anew; those below only where the rows they read came out different."""
    same = made.load("syllabi")
    made.set(GLAN_PROMPTS=str(replaced_prompt(tmp_path / "prompts", "syllabus", ADDED)))
    with Indifferent(seed=1) as server:
        made.server = server
        made.set(OPENAI_BASE_URL=server.base_url)
        assert made.asked() == {"syllabi": 4}
    again = made.load("syllabi")
    assert list(again["text"]) == list(same["text"])
    assert set(again["unit_key"]).isdisjoint(same["unit_key"])


def test_a_new_discipline_runs_alone(made: World, tmp_path: Path) -> None:
    from flows.terminal.taxonomy import add_discipline

    before = {stage: made.objects(f"{stage}/disc=physics") for stage in UNJUDGED}
    add_discipline("Natural Sciences", "Physical Sciences", "Phlogistics", as_json=True)
    asked = made.asked(disciplines=["physics", "phlogistics"])
    assert asked == {"subjects": 4, "syllabi": 4, "questions": 6, "answers": 6}
    assert set(made.load("calls", disciplines=["phlogistics"])["discipline_id"]) == {"phlogistics"}
    assert before == {stage: made.objects(f"{stage}/disc=physics") for stage in UNJUDGED}


@pytest.mark.parametrize("stage", UNJUDGED)
def test_a_deleted_object_is_made_again_from_the_calls_on_record(made: World, stage: Stage) -> None:
    tables, objects = made.tables(), {each: made.objects(each) for each in UNJUDGED}
    lost = made.receipts(stage)[-1].object
    Path(made.store_url, "v1", lost).unlink()

    state = made.run()

    assert state.name == "Completed", state.message
    assert "1 units made" in str(state.message)
    assert made.server.count == 0
    assert {each: made.objects(each) for each in UNJUDGED} == objects
    for each in UNJUDGED:
        pd.testing.assert_frame_equal(made.load(each), tables[each])


def test_another_model_for_one_role_makes_only_its_stage_anew(made: World) -> None:
    made.set(GLAN_ANSWER_MODEL="another")
    assert made.asked() == {"answers": 6}
    assert set(made.load("answers")["model"]) == {"another"}
    assert set(made.load("questions")["model"]) == {"teacher"}
    assert set(made.load("instructions")["answer_model"]) == {"another"}


def test_readers_see_the_old_rows_until_the_discipline_is_whole_again(made: World, tmp_path: Path) -> None:
    old = made.tables()
    made.set(GLAN_PROMPTS=str(replaced_prompt(tmp_path / "prompts", "question", ADDED)))
    seen: list[dict[str, pd.DataFrame]] = []

    def looking(payload: dict[str, Any], nth: int) -> str | None:
        seen.append(made.tables())
        return None

    made.server.faults = Faults(when=looking)
    # Every unit is published as soon as it is committed, so that there is a middle to look at.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("flows.discipline.PUBLISH_EVERY_SECONDS", -1.0)
        made.run()
    assert len(seen) == 12
    for tables in seen:
        for stage in UNJUDGED:
            pd.testing.assert_frame_equal(tables[stage], old[stage])
    assert set(made.load("questions")["question_id"]).isdisjoint(old["questions"]["question_id"])
    assert len(made.load("instructions")) == len(old["instructions"])


def test_a_run_that_fails_midway_through_a_change_leaves_the_old_rows_for_readers(made: World, tmp_path: Path) -> None:
    old = made.tables()
    made.set(GLAN_PROMPTS=str(replaced_prompt(tmp_path / "prompts", "question", ADDED)))
    made.server.faults = Faults(when=lambda payload, nth: "unauthorized" if made.server.count >= 4 else None)
    assert made.run().is_failed()
    for stage in UNJUDGED:
        pd.testing.assert_frame_equal(made.load(stage), old[stage])

    made.server.faults = Faults()
    understood = made.load("calls")["understood"].sum()
    assert made.run().name == "Completed"
    assert made.load("calls")["understood"].sum() - understood == 12 - (understood - 20)
    assert set(made.load("questions")["question_id"]).isdisjoint(old["questions"]["question_id"])


def test_units_whose_subject_is_gone_leave_the_next_generation_and_stay_in_the_store(
    made: World, tmp_path: Path
) -> None:
    before = {stage: made.objects(stage) for stage in UNJUDGED}
    made.set(GLAN_PROMPTS=str(replaced_prompt(tmp_path / "prompts", "subject_list", ADDED)))
    made.run()
    subjects = set(made.load("subjects")["subject_id"])
    for stage in ("syllabi", "questions", "answers", "instructions"):
        assert set(made.load(stage)["subject_id"]) <= subjects
        assert made.load(stage)["subject_id"].nunique() == 2
        assert before[stage].items() <= made.objects(stage).items()


class Indifferent(ModelServer):
    """Answers as if the words that the tests add to a prompt were not there."""

    def _reply(self, payload: dict[str, Any], digest: str, nth: int) -> Any:
        turns = [{**turn, "content": turn["content"].replace(f"{ADDED}\n", "")} for turn in payload["messages"]]
        plain = {**payload, "messages": turns}
        return super()._reply(plain, payload_digest(plain), nth)
