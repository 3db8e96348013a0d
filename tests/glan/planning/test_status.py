"""Status says of every discipline and stage how far it is, in units."""

from pathlib import Path

import pandas as pd
from stage_world import LAW, PHYSICS, UNJUDGED, Reply, grow, new_store, publish, recipe, teacher

from glan.gateway.requests import Request
from glan.planning.status import COLUMNS, status
from glan.stages.shared.recipe import Recipe
from glan.store.store import Store

SAY = teacher("Optics", "Heat")


def table(store: Store, made: Recipe) -> pd.DataFrame:
    return status(store, [PHYSICS], made).set_index("stage")


def column(store: Store, made: Recipe, name: str) -> list[int]:
    return [int(number) for number in table(store, made)[name]]


def test_an_empty_store_misses_the_subjects_and_the_rest_waits(tmp_path: Path) -> None:
    found = status(new_store(tmp_path), [PHYSICS, LAW], recipe())
    assert list(found.columns) == COLUMNS
    assert list(zip(found["discipline_id"], found["stage"], strict=True)) == [
        (discipline, stage) for discipline in ("physics", "law") for stage in UNJUDGED
    ]
    assert list(found["missing"]) == [1, 0, 0, 0, 0] * 2
    assert list(found["waiting"]) == [0, 1, 1, 1, 1] * 2
    assert found[["done", "stale", "quarantined", "orphaned", "rows"]].sum().sum() == 0


def test_a_finished_discipline_is_done_and_counts_its_rows(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    publish(store, grow(store, recipe(), SAY))
    assert column(store, recipe(), "done") == [1, 2, 2, 2, 2]
    assert column(store, recipe(), "rows") == [2, 2, 6, 6, 6]
    rest = table(store, recipe())[["stale", "missing", "waiting", "quarantined", "orphaned"]]
    assert rest.sum().sum() == 0


def test_what_was_committed_but_never_published_is_done(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    grow(store, recipe(), SAY)
    assert column(store, recipe(), "done") == [1, 2, 2, 2, 2]


def test_missing_units_make_those_below_them_wait(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    publish(store, grow(store, recipe(questions=250), SAY, until="subjects"))
    assert column(store, recipe(questions=250), "missing") == [0, 2, 0, 0, 0]
    assert column(store, recipe(questions=250), "waiting") == [0, 0, 6, 6, 6]


def test_units_made_with_other_settings_are_stale_and_those_below_wait(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    publish(store, grow(store, recipe(), SAY))
    changed = recipe(concepts_per_session=4)
    assert column(store, changed, "stale") == [0, 2, 0, 0, 0]
    assert column(store, changed, "done") == [1, 0, 0, 0, 0]
    assert column(store, changed, "waiting") == [0, 0, 2, 2, 2]
    assert column(store, changed, "orphaned") == [0, 0, 0, 0, 0]


def test_what_is_about_to_be_made_anew_is_stale_and_no_orphan(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    publish(store, grow(store, recipe(), SAY))
    changed = recipe(concepts_per_session=4)
    publish(store, grow(store, changed, teacher("Optics", "Heat", title="Chapter"), until="syllabi"))
    assert column(store, changed, "done") == [1, 2, 0, 0, 0]
    assert column(store, changed, "stale") == [0, 0, 2, 0, 0]
    assert column(store, changed, "waiting") == [0, 0, 0, 2, 2]
    assert column(store, changed, "orphaned") == [0, 0, 0, 0, 0]


def test_units_of_a_subject_that_left_the_list_are_orphaned(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    publish(store, grow(store, recipe(), SAY))
    changed = recipe(seed=1)
    publish(store, grow(store, changed, teacher("Optics"), until="subjects"))
    assert column(store, changed, "orphaned") == [0, 1, 1, 1, 1]


def test_rows_that_could_not_be_made_are_quarantined_and_planned_adds_up(tmp_path: Path) -> None:
    store = new_store(tmp_path)

    def say(request: Request) -> Reply:
        if request.stage == "answers" and request.sample_index == 1:
            return "Cut o", "length"
        return SAY(request)

    publish(store, grow(store, recipe(), say))
    assert column(store, recipe(), "quarantined") == [0, 0, 0, 2, 0]
    assert column(store, recipe(), "rows") == [2, 2, 6, 4, 4]


def test_one_more_question_shows_as_one_missing_round(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    publish(store, grow(store, recipe(), SAY))
    assert column(store, recipe(questions=4), "missing") == [0, 0, 2, 0, 0]
    assert column(store, recipe(questions=4), "done") == [1, 2, 2, 2, 2]
