"""Languages are a limit: adding one adds syllabi and what follows from them, removing one removes nothing."""

import json
from pathlib import Path
from typing import Any

import pytest
from stage_world import PHYSICS, UNJUDGED, clock, grow, new_store, publish, recipe, sessions, teacher

from glan.gateway.prices import Price, Prices
from glan.gateway.requests import Request
from glan.keys import digest
from glan.planning.expansion import growth, standing
from glan.planning.forecast import forecast
from glan.planning.pilot import pilot
from glan.planning.publishing import drop_orphans, orphans
from glan.planning.scope import walks
from glan.planning.status import status
from glan.planning.walk import Survey, survey
from glan.stages.shared.recipe import Recipe
from glan.store.store import Store
from glan.units import Receipt, Scope, Stage

ENGLISH = teacher("Optics", "Heat")
BOTH = ["en", "de"]
PRICES = Prices({"teacher": Price(input=1.0, output=2.0)})


def say(request: Request) -> Any:
    """A teacher of both languages."""
    if ".de" not in request.unit:
        return ENGLISH(request)
    if request.stage == "syllabi":
        return json.dumps({"sessions": sessions("Erster Teil", "Zweiter Teil")})
    if request.stage == "answers":
        return f"Das liegt daran, dass {digest(request.messages)[:12]} in jedem solchen Fall gilt, wie man zeigen kann."
    return f"Wie hängt {request.unit} mit dem Teil {request.sample_index} zusammen, und warum ist das so?"


def seen(store: Store, made: Recipe, scope: Scope = Scope()) -> Survey:
    [walk] = walks(store, [PHYSICS], made, scope)
    return survey(walk)


def filled(store: Store, **changes: Any) -> dict[Stage, list[Receipt]]:
    receipts = grow(store, recipe(**changes), say)
    publish(store, receipts)
    return receipts


def counts(found: Survey) -> list[int]:
    return [len(found.done[stage]) for stage in UNJUDGED]


def named(store: Store) -> dict[Stage, set[str]]:
    [walk] = walks(store, [PHYSICS], recipe())
    return {stage: set(walk.shelf.named[stage]) for stage in UNJUDGED}


def test_adding_a_language_plans_its_syllabi_and_changes_nothing_else(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    before = filled(store)
    more = seen(store, recipe(languages=BOTH))
    assert [(unit.stage, unit.language) for unit in more.ready] == [("syllabi", "de")] * 2
    assert counts(more) == [1, 2, 2, 2, 2]
    after = filled(store, languages=BOTH)
    assert {receipt.object for some in before.values() for receipt in some} <= {
        receipt.object for some in after.values() for receipt in some
    }
    assert counts(seen(store, recipe(languages=BOTH))) == [1, 4, 4, 4, 4]


def test_removing_a_language_removes_nothing_and_leaves_no_orphan(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    filled(store, languages=BOTH)
    whole = named(store)
    assert seen(store, recipe()).complete and seen(store, recipe(languages=["de"])).complete
    [walk] = walks(store, [PHYSICS], recipe())
    assert not any(orphans(store, walk.shelf.named).values())
    drop_orphans(store, "physics", "run", clock)
    assert named(store) == whole
    assert counts(seen(store, recipe(languages=["de"]))) == [1, 2, 2, 2, 2]


def test_a_subject_that_is_gone_takes_all_its_languages_along(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    filled(store, languages=BOTH)
    other = grow(store, recipe(lists=2, languages=BOTH), teacher("Heat"), until="subjects")
    publish(store, other)
    [walk] = walks(store, [PHYSICS], recipe())
    gone = orphans(store, walk.shelf.named)["syllabi"]
    assert sorted((unit.partition("-")[0], unit.endswith(".de")) for unit in gone) == [
        ("optics", False),
        ("optics", True),
    ]


@pytest.mark.parametrize(("stage", "mode"), [("instructions", "all"), ("syllabi", "refresh"), ("answers", "stale")])
def test_work_on_what_readers_see_takes_in_the_languages_that_are_there(tmp_path: Path, stage: Any, mode: Any) -> None:
    store = new_store(tmp_path)
    filled(store, subjects=1, languages=BOTH)
    filled(store)
    scope = Scope(stage=stage, mode=mode)
    units = [unit for unit, _ in walks(store, [PHYSICS], recipe(), scope)[0].all() if unit.stage == "syllabi"]
    assert sorted(unit.node for unit in units) == ["physics/heat", "physics/optics", "physics/optics.de"]


@pytest.mark.parametrize("until", [None, "subjects", "syllabi", "questions", "answers"])
def test_a_forecast_of_several_languages_is_what_is_then_asked(tmp_path: Path, until: Any) -> None:
    store, made = new_store(tmp_path), recipe(languages=BOTH, subjects=2)
    before = grow(store, made, say, until=until) if until else {}
    table = forecast(store, [PHYSICS], made, PRICES.cost).set_index("stage")
    after = grow(store, made, say)
    for stage in UNJUDGED[:-1]:
        asked = sum(one.calls for one in after[stage]) - sum(one.calls for one in before.get(stage, ()))
        assert table.loc[stage, "calls"] == asked, stage
    assert table.loc["instructions", "units"] == 4


def test_status_counts_the_rows_of_all_languages_and_waits_for_them(tmp_path: Path) -> None:
    store, made = new_store(tmp_path), recipe(languages=BOTH)
    assert status(store, [PHYSICS], made).set_index("stage").loc["syllabi", "waiting"] == 2
    filled(store, languages=BOTH)
    table = status(store, [PHYSICS], made).set_index("stage")
    assert list(table["rows"]) == [2, 4, 12, 12, 12]
    assert not table[["stale", "missing", "waiting", "orphaned"]].any(axis=None)


@pytest.mark.parametrize(("questions", "subjects", "each"), [(1, 1, 1), (4, 1, 2), (6, 1, 3), (7, 2, 2)])
def test_a_pilot_counts_the_questions_of_all_languages(
    tmp_path: Path, questions: int, subjects: int, each: int
) -> None:
    store, made = new_store(tmp_path), recipe(languages=BOTH, subjects=2)
    for until in (None, "syllabi"):
        if until:
            publish(store, grow(store, made, say, until="syllabi"))
        scope = pilot(walks(store, [PHYSICS], made), made.config, questions)
        assert (scope.subjects, scope.questions) == ({"physics": subjects}, {"physics": each})


def test_a_night_grows_the_languages_of_its_recipe_towards_one_target(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    filled(store, languages=BOTH)
    [walk] = walks(store, [PHYSICS], recipe())
    both = standing(store, PHYSICS, walk.shelf, BOTH)
    assert (both.accepted, both.judged, both.asked) == (12, 12, 12)

    def added(languages: list[str]) -> dict[str, int]:
        now = standing(store, PHYSICS, walk.shelf, languages)
        [one] = growth([now], now.accepted + 8, 10, None, 3, len(languages))
        return {node: limit for node, limit in one.limits.items() if "/" in node}

    assert set(added(BOTH).values()) == {5}
    assert {(".de" in node, limit) for node, limit in added(["en"]).items()} == {(False, 7), (True, 3)}


def test_a_first_night_spreads_its_questions_over_the_syllabi_of_all_languages(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    [walk] = walks(store, [PHYSICS], recipe())
    empty = standing(store, PHYSICS, walk.shelf, BOTH)
    [one] = growth([empty], target=80, attempts=3, subjects=4, first_round=100, languages=2)
    assert one.limits == {"physics": 10}
