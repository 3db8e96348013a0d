"""Who is asked about together with whom, and what the questions on both are made from."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from pair_world import SAY, made_store, pair_of, small
from stage_world import PHYSICS, effects, recipe, subject

from glan.planning.scope import walks
from glan.planning.walk import survey
from glan.stages import pairs, questions
from glan.stages.pairs import Taught, among, node, partners, syllabi_of, turns
from glan.stages.shared.recipe import Recipe
from glan.store.store import Store
from glan.units import Unit

LISTED = [subject(f"Subject {number}", position=number) for number in range(40)]


@given(st.integers(0, 300), st.integers(0, 300), st.integers(0, 30))
def test_a_higher_number_of_questions_takes_nothing_from_any_partner(fewer: int, more: int, among: int) -> None:
    low, high = turns(min(fewer, more), among), turns(max(fewer, more), among)
    assert sum(low) == (min(fewer, more) if among else 0)
    assert all(one <= other for one, other in zip(low, high, strict=False)) and len(low) <= len(high) <= among


def test_partners_are_the_subjects_before_and_those_after_change_nothing() -> None:
    for one in LISTED[:12]:
        found = partners(one, LISTED[:12], 25)
        assert {LISTED.index(row) for row in LISTED if row["subject_id"] in found} <= set(range(one["position"]))
        assert sum(found.values()) == (25 if one["position"] else 0)
        assert partners(one, LISTED, 25) == found
    first = [next(iter(partners(one, LISTED, 10))) for one in LISTED[20:]]
    assert len(set(first)) > 10  # each subject has an order of its own


def test_all_rounds_of_a_discipline_are_those_of_its_subjects() -> None:
    each = [partners(one, LISTED[:8], 230) for one in LISTED[:8]]
    spans = [span for found in each for size in found.values() for span in questions.rounds([], size, size)]
    assert sorted(among(8, 230)) == sorted(spans)


def test_an_address_says_both_subjects_and_is_never_taken_for_a_round_of_one() -> None:
    own, other = LISTED[3]["subject_id"], LISTED[1]["subject_id"]
    place = node(own.partition(".")[2], other)
    at = questions.address(place, (10, 20))
    assert questions.ROUND.fullmatch(at) and questions.span_of(at) == (place, (10, 20))
    assert syllabi_of(at) == (own.partition(".")[2], pairs.mark(other))
    assert syllabi_of(questions.address("optics-1a2b3c4d", (0, 10))) == ("optics-1a2b3c4d", "")
    assert pairs.mark("optics-1a2b3c4d.syllabi1") == pairs.mark("physics.optics-1a2b3c4d") == "1a2b3c4d"


def two(store: Store, made: Recipe) -> tuple[Taught, Taught]:
    """Heat and optics with their syllabi."""
    [walk] = walks(store, [PHYSICS], made)
    done = survey(walk).done
    [[_, listed]] = done["subjects"].values()
    rows = {row["subject_id"]: row for row in store.read(listed).to_pylist()}
    optics, heat = (
        Taught(row, *next(one for one in done["syllabi"].values() if one[0].subject_id == row["subject_id"]))
        for row in sorted(rows.values(), key=lambda row: int(row["position"]))[:2]
    )
    return heat, optics


def changed(one: Taught, **columns: Any) -> Taught:
    return one._replace(subject={**one.subject, **columns})


def test_a_key_holds_both_subjects_with_their_syllabi_and_what_shapes_the_questions(tmp_path: Path) -> None:
    made = small()
    heat, optics = two(made_store(tmp_path, made, until="syllabi"), made)
    other = replace(optics.receipt, content_digest="0" * 64)
    again = replace(optics.receipt, key="1" * 64, object="elsewhere", sha256="2" * 64)

    def key(
        later: Taught = heat, earlier: Taught = optics, span: Any = (0, 4), edition: int = 0, **changes: Any
    ) -> str:
        return pairs.plan(later, earlier, span, small(**changes), edition).key

    assert key(earlier=optics._replace(receipt=again)) == key()
    assert key(cross_session_share=0.1, questions=9, cross_subject_questions=99, subjects=2) == key()
    different = [
        key(),
        key(earlier=optics._replace(receipt=other)),
        key(later=heat._replace(receipt=other)),
        key(changed(heat, level="other")),
        key(heat, changed(optics, name="Other")),
        key(span=(4, 8)),
        key(edition=1),
        key(seed=1),
        key(questions_per_call=2),
        key(syllabus_in_question_prompt=False),
    ]
    assert len(set(different)) == len(different)


def run_pair(folder: Path, **changes: Any) -> tuple[list[Any], list[dict[str, Any]], Unit]:
    """A round on heat and optics: what was asked and what came of it."""
    made = small(**changes)
    store = made_store(folder, made, until="syllabi")
    unit = pairs.plan(*two(store, made), (2, 6), made)
    run = effects(store, SAY)
    receipt = questions.run(unit, made, run)
    assert receipt.planned == 4 and receipt.parent_digest == unit.parent_digest
    asked: Any = run.gateway
    return asked.asked, store.read(receipt).to_pylist(), unit


@pytest.mark.parametrize("shown", [True, False])
def test_the_prompt_carries_both_courses_and_the_rows_say_what_is_whose(tmp_path: Path, shown: bool) -> None:
    asked, rows, unit = run_pair(tmp_path, syllabus_in_question_prompt=shown)
    assert pair_of(unit) == ("Heat", "Optics") and unit.node == "physics/heat and optics 2-6"
    for request, row in zip(asked, rows, strict=True):
        prompt = request.messages[-1]["content"]
        assert f"needs these key concepts: {'; '.join(row['key_concepts'])}" in prompt
        assert "Course: Heat (Physics)" in prompt and "Course: Optics (Physics)" in prompt
        assert ("Key concepts: optics first 0" in prompt and "Key concepts: heat first 0" in prompt) is shown
        assert (row["strategy"], row["other_subject"]) == ("cross_subject", "Optics")
        assert row["other_syllabus_id"].startswith(row["other_subject_id"]) and "optics" in row["other_subject_id"]
        assert row["syllabus_id"].startswith(row["subject_id"]) and "heat" in row["subject_id"]
        of_optics = [name for name in row["key_concepts"] if name.startswith("optics")]
        assert row["other_key_concepts"] == of_optics and 0 < len(of_optics) < len(row["key_concepts"])
        assert len(row["session_indexes"]) == len(row["other_session_indexes"]) == 1
    assert [row["sample_index"] for row in rows] == [2, 3, 4, 5]


def test_several_may_be_asked_for_in_a_call(tmp_path: Path) -> None:
    asked, rows, _ = run_pair(tmp_path, questions_per_call=3)
    assert [request.sample_index for request in asked] == [2, 5] and len(rows) == 4
    assert asked[0].prompt.name == "question_across_batch"
    for row in rows[:3]:
        assert f"\nKey concepts: {'; '.join(row['key_concepts'])}\n" in asked[0].messages[-1]["content"]


def test_questions_of_two_pairs_have_ids_of_their_own_though_they_read_the_same(tmp_path: Path) -> None:
    made = recipe()
    store = made_store(tmp_path, made, until="syllabi")
    heat, optics = two(store, made)
    run = effects(store, lambda request: "Why is that so in every case?")
    rows = [
        row
        for unit in (
            pairs.plan(heat, optics, (0, 2), made),
            replace(pairs.plan(optics, heat, (0, 2), made)),
            questions.plan(heat.subject, (0, 2), heat.unit, heat.receipt, made),
        )
        for row in store.read(questions.run(unit, made, run)).to_pylist()
    ]
    assert len({row["question_id"] for row in rows}) == len(rows) == 6
