"""Conversations that go on: asked and answered turn by turn, never paid for twice, curated whole, and off by default."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from bare_runs import bare_run
from flow_world import World, config
from model_faults import Faults
from proof_checks import check_whole, paid_twice
from stage_world import Say, grow, new_store, recipe, teacher

from glan.config import Curation, RunConfig
from glan.curation.benchmarks import Item
from glan.curation.contamination import Contamination
from glan.errors import InputError
from glan.gateway.requests import Request
from glan.judging import Judging
from glan.keys import digest
from glan.models import ModelProfile, Models
from glan.planning.forecast import forecast
from glan.planning.recipes import recipe_of
from glan.planning.status import status
from glan.replay.replay import Replay
from glan.settings import Settings
from glan.stages.shared.recipe import Recipe
from glan.store import taxonomies
from glan.store.store import Store
from glan.units import Scope

JUDGED = Judging(rubric=True)


def models(**changes: ModelProfile) -> Models:
    one = ModelProfile(model="teacher")
    given = {"subject": one, "syllabus": one, "question": one, "answer": one, "judge": one}
    return Models(**{**given, **changes})


def student(request: Request) -> Any:
    """A teacher's replies, and a student who asks another thing at each turn."""
    if request.stage == "judgements":
        return '{"reasoning": "Fine.", "question_quality": 5, "difficulty": 3, "correctness": 5}'
    if request.prompt.name == "follow_up":
        turn = request.messages[-1]["content"].count("Student:")
        return f"What follows at step {turn} of case {request.sample_index} if the lens is replaced by a mirror?"
    return teacher("Optics")(request)


def rows_of(store: Store, made: Recipe, say: Say = student) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The continuations and the instructions."""
    receipts = grow(store, made, say)
    found = [
        [row for receipt in receipts[stage] for row in store.read(receipt).to_pylist()]
        for stage in ("continuations", "instructions")
    ]
    return found[0], found[1]


def asked_of(store: Store, made: Recipe, say: Say = student) -> list[Request]:
    asked: list[Request] = []

    def listening(request: Request) -> Any:
        asked.append(request)
        return say(request)

    grow(store, made, listening)
    return asked


def test_the_student_sees_the_conversation_and_the_teacher_has_it_as_earlier_turns(tmp_path: Path) -> None:
    asking, answering = ModelProfile(model="asking"), ModelProfile(model="answering")
    made = recipe(questions=1, follow_ups=2, models=models(question=asking, answer=answering))
    asked = asked_of(new_store(tmp_path), made)
    [first] = [request for request in asked if request.stage == "answers"]
    one, two, three, four = (request for request in asked if request.stage == "continuations")
    assert [request.profile.model for request in (one, two, three, four)] == ["asking", "answering"] * 2
    question = first.messages[-1]["content"]
    assert question in one.messages[-1]["content"] and "introductory" not in one.messages[0]["content"]
    assert "Course: Optics (Physics)\nLevel: expert" in one.messages[-1]["content"]
    spoken = [message["role"] for message in four.messages]
    assert spoken == ["system", "user", "assistant", "user", "assistant", "user"]
    assert list(four.messages[: len(first.messages)]) == list(first.messages)  # what an endpoint has cached
    said = [message["content"] for message in four.messages]
    assert said[-1] == student(three) and said[-3] == student(one)
    assert said[-3] in three.messages[-1]["content"] and said[-2] in three.messages[-1]["content"]


def test_a_row_has_its_turns_with_who_asked_and_who_answered(tmp_path: Path) -> None:
    given = models(question=ModelProfile(model="asking"), answer=ModelProfile(model="answering", temperature=0.3))
    continuations, instructions = rows_of(new_store(tmp_path), recipe(follow_ups=2, models=given))
    assert len(continuations) == len(instructions) == 3
    by_question = {row["question_id"]: row for row in continuations}
    for row in instructions:
        own = by_question[row["question_id"]]
        assert row["kept"] and row["turns"] == own["turns"] and len(own["turns"]) == 2
        assert row["request_keys"][-4:] == own["request_keys"] and len(row["request_keys"]) == 6
        assert (own["model"], own["temperature"], own["prompt_name"]) == ("answering", 0.3, "answer")
        asked_with = own["asked_with"]
        assert (asked_with["model"], asked_with["prompt_name"]) == ("asking", "follow_up")


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ("Homework question:", "empty"),
        ("What was covered in Session 3?", "not_self_contained"),
        ("What is the focal length?\nAnswer: 12 cm.", "answer_inside"),
        ("What follows at step 1 of case 1 if the lens is replaced by a mirror?", "repetition"),
    ],
)
def test_a_follow_up_that_is_none_leaves_its_pair_with_the_turns_it_had(
    tmp_path: Path, said: str, problem: str
) -> None:
    def say(request: Request) -> Any:
        second = request.prompt.name == "follow_up" and request.messages[-1]["content"].count("Student:") == 2
        return said if second and request.sample_index == 1 else student(request)

    store, made = new_store(tmp_path), recipe(follow_ups=2)
    receipts = grow(store, made, say)
    [unit] = receipts["continuations"]
    assert (unit.planned, unit.rows, unit.quarantined) == (3, 2, 1)
    assert store.read_quarantine(unit)["error_kind"].to_pylist() == [problem]
    rows = store.read(receipts["instructions"][0]).to_pylist()
    assert [(row["sample_index"], len(row["turns"] or ()), row["kept"]) for row in rows] == [
        (0, 2, True), (1, 0, True), (2, 2, True),
    ]  # fmt: skip


def without_follow_ups(store: Store, made: Recipe) -> tuple[str, str]:
    """Digests of all requests, and of all keys, contents and names of units."""
    asked: list[str] = []

    def say(request: Request) -> Any:
        asked.append(request.key)
        return student(request)

    receipts = grow(store, made, say)
    units = [
        [stage, [one.key for one in some], [one.content_digest for one in some], [one.object for one in some]]
        for stage, some in receipts.items()
        if stage != "continuations"
    ]
    return digest(asked), digest(units)


@pytest.mark.parametrize(
    ("judging", "requests", "units"),
    [
        (
            Judging(),
            "3ff0502ecbf8355036e93d60b723184eed2bf0c9199c80143568e9f29da52374",
            "618af5d8fad9bcf8f347edacdb8a1596dd7b796412bf11f4766679748306487f",
        ),
        (
            JUDGED,
            "e22708ea4738c73272874458f6b0f4327b223cb87107343c603e6ad094f57e9a",
            "b17991aac766d48c9323749a137c997a608e36982ffe4dc5769dae12b1e8de2c",
        ),
    ],
    ids=["plain", "judged"],
)
def test_without_follow_ups_every_key_is_what_it_was_before_there_were_any(
    tmp_path: Path, judging: Judging, requests: str, units: str
) -> None:
    """The digests were recorded from the version before."""
    made = recipe(judging=judging, models=models())
    assert without_follow_ups(new_store(tmp_path), made) == (requests, units)
    assert "continuations" not in made.stages


def test_what_comes_before_and_beside_the_further_turns_keeps_its_keys(tmp_path: Path) -> None:
    off = grow(new_store(tmp_path / "off"), recipe(judging=JUDGED, models=models()), student)
    on = grow(new_store(tmp_path / "on"), recipe(judging=JUDGED, models=models(), follow_ups=1), student)
    for stage in ("subjects", "syllabi", "questions", "answers", "judgements"):
        made = [[(one.unit, one.key, one.content_digest) for one in receipts[stage]] for receipts in (on, off)]
        assert made[0] == made[1] != []
    assert on["instructions"][0].key != off["instructions"][0].key
    assert on["instructions"][0].unit == off["instructions"][0].unit


@pytest.mark.parametrize(
    "changed",
    [
        {"follow_ups": 2},
        {"seed": 1},
        {"models": models(question=ModelProfile(model="another"))},
        {"models": models(answer=ModelProfile(model="another"))},
    ],
    ids=["turns", "seed", "asking", "answering"],
)
def test_what_shapes_further_turns_is_in_their_key(tmp_path: Path, changed: Mapping[str, Any]) -> None:
    usual = recipe(models=models(), follow_ups=1)
    one = grow(new_store(tmp_path / "one"), usual, student)
    other = grow(new_store(tmp_path / "other"), recipe(**{"models": models(), "follow_ups": 1, **changed}), student)
    assert one["continuations"][0].key != other["continuations"][0].key


@pytest.mark.parametrize("wrong", [-1, 6, "many"])
def test_there_are_at_most_five(wrong: Any) -> None:
    with pytest.raises(InputError, match="follow_ups"):
        RunConfig.checked({"follow_ups": wrong}, "RUN.toml")


def asked(world: World, scope: Scope = Scope(), **given: Any) -> int:
    """Run; how many calls it made."""
    before = world.server.count
    assert bare_run(config(**given), scope) == "Completed"
    return world.server.count - before


def expected(world: World, **given: Any) -> pd.DataFrame:
    made = recipe_of(config(**given), Settings.load())
    chosen = taxonomies.current(world.store).select(disciplines=["physics"])
    return forecast(world.store, chosen, made, lambda *_: None).set_index("stage")


def sound(world: World) -> None:
    """All that is true of a store, and nothing paid for twice."""
    check_whole(world.store)
    assert paid_twice(world.server) == set()


def test_switched_on_and_raised_it_pays_for_the_further_turns_alone_as_was_forecast(world: World) -> None:
    asked(world, judging=JUDGED)
    for turns in (1, 3):
        new = 2 * 6 * (turns - 1 or 1)
        plan = expected(world, judging=JUDGED, follow_ups=turns)
        assert plan["calls"].sum() == plan.loc["continuations", "calls"] == new
        assert asked(world, judging=JUDGED, follow_ups=turns) == new
        continuations = world.load("continuations")
        assert [len(some) for some in continuations["turns"]] == [turns] * 6
        assert [len(some) for some in world.load("instructions")["turns"]] == [turns] * 6
    assert expected(world, judging=JUDGED, follow_ups=3)["calls"].sum() == 0
    assert asked(world, judging=JUDGED, follow_ups=1) == 0  # lowered, it is made of what is on record
    assert [len(some) for some in world.load("instructions")["turns"]] == [1] * 6
    assert asked(world, judging=JUDGED) == 0
    assert world.load("instructions")["turns"].isna().all()
    sound(world)


def test_what_is_wrong_with_a_further_turn_rejects_its_row_and_stays_with_it(tmp_path: Path) -> None:
    item = "Which particle of an atom carries a positive charge and sits inside its nucleus?"
    index = Contamination([Item("exam", "12", item)], Curation())

    def say(request: Request) -> Any:
        if request.stage != "continuations" or request.sample_index == 0:
            return student(request)
        if request.prompt.name == "follow_up":
            return item if request.sample_index == 1 else student(request)
        return "As an AI language model, I don't have eyes." if request.sample_index == 2 else student(request)

    made = replace(recipe(follow_ups=1), benchmarks=lambda: index)
    _, instructions = rows_of(new_store(tmp_path), made, say)
    assert {row["sample_index"]: row["reasons"] for row in instructions} == {
        0: [], 1: ["contaminated"], 2: ["follow_up_refusal"],
    }  # fmt: skip
    assert instructions[1]["contamination"]["part"] == "question of turn 2"
    assert all(len(row["turns"]) == 1 for row in instructions)


def test_by_a_batch_api_the_rows_are_those_of_single_calls(world: World, tmp_path: Path) -> None:
    asked(world, subjects=1, follow_ups=2)
    single = world.load("continuations").set_index("question_id")["turns"].map(str).to_dict()
    world.set(GLAN_STORE=str(tmp_path / "batch"), GLAN_MODE="batch", GLAN_BATCH_GATHER_SECONDS="0.1")
    world.store_url = str(tmp_path / "batch")
    asked(world, subjects=1, follow_ups=2)
    assert world.load("continuations").set_index("question_id")["turns"].map(str).to_dict() == single
    assert world.load("calls").query("stage == 'continuations'")["batch_id"].notna().all()


def test_a_forecast_knows_the_turns_of_what_is_not_begun(world: World) -> None:
    asked(world, subjects=1)
    plan = expected(world, follow_ups=2, lists=1, subjects=1)  # another list of subjects: nothing is left as it is
    assert plan.loc["continuations", "calls"] == 4 * plan.loc["answers", "rows"] > 0
    assert plan.loc["continuations", "rows"] == plan.loc["instructions", "rows"]


def test_the_stage_is_in_a_status_only_if_it_is_wanted(world: World) -> None:
    asked(world, follow_ups=1)
    chosen = taxonomies.current(world.store).select(disciplines=["physics"])

    def stages(**given: Any) -> dict[str, int]:
        table = status(world.store, chosen, recipe_of(config(**given), Settings.load()))
        return dict(zip(table["stage"], table["rows"], strict=True))

    assert stages(follow_ups=1)["continuations"] == 6
    assert "continuations" not in stages()


def _is_even(payload: Any, nth: int = 0) -> str | None:
    """A refusal where a follow-up is asked for after a first question of an even number of letters."""
    told = payload["messages"][1]["content"]
    follows = "The conversation so far" in told and len(told.split('"""')[1]) % 2 == 0
    return "refusal" if follows else None


def test_what_could_not_be_continued_goes_on_alone_until_a_retry_brings_its_turns(world: World) -> None:
    world.server.faults = Faults(when=_is_even)
    asked(world, judging=JUDGED, follow_ups=1)
    lost = 6 - len(world.load("continuations"))
    assert len(world.load("quarantine")) == lost > 0
    instructions = world.load("instructions")
    assert instructions["turns"].isna().sum() == lost and len(instructions) == 6
    assert instructions["scores"].map(len).tolist() == [3] * 6
    world.server.faults = Faults()
    assert asked(world, judging=JUDGED, follow_ups=1) == 0  # an ordinary run does not ask again
    assert asked(world, Scope(mode="retry"), judging=JUDGED, follow_ups=1) == 2 * lost
    instructions = world.load("instructions")
    assert len(world.load("quarantine")) == 0
    assert instructions["turns"].map(len).tolist() == [1] * 6 == [len(one) // 3 for one in instructions["scores"]]
    assert instructions["question_id"].nunique() == len(instructions) == len(world.load("continuations"))
    assert asked(world, judging=JUDGED, follow_ups=1) == 0
    check_whole(world.store)


def test_a_refresh_draws_further_turns_anew_and_leaves_the_pairs(world: World) -> None:
    asked(world, follow_ups=1)
    before = world.load("instructions").set_index("question_id")
    assert asked(world, Scope(stage="continuations", mode="refresh"), follow_ups=1) == 2 * 6
    after = world.load("instructions").set_index("question_id")
    assert (after["answer"] == before["answer"]).all()
    assert all(new != old for new, old in zip(after["turns"].map(str), before["turns"].map(str), strict=True))
    assert set(world.load("continuations")["edition"]) == {1}
    assert asked(world, follow_ups=1) == 0
    sound(world)


def test_all_comes_back_byte_for_byte_from_the_calls_on_record(world: World, tmp_path: Path) -> None:
    world.server.faults = Faults(when=_is_even)
    asked(world, judging=JUDGED, follow_ups=1)
    world.server.faults = Faults()
    asked(world, Scope(mode="retry"), judging=JUDGED, follow_ups=1)
    asked(world, judging=JUDGED, follow_ups=2)
    asked(world, judging=JUDGED)
    kept = {stage: world.objects(stage) for stage in ("continuations", "judgements", "instructions", "quarantine")}
    for objects in kept.values():
        for path in objects:
            world.store.files.delete(path)
    results = list(Replay(world.store, world.store, new_store(tmp_path / "scratch")).all(["physics"]))
    assert {one.result for one in results} <= {"identical", "rebuilt"}
    assert len({one.path for one in results}) == len(results)
    assert {stage: world.objects(stage) for stage in kept} == kept
