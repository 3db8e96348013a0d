"""Questions on two subjects: asked once both syllabi are there, only ever added to, made anew when either changes."""

from pathlib import Path

import pytest
from pair_world import NAMES, SAY, looked_at, made_store, pair_of, pair_teacher, shared, small
from stage_world import PHYSICS, UNJUDGED, clock, grow, publish, recipe, teacher

from glan.gateway.prices import Prices
from glan.planning.expansion import standing
from glan.planning.forecast import forecast
from glan.planning.pilot import pilot
from glan.planning.publishing import drop_orphans, orphans, publish_snapshot
from glan.planning.scope import walks
from glan.planning.status import status
from glan.planning.walk import named_units
from glan.stages.shared.recipe import Recipe
from glan.store import manifests, snapshots
from glan.store.store import Store
from glan.units import Scope

ALL = [("Heat", "Optics", 0, 4), ("Waves", "Heat", 0, 4)]
"""Each subject but the first with the partner that comes first in its own order."""


def column(store: Store, made: Recipe, name: str) -> list[int]:
    return [int(number) for number in status(store, [PHYSICS], made)[name]]


def gone(store: Store) -> list[tuple[str, str]]:
    """Rounds of questions on two subjects that are orphans."""
    current = {stage: manifests.current(store.files, stage, "physics") for stage in UNJUDGED}
    named = named_units(current)
    lost = orphans(store, named)["questions"]
    return sorted(pair_of(receipt) for unit, receipt in named["questions"].items() if unit in lost and "--" in unit)


def test_a_round_on_two_subjects_can_be_asked_once_both_syllabi_are_there(tmp_path: Path) -> None:
    made = small()
    store = made_store(tmp_path, made, until="subjects")
    assert shared(looked_at(store, made).ready) == []
    first = grow(store, small(subjects=2), SAY, until="syllabi")
    publish(store, first)
    assert shared(looked_at(store, made).ready) == ALL[:1]
    grow(store, made, SAY)
    assert shared(looked_at(store, made).ready) == [] and looked_at(store, made).complete


def test_off_by_default_and_switched_off_again_there_are_none_to_make_and_none_is_removed(tmp_path: Path) -> None:
    store = made_store(tmp_path, small())
    assert shared(looked_at(store, small(cross_subject_questions=0)).ready) == []
    assert looked_at(store, small(cross_subject_questions=0)).complete
    assert gone(store) == []
    fresh = made_store(tmp_path / "other", small(cross_subject_questions=0))
    assert looked_at(fresh, small(cross_subject_questions=0)).complete
    assert shared(looked_at(fresh, small()).ready) == ALL


def test_a_higher_number_adds_rounds_a_lower_one_leaves_all_as_they_are(tmp_path: Path) -> None:
    store = made_store(tmp_path, small())
    more = shared(looked_at(store, small(cross_subject_questions=25)).ready)
    assert more == [
        ("Heat", "Optics", 4, 25),
        ("Waves", "Heat", 4, 15),
        ("Waves", "Optics", 0, 10),
    ]
    assert looked_at(store, small(cross_subject_questions=2)).complete
    assert shared([unit for unit, _ in looked_at(store, small()).done["questions"].values()]) == ALL


def test_a_further_subject_adds_its_own_pairs_and_changes_no_other(tmp_path: Path) -> None:
    made = small(subjects=2)
    store = made_store(tmp_path, made, pair_teacher(*NAMES))
    for limit in (3, 4):
        before = {at: receipt.key for at, (_, receipt) in looked_at(store, made).done["questions"].items()}
        made = small(subjects=limit)
        publish(store, grow(store, made, pair_teacher(*NAMES)))
        after = {at: receipt.key for at, (_, receipt) in looked_at(store, made).done["questions"].items()}
        assert before.items() < after.items()
        assert {pair_of(unit)[0] for unit, _ in looked_at(store, made).done["questions"].values()} == set(NAMES[:limit])


def test_another_syllabus_of_either_subject_makes_what_rests_on_it_stale_and_nothing_else(tmp_path: Path) -> None:
    store, made = made_store(tmp_path, small()), small(concepts_per_session=4)
    anew = pair_teacher(*NAMES[:3], heat="warmth")
    publish(store, grow(store, made, anew, until="syllabi"))
    seen = looked_at(store, made)
    assert {pair_of(unit) for unit in seen.ready} == {("Heat", ""), ("Heat", "Optics"), ("Waves", "Heat")}
    assert column(store, made, "stale") == [0, 0, 3, 0, 0] and column(store, made, "orphaned") == [0] * 5
    assert gone(store) == [("Heat", "Optics"), ("Waves", "Heat")]
    publish(store, grow(store, made, anew))
    assert gone(store) == [] and looked_at(store, made).complete


def test_readers_see_a_discipline_only_while_both_parents_of_every_round_fit(tmp_path: Path) -> None:
    store = made_store(tmp_path, small())
    publish_snapshot(store, ["physics"], "run", clock)
    made = small(concepts_per_session=4)
    publish(store, grow(store, made, pair_teacher(*NAMES[:3], optics="light"), until="syllabi"))
    publish_snapshot(store, ["physics"], "run", clock)
    latest = snapshots.latest(store.files)
    assert latest and latest.number == 1


@pytest.mark.parametrize(
    ("listed", "lost"),
    [
        (("Heat", "Waves"), [("Heat", "Optics")]),
        (("Optics", "Waves"), [("Heat", "Optics"), ("Waves", "Heat")]),
        (("Heat", "Optics", "Waves"), [("Heat", "Optics")]),  # Optics now comes after Heat
    ],
    ids=["the partner left", "one that was both left", "they changed places"],
)
def test_a_round_whose_subjects_are_no_longer_listed_so_is_an_orphan(
    tmp_path: Path, listed: tuple[str, ...], lost: list[tuple[str, str]]
) -> None:
    store = made_store(tmp_path, small())
    publish(store, grow(store, small(seed=1), teacher(*listed), until="subjects"))
    assert gone(store) == lost
    drop_orphans(store, "physics", "run", clock)
    assert gone(store) == []


def test_a_subject_without_a_syllabus_is_nobodys_partner(tmp_path: Path) -> None:
    def say(request: object) -> object:
        failed = request.stage == "syllabi" and "optics" in request.unit  # type: ignore[attr-defined]
        return "no" if failed else SAY(request)  # type: ignore[arg-type]

    made = small(cross_subject_questions=20)
    store = made_store(tmp_path, made, say)  # type: ignore[arg-type]
    assert looked_at(store, made).complete
    assert shared([unit for unit, _ in looked_at(store, made).done["questions"].values()]) == [("Waves", "Heat", 0, 10)]
    assert gone(store) == []


def test_two_syllabi_that_teach_the_same_have_nothing_to_ask_beyond_their_own(tmp_path: Path) -> None:
    made = small()
    store = made_store(tmp_path, made, pair_teacher(*NAMES[:2], optics="same", heat="same"))
    assert looked_at(store, made).complete
    assert standing(store, PHYSICS, walks(store, [PHYSICS], made)[0].shelf, ["en"]).asked == 2


@pytest.mark.parametrize("until", UNJUDGED[:-1])
@pytest.mark.parametrize("changes", [{}, {"questions_per_call": 3, "cross_subject_questions": 14}], ids=str)
def test_where_inputs_exist_the_forecast_is_what_is_then_asked(
    tmp_path: Path, until: str, changes: dict[str, int]
) -> None:
    made, say = small(**changes), pair_teacher(*NAMES[:3])
    store = made_store(tmp_path, made, say, until=until)  # type: ignore[arg-type]
    table = forecast(store, [PHYSICS], made, Prices().cost).set_index("stage")
    waiting = column(store, made, "waiting")
    after = grow(store, made, say)
    for place, stage in enumerate(UNJUDGED[:-1]):
        there = manifests.current(store.files, stage, "physics")
        known = {receipt.unit for receipt in there.units} if there else set()
        new = [receipt for receipt in after[stage] if receipt.unit not in known]
        assert (table.loc[stage, "calls"], table.loc[stage, "units"]) == (sum(one.calls for one in new), len(new))
        assert waiting[place] + column_of(table, stage, until) == len(new)


def column_of(table: object, stage: str, until: str) -> int:
    """Units of the stage after `until`, which do not wait."""
    following = UNJUDGED[UNJUDGED.index(until) + 1]  # type: ignore[arg-type]
    return int(table.loc[stage, "units"]) if stage == following else 0  # type: ignore[attr-defined]


def test_of_a_discipline_not_yet_listed_as_many_are_expected_as_its_subjects_give(tmp_path: Path) -> None:
    made = small(subjects=3, cross_subject_questions=24)
    table = forecast(made_store(tmp_path, recipe(), until="subjects"), [PHYSICS], made, Prices().cost)
    other = forecast(Store.open(str(tmp_path / "none")), [PHYSICS], made, Prices().cost).set_index("stage")
    assert table.set_index("stage").loc["questions", "calls"] == other.loc["questions", "calls"] == 3 + 2 * 24


def test_questions_on_two_subjects_count_as_asked_and_do_not_say_how_far_a_deck_is_dealt(tmp_path: Path) -> None:
    made = small()
    store = made_store(tmp_path, made)
    [walk] = walks(store, [PHYSICS], made)
    found = standing(store, PHYSICS, walk.shelf, ["en"])
    assert (found.asked, found.judged) == (3 + 2 * 4, 3 + 2 * 4)
    assert list(found.reached.values()) == [1, 1, 1]


def test_what_covers_all_that_readers_see_covers_rounds_beyond_the_limit_too(tmp_path: Path) -> None:
    store = made_store(tmp_path, small(cross_subject_questions=12))
    every = [("Heat", "Optics", 0, 12), ("Waves", "Heat", 0, 10), ("Waves", "Optics", 0, 2)]
    for mode in ("missing", "stale", "refresh"):
        seen = looked_at(store, small(cross_subject_questions=0), Scope(stage="questions", mode=mode))
        units = [*seen.ready, *(unit for unit, _ in seen.done["questions"].values())]
        assert shared(units) == every, mode
        assert max(unit.stop for unit in units if not unit.other_subject_id) == 1


def test_a_pilot_asks_about_one_subject_at_a_time(tmp_path: Path) -> None:
    made = small(questions=4)
    store = made_store(tmp_path, made, until="subjects")
    scope = pilot(walks(store, [PHYSICS], made), made.config, 6)
    [walk] = walks(store, [PHYSICS], made, scope)
    assert walk.recipe.config.cross_subject_questions == 0
