"""A forecast is exact where the inputs exist, a range where they do not, and an unknown price is missing, never 0."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from stage_world import LAW, PHYSICS, UNJUDGED, clock, grow, new_store, publish, recipe, sessions, teacher
from store_world import a_call

from glan.gateway.prices import Price, Prices
from glan.planning.experience import SUBJECTS_PER_DISCIPLINE, USUAL_TOKENS
from glan.planning.forecast import COLUMNS, forecast
from glan.planning.scope import walks
from glan.planning.walk import survey
from glan.stages.shared.recipe import Recipe
from glan.store.calls import CallLog
from glan.store.store import Store
from glan.taxonomy import Discipline

SAY = teacher("Optics", "Heat")
KNOWN = Prices({"teacher": Price(input=1.0, output=2.0)}).cost
CACHED = Prices({"teacher": Price(input=1.0, cached_input=0.5, output=2.0)}).cost
UNKNOWN = Prices().cost


def expected(
    store: Store, made: Recipe, cost: Callable[..., float | None] = KNOWN, *disciplines: Discipline
) -> pd.DataFrame:
    return forecast(store, disciplines or [PHYSICS], made, cost).set_index("stage")


def calls(table: pd.DataFrame) -> list[tuple[int, int, int]]:
    """Of each stage that asks a model: least, likely, most."""
    figures = table.loc[[*UNJUDGED[:-1]], ["calls_at_least", "calls", "calls_at_most"]]
    return list(figures.itertuples(index=False, name=None))


def thrice(*numbers: int) -> list[tuple[int, int, int]]:
    return [(number, number, number) for number in numbers]


def record(store: Store, *given: dict[str, Any]) -> None:
    """Calls of the teacher, of 10 tokens sent and 20 received, with these fields changed."""
    log = CallLog(store.files, writer="w", clock=clock)
    for number, fields in enumerate(given):
        log.append(a_call(f"{number:064}", **{"model": "teacher", **fields}))
    log.close()


def test_a_discipline_not_yet_listed_is_forecast_as_in_the_paper_within_a_range(tmp_path: Path) -> None:
    few, many = SUBJECTS_PER_DISCIPLINE
    table = expected(new_store(tmp_path), recipe(lists=10, two_step=True, questions=20))
    likely = (few + many) // 2
    each = (few, likely, many)
    assert calls(table) == [(20, 20, 20), tuple(2 * n for n in each), *[tuple(20 * n for n in each)] * 2]
    assert [*table.reset_index().columns] == COLUMNS


def test_a_limit_on_subjects_narrows_the_range_to_one_number(tmp_path: Path) -> None:
    assert calls(expected(new_store(tmp_path), recipe(subjects=3))) == thrice(1, 3, 9, 9)


def test_what_other_disciplines_gave_is_expected_of_the_next(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    publish(store, grow(store, recipe(), SAY))
    assert calls(expected(store, recipe(), KNOWN, PHYSICS, LAW)) == thrice(1, 2, 6, 6)
    assert calls(expected(store, recipe(), KNOWN, LAW)) == thrice(1, 2, 6, 6)  # the others need not be planned too


@pytest.mark.parametrize("until", ["subjects", "syllabi", "questions", "answers"])
@pytest.mark.parametrize("changes", [{}, {"questions": 110, "questions_per_call": 7}, {"two_step": True}], ids=str)
def test_where_inputs_exist_the_forecast_is_what_is_then_asked(
    tmp_path: Path, until: Any, changes: dict[str, Any]
) -> None:
    store, made = new_store(tmp_path), recipe(**{"concepts_per_session": 5, **changes})
    say = _many_concepts
    before = grow(store, made, say, until=until)
    table = expected(store, made)
    assert (table["calls_at_least"] == table["calls_at_most"]).all()
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
    assert table.loc[[*UNJUDGED[:-1]], ["cost_usd", "cost_at_most_usd"]].isna().all(axis=None)


def test_tokens_and_money_go_with_the_likely_calls_and_the_tokens_of_a_usual_call(tmp_path: Path) -> None:
    table = expected(new_store(tmp_path), recipe())
    prompt, completion = USUAL_TOKENS["answers"]
    likely, most = 3 * sum(SUBJECTS_PER_DISCIPLINE) // 2, 3 * SUBJECTS_PER_DISCIPLINE[1]
    row, each = table.loc["answers"], (prompt * 1.0 + completion * 2.0) / 1_000_000
    assert (row["prompt_tokens"], row["completion_tokens"]) == (likely * prompt, likely * completion)
    assert (row["cost_usd"], row["cost_at_most_usd"]) == (pytest.approx(likely * each), pytest.approx(most * each))
    assert row["learned_from"] == 0


def test_tokens_are_learned_from_the_calls_of_the_stage(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    publish(store, grow(store, recipe(), SAY))
    record(
        store,
        {"stage": "questions", "prompt_tokens": 100, "cached_tokens": 50},
        {"stage": "questions", "prompt_tokens": 300, "cached_tokens": 150, "completion_tokens": 40},
        {"stage": "questions", "status": 429, "prompt_tokens": 0, "completion_tokens": 0},
        {"stage": "questions", "model": "other", "prompt_tokens": 9_000},
    )
    row = expected(store, recipe(questions=5), CACHED).loc["questions"]
    assert (row["calls"], row["prompt_tokens"], row["completion_tokens"]) == (4, 4 * 200, 4 * 30)
    assert row["cost_usd"] == pytest.approx(4 * (100 * 1.0 + 100 * 0.5 + 30 * 2.0) / 1_000_000)
    assert row["learned_from"] == 2


def test_calls_that_had_to_be_asked_again_are_expected_again(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    publish(store, grow(store, recipe(), SAY))
    again = [{"stage": "answers", "request_key": name, "attempt": n} for name, n in (("a", 1), ("a", 2), ("b", 1))]
    log = CallLog(store.files, writer="w", clock=clock)
    for fields in again:
        log.append({**a_call("x"), "model": "teacher", **fields})
    log.close()
    table = expected(store, recipe(questions=5))
    assert (table.loc["questions", "calls"], table.loc["answers", "calls"]) == (4, 6)


def test_what_came_of_units_so_far_is_expected_of_the_next(tmp_path: Path) -> None:
    def say(request: Any) -> Any:
        refused = request.stage == "questions" and request.sample_index == 0
        return ("I cannot help with that.", "content_filter") if refused else SAY(request)

    store = new_store(tmp_path)
    publish(store, grow(store, recipe(), say))
    table = expected(store, recipe(), KNOWN, LAW)
    assert calls(table) == [(1, 1, 1), (2, 2, 2), (6, 6, 6), (4, 4, 6)]
    assert table.loc["instructions", "rows"] == 4


def test_replies_that_a_killed_run_left_are_not_paid_for_again(tmp_path: Path) -> None:
    store, made = new_store(tmp_path), recipe()
    grow(store, made, SAY, until="syllabi")
    [walk] = walks(store, [PHYSICS], made)
    unit = survey(walk).ready[0]
    record(store, {"stage": "questions", "unit_key": unit.key}, {"stage": "questions", "unit_key": unit.key})
    assert expected(store, made).loc["questions", "calls"] == 6 - 2


def test_a_forecast_writes_nothing(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    grow(store, recipe(), SAY, until="syllabi")
    before = sorted(path for path in tmp_path.rglob("*"))
    expected(store, recipe())
    [walk] = walks(store, [PHYSICS], recipe())
    survey(walk)
    assert sorted(path for path in tmp_path.rglob("*")) == before
