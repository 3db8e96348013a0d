"""The choices of a run: each changes what is sent, and each ends with everything made."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from flow_world import SMALL, World, asks_for
from model_server import Received
from terminal_world import typed


def kinds(calls: list[Received]) -> Counter[str]:
    """What was asked for, by kind of call."""
    return Counter(asks_for(call.payload) for call in calls)


def last_turns(world: World, kind: str) -> list[str]:
    """The last message of each call of a kind."""
    return [call.payload["messages"][-1]["content"] for call in world.server.calls if asks_for(call.payload) == kind]


def complete(world: World, questions: int = 3, **given: Any) -> None:
    """Run and see that everything was made."""
    state = world.run(questions=questions, **given)
    assert state.name == "Completed", state.message
    assert len(world.load("instructions")) == 2 * questions


def test_by_default_text_comes_first_and_structure_second(world: World) -> None:
    complete(world)
    assert kinds(world.server.calls) == {"prose": 2 + 2, "subjects": 2, "sessions": 2, "question": 6, "answer": 6}
    structured = [call.payload["messages"] for call in world.server.calls if asks_for(call.payload) == "sessions"]
    assert [turn["role"] for turn in structured[0]] == ["system", "user", "assistant", "user"]
    assert set(world.load("syllabi")["text"]) == {turns[2]["content"] for turns in structured}


def test_one_step_asks_for_structure_at_once(world: World) -> None:
    complete(world, two_step=False)
    assert kinds(world.server.calls) == {"subjects": 2, "sessions": 2, "question": 6, "answer": 6}


def test_several_questions_are_asked_for_in_one_call_and_answered_one_by_one(world: World) -> None:
    complete(world, questions=5, questions_per_call=3)
    assert kinds(world.server.calls)["questions"] == 2 * 2  # of 3 and 2 samples
    assert kinds(world.server.calls)["answer"] == 10
    questions = world.load("questions")
    assert sorted(questions["sample_index"]) == sorted([0, 1, 2, 3, 4] * 2)
    assert questions["question_id"].is_unique
    assert all("Sample 2" in turn for turn in last_turns(world, "questions"))


def test_each_answer_is_judged_by_a_model_of_its_own_if_wanted(world: World) -> None:
    world.set(GLAN_JUDGE_MODEL="strict")
    complete(world, judging={"rubric": True})
    judged = [call.payload for call in world.server.calls if "correctness" in asks_for(call.payload)]
    assert [payload["model"] for payload in judged] == ["strict"] * 6
    instructions = world.load("instructions").set_index("question_id")["scores"]
    assert instructions.to_dict() == world.load("judgements").set_index("question_id")["scores"].to_dict()


def test_each_conversation_goes_on_if_wanted_and_all_commands_know_its_turns(world: World) -> None:
    complete(world, follow_ups=1)
    assert kinds(world.server.calls) == {
        "prose": 2 + 2, "subjects": 2, "sessions": 2, "question": 6, "answer": 6 + 6, "follow-up": 6,
    }  # fmt: skip
    assert len(world.load("continuations")) == 6 and world.load("instructions")["turns"].map(len).tolist() == [1] * 6
    more = Path("more.toml")
    more.write_text("\n".join(f"{name} = {json.dumps(value)}" for name, value in {**SMALL, "follow_ups": 2}.items()))
    plan = json.loads(typed("plan", str(more), "--json").stdout)
    assert {line["stage"]: line["calls"] for line in plan if line["calls"]} == {"continuations": 2 * 6}
    count = "select count(*) as n from continuations join instructions using (question_id) where len(instructions.turns) = 1"
    assert json.loads(typed("sql", count, "--json").stdout) == [{"n": 6}]
    assert len(typed("files", "continuations").stdout.split()) == 2
    drawn = typed("backfill", "--discipline", "physics", "--stage", "continuations", "--mode", "refresh", "--json")
    assert drawn.code == 0 and kinds(world.server.calls)["follow-up"] == 12
    assert set(world.load("continuations")["edition"]) == {1} and set(world.load("answers")["edition"]) == {0}


@pytest.mark.parametrize("shown", [True, False])
def test_the_syllabus_is_in_the_question_prompt_if_wanted(world: World, shown: bool) -> None:
    complete(world, syllabus_in_question_prompt=shown)
    texts = list(world.load("syllabi")["text"])
    for turn in last_turns(world, "question"):
        assert any(text.strip() in turn for text in texts) == shown


@pytest.mark.parametrize(("share", "strategies"), [(0, {"single_session"}), (1, {"cross_session"})])
def test_the_share_of_the_strategies_is_kept(world: World, share: float, strategies: set[str]) -> None:
    complete(world, cross_session_share=share)
    questions = world.load("questions")
    assert set(questions["strategy"]) == strategies
    assert {len(indexes) for indexes in questions["session_indexes"]} == {1 if share == 0 else 2}
    for concepts in questions["key_concepts"]:
        assert any("; ".join(concepts) in turn for turn in last_turns(world, "question"))


def test_a_profile_can_show_the_worked_example_as_an_earlier_turn(world: World) -> None:
    roles = ("subject", "syllabus", "question", "answer")
    complete(world, models={role: {"example": True} for role in roles})
    for call in world.server.calls:
        spoken = [turn["role"] for turn in call.payload["messages"]]
        assert spoken[:4] == ["system", "user", "assistant", "user"]


def test_the_number_of_lists_is_the_number_of_independent_draws(world: World) -> None:
    complete(world, lists=4)
    assert kinds(world.server.calls)["subjects"] == 4
    seeds = [call.payload["seed"] for call in world.server.calls if asks_for(call.payload) == "subjects"]
    assert len(set(seeds)) == 4
    assert world.load("subjects")["lists_found_in"].between(1, 4).all()
