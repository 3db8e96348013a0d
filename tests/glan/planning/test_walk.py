"""The walk finds what follows from what is done, by the store alone."""

import math
from pathlib import Path

import pytest
from stage_world import LAW, PHYSICS, UNJUDGED, clock, grow, new_store, publish, recipe, teacher

from glan.planning.publishing import publish_units
from glan.planning.scope import walks
from glan.planning.walk import Survey, survey
from glan.stages.shared.recipe import Recipe
from glan.store.store import Store
from glan.taxonomy import Discipline

SAY = teacher("Optics", "Heat", "Waves")


def seen(store: Store, made: Recipe, discipline: Discipline = PHYSICS) -> Survey:
    [walk] = walks(store, [discipline], made)
    return survey(walk)


def counts(found: Survey) -> list[int]:
    return [len(found.done[stage]) for stage in UNJUDGED]


def ready(found: Survey) -> list[tuple[str, str]]:
    return [(unit.stage, unit.address) for unit in found.ready]


def test_in_an_empty_store_there_is_the_list_of_subjects_to_make(tmp_path: Path) -> None:
    found = seen(new_store(tmp_path), recipe())
    assert ready(found) == [("subjects", "physics")]
    assert not found.complete


def test_each_stage_opens_the_next_and_the_end_is_complete(tmp_path: Path) -> None:
    store, made = new_store(tmp_path), recipe()
    for index, stage in enumerate(UNJUDGED):
        grow(store, made, SAY, until=stage)
        found = seen(store, made)
        assert counts(found) == [1, 3, 3, 3, 3][: index + 1] + [0] * (4 - index)
        assert {unit.stage for unit in found.ready} == set(UNJUDGED[index + 1 : index + 2])
    assert found.complete


def test_what_is_named_and_what_only_lies_there_are_both_done(tmp_path: Path) -> None:
    store, made = new_store(tmp_path), recipe()
    receipts = grow(store, made, SAY)
    unnamed = seen(store, made)
    publish(store, {"subjects": receipts["subjects"], "syllabi": receipts["syllabi"][:1]})
    assert counts(seen(store, made)) == counts(unnamed) == [1, 3, 3, 3, 3]


def test_an_object_that_is_named_and_gone_is_made_again(tmp_path: Path) -> None:
    store, made = new_store(tmp_path), recipe()
    receipts = grow(store, made, SAY)
    publish(store, receipts)
    gone = receipts["answers"][1]
    (tmp_path / "store" / "v1" / gone.object).unlink()
    assert ready(seen(store, made)) == [("answers", gone.unit)]


def test_disciplines_do_not_see_each_other(tmp_path: Path) -> None:
    store, made = new_store(tmp_path), recipe()
    grow(store, made, SAY)
    assert ready(seen(store, made, LAW)) == [("subjects", "law")]
    assert seen(store, made).complete


def test_the_first_subjects_by_position_are_taken_and_raising_the_limit_adds_the_next(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    first = grow(store, recipe(subjects=1), SAY)
    publish(store, first)
    assert [receipt.unit.rpartition("-")[0] for receipt in first["syllabi"]] == ["optics"]
    assert [address.rpartition("-")[0] for _, address in ready(seen(store, recipe(subjects=2)))] == ["heat"]
    grow(store, recipe(subjects=3), SAY)
    assert seen(store, recipe(subjects=2)).complete


def test_raising_the_questions_plans_the_further_range_alone(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    publish(store, grow(store, recipe(questions=3), teacher("Optics")))
    more = seen(store, recipe(questions=8))
    assert [(unit.stage, unit.start, unit.stop) for unit in more.ready] == [("questions", 3, 8)]
    assert counts(more) == [1, 1, 1, 1, 1]


def test_lowering_the_questions_plans_nothing_and_removes_nothing(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    publish(store, grow(store, recipe(questions=3), teacher("Optics")))
    publish(store, grow(store, recipe(questions=8), teacher("Optics")))
    assert seen(store, recipe(questions=2)).complete
    assert counts(seen(store, recipe(questions=8))) == [1, 1, 2, 2, 2]


def test_rounds_of_a_killed_run_that_were_never_published_are_found_again(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    grow(store, recipe(questions=3), teacher("Optics"))
    assert [(unit.start, unit.stop) for unit in seen(store, recipe(questions=5)).ready] == [(3, 5)]


def test_a_syllabus_that_failed_has_nothing_below_it(tmp_path: Path) -> None:
    store, made = new_store(tmp_path), recipe()
    grow(store, made, lambda request: "no" if request.stage == "syllabi" else SAY(request))
    found = seen(store, made)
    assert found.complete
    assert counts(found) == [1, 3, 0, 0, 0]


@pytest.mark.parametrize(
    ("changed", "stage"),
    [
        ({"lists": 2}, "subjects"),
        ({"concepts_per_session": 4}, "syllabi"),
        ({"cross_session_share": 0.1}, "questions"),
        ({"curation": {"min_question_words": 3}}, "instructions"),
    ],
    ids=str,
)
def test_a_changed_setting_makes_the_units_of_its_own_stage_ready_again(
    tmp_path: Path, changed: dict[str, object], stage: str
) -> None:
    store = new_store(tmp_path)
    publish(store, grow(store, recipe(), SAY))
    found = seen(store, recipe(**changed))
    assert {unit.stage for unit in found.ready} == {stage}
    assert len(found.ready) == (1 if stage == "subjects" else 3)


def test_a_walk_reads_no_row_but_those_of_subjects(tmp_path: Path) -> None:
    store, made = new_store(tmp_path), recipe()
    receipts = grow(store, made, SAY)
    publish(store, receipts)
    publish_units(store, "physics", receipts["instructions"], "run", clock)
    for stage in ("syllabi", "questions", "answers", "instructions"):
        for receipt in receipts[stage]:
            path = tmp_path / "store" / "v1" / receipt.object
            path.chmod(0o600)
            path.write_bytes(b"unreadable")
    assert counts(seen(store, made)) == [1, 3, 3, 3, 3]
    assert math.isfinite(sum(counts(seen(store, made))))
