"""A pilot makes so many questions a discipline at the least cost, and the whole run goes on from it and pays nothing twice."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from bare_runs import bare_run
from flow_world import asks_for, config, environment
from model_faults import Faults
from model_server import ModelServer
from proof_checks import paid_twice

import glan
from glan.config import RunConfig
from glan.planning.pilot import pilot
from glan.planning.recipes import recipe_of
from glan.planning.scope import walks
from glan.settings import Settings
from glan.store import runs, taxonomies
from glan.store.store import Store
from glan.units import Scope
from tasks.preparation import prepare

BOTH = ["physics", "economics"]
EACH = 2 * 2  # calls for the subjects of a discipline: two lists in two steps
SYLLABUS = 2
ALL = {"disciplines": BOTH, "subjects": 3, "questions": 4}


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer(seed=5) as server:
        yield server


@pytest.fixture
def store(server: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    return in_folder(tmp_path / "store", server, monkeypatch)


def in_folder(folder: Path, server: ModelServer, monkeypatch: pytest.MonkeyPatch) -> Store:
    for name, value in environment(server, str(folder)).items():
        monkeypatch.setenv(name, value)
    return Store.open(str(folder))


def scope_of(store: Store, whole: RunConfig, questions: int) -> Scope:
    recipe = recipe_of(whole, Settings.load())
    selected = taxonomies.current(store).select(**whole.selectors())
    return pilot(walks(store, selected, recipe), recipe.config, questions)


def run_pilot(store: Store, whole: RunConfig, questions: int) -> Scope:
    scope = scope_of(store, whole, questions)
    bare_run(whole, scope)
    return scope


def asked(store: Store) -> dict[str, int]:
    rows = glan.load("questions", store=store.files.url)
    return dict(rows.groupby("discipline_id").size())


def rows(store: Store) -> pd.DataFrame:
    columns = ["question_id", "discipline_id", "sample_index", "question", "answer", "kept"]
    return glan.load("instructions", store=store.files.url)[columns].sort_values("question_id", ignore_index=True)


def test_one_syllabus_is_enough_where_it_allows_the_questions(store: Store, server: ModelServer) -> None:
    run_pilot(store, config(**ALL), 3)
    assert asked(store) == {"physics": 3, "economics": 3}
    assert server.count == 2 * (EACH + SYLLABUS + 2 * 3)
    assert len(rows(store)) == 6


@pytest.mark.parametrize(("questions", "subjects"), [(4, 1), (5, 2), (8, 2), (12, 3), (100, 3)])
def test_more_questions_take_no_more_syllabi_than_they_need(store: Store, questions: int, subjects: int) -> None:
    scope = scope_of(store, config(**ALL), questions)
    assert set(scope.subjects.values()) == {subjects}
    assert all(subjects * each >= min(questions, 12) for each in scope.questions.values())


def test_the_whole_run_goes_on_from_a_pilot_and_equals_one_without(
    store: Store, server: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = config(**ALL)
    run_pilot(store, whole, 3)
    assert bare_run(whole) == "Completed"
    assert not paid_twice(server)
    with_pilot, calls = rows(store), server.count

    server.reset()
    other = in_folder(tmp_path / "other", server, monkeypatch)
    bare_run(whole)

    assert server.count == calls
    pd.testing.assert_frame_equal(with_pilot, rows(other))


def test_where_a_call_brings_several_questions_a_pilot_asks_whole_calls(store: Store, server: ModelServer) -> None:
    whole = config(disciplines=["physics"], subjects=1, questions=6, questions_per_call=2)
    run_pilot(store, whole, 3)
    assert asked(store) == {"physics": 4}
    bare_run(whole)
    assert asked(store) == {"physics": 6}
    assert sum("question" in asks_for(call.payload) for call in server.calls) == 3
    assert not paid_twice(server)


def test_a_syllabus_that_cannot_be_written_is_followed_by_the_next(store: Store, server: ModelServer) -> None:
    server.faults = Faults(when=lambda payload, nth: "content_filter" if server.count > EACH else None)
    whole = config(disciplines=["physics"], subjects=3, questions=4)
    before = run_pilot(store, whole, 2)
    after = scope_of(store, whole, 2)
    assert (before.subjects, after.subjects) == ({"physics": 1}, {"physics": 2})
    server.faults = Faults()
    bare_run(whole, after)
    assert asked(store) == {"physics": 2}
    assert scope_of(store, whole, 2) == after


def test_a_pilot_and_the_whole_run_spend_one_budget(store: Store) -> None:
    whole, other = config(**ALL, budget={"calls": 9}), config(**ALL, budget={"calls": 10})
    scope = scope_of(store, whole, 1)
    files = store.files

    def budget_of(run_id: str, given: RunConfig, scope: Scope = Scope(), ends: bool = True) -> str:
        order = prepare(given, run_id, scope)
        if ends:
            runs.end(files, order.run_id, "Completed", runs.find(files, run_id).started_at)
        return runs.find(files, run_id).budget_id

    assert budget_of("pilot", whole, scope) == "pilot"
    assert budget_of("whole", whole, ends=False) == "pilot"
    assert budget_of("pilot-again", whole, scope) == "pilot"  # the whole run was killed
    assert budget_of("whole-again", whole) == "pilot"
    assert budget_of("afresh", whole) == "afresh"  # and has ended
    assert budget_of("other", other, scope) == "other"
    assert budget_of("next-pilot", other, scope) == "next-pilot"
