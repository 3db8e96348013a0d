"""A forecast is exact where the inputs exist, a range where they do not, and an unknown price is missing, never 0."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from stage_world import LAW, PHYSICS, grow, new_store, publish, recipe, sessions, teacher

from glan.gateway.prices import Price, Prices
from glan.planning.forecast import COLUMNS, SUBJECTS_PER_DISCIPLINE, USUAL_TOKENS, forecast
from glan.planning.scope import walks
from glan.planning.walk import survey
from glan.stages.recipe import Recipe
from glan.store.store import Store
from glan.taxonomy import Discipline

SAY = teacher("Optics", "Heat")
KNOWN = Prices({"teacher": Price(input=1.0, output=2.0)}).cost
UNKNOWN = Prices().cost


def expected(
    store: Store, made: Recipe, cost: Callable[..., float | None] = KNOWN, *disciplines: Discipline
) -> pd.DataFrame:
    return forecast(store, disciplines or [PHYSICS], made, cost).set_index("stage")


def calls(table: pd.DataFrame) -> list[tuple[int, int]]:
    return list(zip(table["calls"].tolist(), table["calls_at_most"].tolist(), strict=True))


def test_a_discipline_not_yet_listed_is_forecast_as_in_the_paper_within_a_range(tmp_path: Path) -> None:
    few, many = SUBJECTS_PER_DISCIPLINE
    table = expected(new_store(tmp_path), recipe(lists=10, two_step=True, questions=20))
    assert calls(table) == [(20, 20), (2 * few, 2 * many), (20 * few, 20 * many), (20 * few, 20 * many)]
    assert [*table.reset_index().columns] == COLUMNS


def test_a_limit_on_subjects_narrows_the_range_to_one_number(tmp_path: Path) -> None:
    assert calls(expected(new_store(tmp_path), recipe(subjects=3))) == [(1, 1), (3, 3), (9, 9), (9, 9)]


def test_what_other_disciplines_gave_is_expected_of_the_next(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    publish(store, grow(store, recipe(), SAY))
    assert calls(expected(store, recipe(), KNOWN, PHYSICS, LAW)) == [(1, 1), (2, 2), (6, 6), (6, 6)]


@pytest.mark.parametrize("until", ["subjects", "syllabi", "questions", "answers"])
@pytest.mark.parametrize("changes", [{}, {"questions": 110, "questions_per_call": 7}, {"two_step": True}], ids=str)
def test_where_inputs_exist_the_forecast_is_what_is_then_asked(
    tmp_path: Path, until: Any, changes: dict[str, Any]
) -> None:
    store, made = new_store(tmp_path), recipe(**{"concepts_per_session": 5, **changes})
    say = _many_concepts
    before = grow(store, made, say, until=until)
    table = expected(store, made)
    assert (table["calls"] == table["calls_at_most"]).all()
    after = grow(store, made, say)
    for stage in ("subjects", "syllabi", "questions", "answers"):
        asked = sum(receipt.calls for receipt in after[stage]) - sum(receipt.calls for receipt in before[stage])
        units = len(after[stage]) - len(before[stage])
        assert (table.loc[stage, "calls"], table.loc[stage, "units"]) == (asked, units)


def _many_concepts(request: Any) -> Any:
    """Enough concepts for more than a hundred questions; several questions at once if so asked."""
    if request.stage == "syllabi" and request.schema:
        return json.dumps({"sessions": sessions("One", "Two", "Three", concepts=6)})
    if request.stage == "questions" and request.schema:
        count = request.messages[-1]["content"].count("\nSample ")
        return json.dumps({"questions": [f"Why {request.sample_index} and {n}?" for n in range(count)]})
    return SAY(request)


def test_nothing_to_do_is_no_call_no_token_and_no_money(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    publish(store, grow(store, recipe(), SAY))
    for cost in (KNOWN, UNKNOWN):
        table = expected(store, recipe(), cost)
        assert table.to_numpy().sum() == 0


def test_the_price_of_an_unknown_model_is_missing(tmp_path: Path) -> None:
    table = expected(new_store(tmp_path), recipe(), UNKNOWN)
    assert table["cost_usd"].isna().all()


def test_money_goes_with_the_most_calls_and_the_tokens_of_a_usual_call(tmp_path: Path) -> None:
    table = expected(new_store(tmp_path), recipe())
    prompt, completion = USUAL_TOKENS["answers"]
    most = 3 * SUBJECTS_PER_DISCIPLINE[1]
    row = table.loc["answers"]
    assert (row["prompt_tokens"], row["completion_tokens"]) == (most * prompt, most * completion)
    assert row["cost_usd"] == pytest.approx(most * (prompt * 1.0 + completion * 2.0) / 1_000_000)


def test_tokens_are_learned_from_the_calls_of_the_stage(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    publish(store, grow(store, recipe(), SAY))
    row = expected(store, recipe(questions=5)).loc["questions"]
    assert (row["calls"], row["prompt_tokens"], row["completion_tokens"]) == (4, 40, 80)


def test_a_forecast_writes_nothing(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    grow(store, recipe(), SAY, until="syllabi")
    before = sorted(path for path in tmp_path.rglob("*"))
    expected(store, recipe())
    [walk] = walks(store, [PHYSICS], recipe())
    survey(walk)
    assert sorted(path for path in tmp_path.rglob("*")) == before
