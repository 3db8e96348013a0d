"""Backfills and refreshes: what is missing, what is stale, what is drawn anew, and what readers see meanwhile."""

from pathlib import Path
from typing import Any

from flow_world import World, asks_for, config, replaced_prompt
from model_faults import Faults
from prefect.client.schemas.objects import State
from proof_checks import tables
from stage_world import UNJUDGED

from flows.backfill import backfill
from flows.parameters import BackfillConfig
from glan.config import Budget
from glan.store import editions


def fill(world: World, **given: Any) -> State[Any]:
    """Run a backfill of physics by the small configuration."""
    form = {"disciplines": ["physics"], "recipe": config(), **given}
    state: State[Any] = backfill(BackfillConfig(**form), return_state=True)
    return state


def seen(world: World) -> dict[str, list[str]]:
    """What readers see of every stage."""
    return {stage: table for stage, table in tables(world.store_url).items() if stage in UNJUDGED}


def test_a_preview_says_what_would_be_asked_and_asks_nothing(made: World) -> None:
    state = fill(made, stage="questions", mode="refresh", preview=True)
    assert state.name == "Completed"
    assert "6 units to make with at most 12 calls" in str(state.message)
    assert made.server.count == 0
    assert made.store.files.list("_editions") == []


def test_missing_fills_a_hole_and_leaves_what_is_stale_alone(made: World, tmp_path: Path) -> None:
    gone = made.receipts("answers")[0]
    made.store.files.delete(gone.object)
    for entry in made.store.files.list("_calls/disc=physics"):
        made.store.files.delete(entry.path)
    made.set(GLAN_PROMPTS=str(replaced_prompt(tmp_path / "prompts", "question", "Be brief.")))
    before = made.load("questions")
    assert fill(made, stage="answers", mode="missing").name == "Completed"
    assert made.server.count == 3
    assert made.load("questions")["text"].tolist() == before["text"].tolist()
    assert len(made.load("instructions")) == 6
    assert fill(made, mode="missing").name == "Completed"
    assert made.server.count == 3


def test_stale_redoes_what_a_prompt_has_changed_from_its_stage_down_and_adds_nothing(
    made: World, tmp_path: Path
) -> None:
    made.set(GLAN_PROMPTS=str(replaced_prompt(tmp_path / "prompts", "answer", "Be brief.")))
    more = config(questions=5, subjects=3)
    assert fill(made, mode="stale", recipe=more).name == "Completed"
    assert {asks_for(call.payload) for call in made.server.calls} == {"answer"}
    assert made.server.count == 6
    assert len(made.load("instructions")) == 6
    assert fill(made, mode="stale", recipe=more).name == "Completed"
    assert made.server.count == 6


def test_stale_above_the_stage_named_stays_as_it_is(made: World, tmp_path: Path) -> None:
    folder = replaced_prompt(tmp_path / "prompts", "syllabus", "Be brief.")
    made.set(GLAN_PROMPTS=str(replaced_prompt(folder, "answer", "Be brief.")))
    before = made.load("syllabi")
    assert fill(made, stage="answers", mode="stale").name == "Completed"
    assert {asks_for(call.payload) for call in made.server.calls} == {"answer"}
    assert made.load("syllabi")["text"].tolist() == before["text"].tolist()
    assert len(made.load("instructions")) == 6


def test_a_refresh_draws_anew_from_its_stage_down_and_is_what_runs_go_on_from(made: World) -> None:
    before, rows_before = made.tables(), seen(made)
    assert fill(made, stage="questions", mode="refresh", recipe=config(questions=1, subjects=1)).name == "Completed"
    after = made.tables()
    assert made.server.count == 12
    rows_after = seen(made)
    assert (rows_after["subjects"], rows_after["syllabi"]) == (rows_before["subjects"], rows_before["syllabi"])
    for stage in ("questions", "answers", "instructions"):
        assert set(after[stage]["edition"]) == {1}
        assert len(after[stage]) == len(before[stage])
        assert not set(after[stage]["question_id"]) & set(before[stage]["question_id"])
    assert made.sent() == 0
    assert seen(made) == rows_after
    assert made.sent(questions=4) == 4  # a further question and its answer for each of two subjects
    assert set(made.load("questions")["edition"]) == {1}


def test_readers_see_the_old_rows_until_the_refresh_is_whole_and_starting_again_continues_it(made: World) -> None:
    before = seen(made)
    assert fill(made, mode="refresh", budget=Budget(calls=15)).name == "BudgetSpent"
    spent = made.server.count
    assert 0 < spent <= 15
    assert seen(made) == before
    assert made.sent() == 0  # an ordinary run goes on from the old rows
    assert seen(made) == before
    assert fill(made, mode="refresh").name == "Completed"
    [edition] = editions.editions_of(made.store.files, "physics")
    assert (edition.number, edition.ending) == (1, "finished")
    understood = made.load("calls").query("understood and edition == 1")
    assert understood["request_key"].is_unique
    for stage in UNJUDGED:
        assert set(made.load(stage)["edition"]) == {1}
    assert made.sent() == 0


def test_a_refresh_in_an_outage_of_content_leaves_the_old_rows(made: World) -> None:
    before = seen(made)
    made.server.faults = Faults(when=lambda payload, nth: "refusal")
    assert fill(made, stage="answers", mode="refresh").name == "PartiallyCompleted"
    assert seen(made) == before
    made.server.faults = Faults()
    assert fill(made, stage="answers", mode="refresh").name == "Completed"
    assert set(made.load("answers")["edition"]) == {2}


def test_drawing_everything_anew_has_to_be_said(made: World) -> None:
    state: State[Any] = backfill(BackfillConfig(mode="refresh", recipe=config()), return_state=True)
    assert state.is_failed()
    assert "name some" in str(state.message)
    assert made.server.count == 0
