"""What is settled is noted, and no note outlives what it was taken from."""

from pathlib import Path

import pandas as pd
import pytest
from stage_world import PHYSICS, grow, new_store, publish, recipe, teacher

from glan.planning import settled
from glan.planning.scope import walks
from glan.planning.status import status
from glan.planning.walk import Walk, survey
from glan.stages.shared.recipe import Recipe
from glan.store.store import Store

SAY = teacher("Optics", "Heat")


def walk_of(store: Store, made: Recipe) -> Walk:
    [walk] = walks(store, [PHYSICS], made)
    return walk


def noted(store: Store, made: Recipe) -> settled.Settled | None:
    return settled.noted(store, walk_of(store, made))


def note(store: Store, made: Recipe) -> None:
    walk = walk_of(store, made)
    settled.note(store, walk, survey(walk))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """One in which physics is finished and noted."""
    made = new_store(tmp_path)
    publish(made, grow(made, recipe(), SAY))
    note(made, recipe())
    return made


def test_status_says_the_same_with_a_note_as_without(store: Store) -> None:
    assert noted(store, recipe()) is not None
    with_note = status(store, [PHYSICS], recipe())
    store.files.delete("_notes/settled/physics.json")
    pd.testing.assert_frame_equal(with_note, status(store, [PHYSICS], recipe()))


def test_an_object_that_has_gone_makes_the_note_void(store: Store) -> None:
    store.files.delete(min(store.objects("answers", "physics")))
    assert noted(store, recipe()) is None
    assert list(status(store, [PHYSICS], recipe())["missing"] + status(store, [PHYSICS], recipe())["stale"]) != [0] * 5


def test_an_object_that_has_come_makes_the_note_void(store: Store) -> None:
    grow(store, recipe(questions=5), SAY)
    assert noted(store, recipe()) is None


@pytest.mark.parametrize("changes", [{"questions": 5}, {"subjects": 1}, {"seed": 1}, {"max_sessions": 29}])
def test_another_configuration_has_no_note(store: Store, changes: dict[str, int]) -> None:
    assert noted(store, recipe(**changes)) is None


def test_which_disciplines_a_run_is_for_does_not_matter(store: Store) -> None:
    assert noted(store, recipe(disciplines=["physics"], on_busy="skip")) is not None


def test_what_is_unfinished_is_not_noted(tmp_path: Path) -> None:
    unfinished = new_store(tmp_path)
    publish(unfinished, grow(unfinished, recipe(), SAY, until="questions"))
    note(unfinished, recipe())
    assert noted(unfinished, recipe()) is None


def test_what_readers_do_not_see_yet_is_not_noted(tmp_path: Path) -> None:
    unseen = new_store(tmp_path)
    grow(unseen, recipe(), SAY)
    note(unseen, recipe())
    assert noted(unseen, recipe()) is None


def test_a_damaged_note_is_as_none(store: Store) -> None:
    store.files.replace("_notes/settled/physics.json", b"{")
    assert noted(store, recipe()) is None
