"""Answers judged by a model: the scores are kept with the judge's words, speak against rows, and never lose one."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from bare_runs import bare_run
from flow_world import World, config
from model_faults import Faults
from proof_checks import check_whole
from stage_world import PHYSICS, Say, clock, grow, new_store, publish, recipe, teacher

from glan.config import Curation
from glan.curation.curate import curate_store
from glan.gateway.requests import Request
from glan.judging import Judging
from glan.models import ModelProfile, Models
from glan.planning.forecast import forecast
from glan.planning.recipes import recipe_of
from glan.replay.replay import Replay
from glan.settings import Settings
from glan.stages.shared.recipe import Recipe
from glan.store import manifests, taxonomies
from glan.store.store import Store
from glan.units import Scope

ON = Judging(rubric=True)
WRONG = "It works by magic."


def judged(**changes: Any) -> Recipe:
    profile = ModelProfile(model="teacher")
    models = Models(
        subject=profile, syllabus=profile, question=profile, answer=profile, judge=ModelProfile(model="judge")
    )
    return recipe(**{"judging": ON, "models": models, **changes})


def verdict(question_quality: int = 5, difficulty: int = 3, correctness: int = 5) -> str:
    scores = {"question_quality": question_quality, "difficulty": difficulty, "correctness": correctness}
    return json.dumps({"reasoning": "Worked out.", **scores})


def examined(request: Request) -> Any:
    """A teacher who is wrong about every second question, and a judge who sees it."""
    if request.stage == "answers" and request.sample_index == 1:
        return WRONG
    if request.stage == "judgements":
        return verdict(correctness=1 if WRONG in request.messages[-1]["content"] else 5)
    return teacher("Optics")(request)


def rows_of(store: Store, made: Recipe, say: Say = examined) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The judgements and the instructions."""
    receipts = grow(store, made, say)
    judgements, instructions = (
        [row for receipt in receipts[stage] for row in store.read(receipt).to_pylist()]
        for stage in ("judgements", "instructions")
    )
    return judgements, instructions


def test_a_planted_wrong_answer_is_rejected_and_stays_with_its_scores(tmp_path: Path) -> None:
    judgements, instructions = rows_of(new_store(tmp_path), judged())
    assert {row["answer"] == WRONG: row["reasons"] for row in instructions} == {True: ["incorrect"], False: []}
    by_question = {row["question_id"]: row for row in judgements}
    for row in instructions:
        assert row["kept"] is (row["answer"] != WRONG)
        assert row["scores"] == by_question[row["question_id"]]["scores"]
        assert dict(row["scores"])["difficulty"] == 3.0


def test_the_words_of_the_judge_are_kept_with_the_model_and_the_prompt(tmp_path: Path) -> None:
    judgements, _ = rows_of(new_store(tmp_path), judged(), lambda request: _talkative(request))
    assert {row["text"] for row in judgements} == {f"Let me see. {verdict()}"}
    assert {(row["model"], row["temperature"], row["prompt_name"]) for row in judgements} == {("judge", 1.0, "judge")}
    assert all(len(row["request_keys"]) == 1 for row in judgements)


def _talkative(request: Request) -> Any:
    return f"Let me see. {verdict()}" if request.stage == "judgements" else examined(request)


def test_how_low_a_score_may_be_is_a_setting_that_asks_no_judge(tmp_path: Path) -> None:
    store = new_store(tmp_path)

    def say(request: Request) -> Any:
        return verdict(question_quality=2, correctness=4) if request.stage == "judgements" else examined(request)

    _, usual = rows_of(store, judged(), say)
    assert {tuple(row["reasons"]) for row in usual} == {("low_question_quality",)}
    _, strict = rows_of(store, judged(curation=Curation(min_question_quality=None, min_correctness=5)), _mute)
    assert {tuple(row["reasons"]) for row in strict} == {("incorrect",)}


def _mute(request: Request) -> Any:
    raise AssertionError(f"{request.stage} was asked again")


@pytest.mark.parametrize("said", ["no JSON", verdict(correctness=6), verdict(difficulty=0), '{"correctness": 5}'])
def test_a_pair_that_could_not_be_judged_is_in_quarantine_and_not_lost(tmp_path: Path, said: str) -> None:
    store, made = new_store(tmp_path), judged()

    def say(request: Request) -> Any:
        return said if request.stage == "judgements" and request.sample_index == 2 else examined(request)

    receipts = grow(store, made, say)
    assert [(one.planned, one.rows, one.quarantined) for one in receipts["judgements"]] == [(3, 2, 1)]
    rows = store.read(receipts["instructions"][0]).to_pylist()
    assert [(row["sample_index"], bool(row["scores"]), row["kept"]) for row in rows] == [
        (0, True, True), (1, True, False), (2, False, True),
    ]  # fmt: skip


def test_what_has_nothing_to_do_with_the_judge_keeps_its_keys(tmp_path: Path) -> None:
    off = judged(judging=Judging())
    plain = grow(new_store(tmp_path / "plain"), off, examined)
    other = Models(**{**off.config.models.model_dump(), "judge": ModelProfile(model="another")})
    elsewhere = judged(judging=Judging(), models=other, curation=Curation(min_correctness=None))
    assert grow(new_store(tmp_path / "elsewhere"), elsewhere, examined) == plain
    on = grow(new_store(tmp_path / "on"), judged(), examined)
    again = grow(new_store(tmp_path / "again"), judged(models=other), examined)
    for stage in ("subjects", "syllabi", "questions", "answers"):
        assert on[stage] == again[stage] == plain[stage]
    assert on["judgements"][0].key != again["judgements"][0].key
    assert plain["judgements"] == []


def test_of_duplicates_the_one_that_was_judged_best_stays(tmp_path: Path) -> None:
    store, made = new_store(tmp_path), judged()

    def say(request: Request) -> Any:
        if request.stage == "questions":
            return "How does light bend where it enters the water of a calm lake, and why is it so?"
        best = request.sample_index == 1
        return verdict(correctness=5 if best else 4) if request.stage == "judgements" else teacher("Optics")(request)

    receipts = grow(store, made, say)
    publish(store, {**receipts, "instructions": []})
    verdicts = curate_store(store, {"physics": receipts["instructions"]}, (), made.config.curation, "run", clock)
    [named] = manifests.all_current(store.files, "instructions").values()
    rows = [row for receipt in named.units for row in store.read(receipt).to_pylist()]
    assert {row["sample_index"]: row["reasons"] for row in rows} == {0: ["duplicate"], 1: [], 2: ["duplicate"]}
    assert (verdicts.kept, verdicts.rejected) == ({"physics": 1}, 2)


def test_verdicts_of_curation_alone_take_what_was_judged_and_else_go_without(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    publish(store, grow(store, judged(judging=Judging()), examined))
    _, unjudged = rows_of_scope(store, judged(), Scope(stage="instructions"))
    assert [row["scores"] for row in unjudged] == [[], [], []]


def rows_of_scope(store: Store, made: Recipe, scope: Scope) -> tuple[list[Any], list[dict[str, Any]]]:
    """What a run of this scope has at its end, with nobody to ask."""
    from stage_world import RUN, effects

    from glan.planning.scope import walks

    [walk] = walks(store, [PHYSICS], made, scope)
    waiting, rows = walk.first(), []
    while waiting:
        unit = waiting.pop(0)
        receipt = walk.done(unit) or RUN[unit.stage](unit, made, effects(store, _mute))
        rows += store.read(receipt).to_pylist() if unit.stage == "instructions" else []
        waiting += walk.after(unit, receipt)
    return [], rows


def asked(world: World, scope: Scope = Scope(), **given: Any) -> int:
    """Run; how many calls it made."""
    before = world.server.count
    assert bare_run(config(**given), scope) == "Completed"
    return world.server.count - before


def expected(world: World, **given: Any) -> pd.DataFrame:
    made = recipe_of(config(**given), Settings.load())
    chosen = taxonomies.current(world.store).select(disciplines=["physics"])
    return forecast(world.store, chosen, made, lambda *_: None).set_index("stage")


def test_switched_on_later_it_judges_what_is_there_as_was_forecast_and_asks_for_nothing_else(world: World) -> None:
    asked(world)
    plan = expected(world, judging=ON)
    assert plan["calls"].sum() == plan.loc["judgements", "calls"] == 6
    assert asked(world, judging=ON) == 6
    assert asked(world, judging=ON) == 0
    instructions, judgements = world.load("instructions"), world.load("judgements")
    assert len(instructions) == len(judgements) == 6
    assert all(1 <= score <= 5 for scores in instructions["scores"] for score in scores.values())
    low = {row.question_id for row in judgements.itertuples() if row.scores["correctness"] < 4}
    marked = {row.question_id for row in instructions.itertuples() if "incorrect" in row.reasons}
    assert marked == low != set()
    check_whole(world.store)


def test_a_judgement_that_failed_is_asked_again_by_a_retry_and_reaches_its_pair(world: World) -> None:
    world.server.faults = Faults(when=lambda payload, nth: "refusal" if _is_even(payload) else None)
    asked(world, judging=ON)
    assert len(world.load("quarantine")) == 6 - len(world.load("judgements")) > 0
    assert len(world.load("instructions")) == 6
    world.server.faults = Faults()
    assert asked(world, judging=ON) == 0  # an ordinary run does not ask again
    assert asked(world, Scope(mode="retry"), judging=ON) > 0
    instructions = world.load("instructions")
    assert len(world.load("quarantine")) == 0
    assert [len(scores) for scores in instructions["scores"]] == [3] * 6
    assert instructions["question_id"].nunique() == len(instructions) == len(world.load("judgements"))
    assert asked(world, judging=ON) == 0
    check_whole(world.store)


def _is_even(payload: Any) -> bool:
    """Whether a judge is asked about a question of an even number of letters."""
    asked_about = payload["messages"][1]["content"].split('"""')
    return len(asked_about) == 5 and len(asked_about[1]) % 2 == 0


def test_judgements_come_back_byte_for_byte_from_the_calls_on_record(world: World, tmp_path: Path) -> None:
    world.server.faults = Faults(when=lambda payload, nth: "refusal" if _is_even(payload) else None)
    asked(world, judging=ON)
    world.server.faults = Faults()
    asked(world, Scope(mode="retry"), judging=ON)
    kept = {stage: world.objects(stage) for stage in ("judgements", "instructions", "quarantine")}
    for objects in kept.values():
        for path in objects:
            world.store.files.delete(path)
    scratch = new_store(tmp_path / "scratch")
    results = list(Replay(world.store, world.store, scratch).all(["physics"]))
    assert {one.result for one in results} <= {"identical", "rebuilt"}
    assert {stage: world.objects(stage) for stage in kept} == kept
