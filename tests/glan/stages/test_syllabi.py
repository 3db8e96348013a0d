"""A syllabus is committed with sessions that can be used, or quarantined: never an empty row."""

import json
from pathlib import Path
from typing import Any

import pytest
from stage_world import PHYSICS, commit_subjects, effects, new_store, recipe, sessions, subject

from glan.keys import normalised
from glan.replies import ClassSession, SyllabusSessions
from glan.stages import syllabi
from glan.stages.sampling.capacity import capacity
from glan.stages.shared.recipe import Recipe
from glan.store.store import Store
from glan.units import Unit


def reply(*given: dict[str, Any]) -> SyllabusSessions:
    return SyllabusSessions.model_construct(
        sessions=[ClassSession.model_construct(**{"description": "", "key_concepts": ["x"], **one}) for one in given]
    )


def a_unit(store: Store, made: Recipe) -> Unit:
    row = subject()
    above, receipt = commit_subjects(store, made, row)
    return syllabi.plan(row, above, receipt, made)


def test_repeated_titles_repeated_concepts_and_empty_sessions_are_left_out() -> None:
    found = syllabi.usable_sessions(
        reply(
            {"title": " Waves ", "description": " d ", "key_concepts": ["Wave", "wave ", "Phase", "..."]},
            {"title": "WAVES", "key_concepts": ["other"]},
            {"title": "...", "key_concepts": ["other"]},
            {"title": "Empty", "key_concepts": ["", "-"]},
            {"title": "Empty", "key_concepts": ["Full"]},
        )
    )
    assert found == [
        {"title": "Waves", "description": "d", "key_concepts": ["Wave", "Phase"]},
        {"title": "Empty", "description": "", "key_concepts": ["Full"]},
    ]


@pytest.mark.parametrize(("usable", "wanted", "enough"), [(10, 10, True), (5, 10, True), (4, 10, False), (1, 1, True)])
def test_a_reply_that_repeats_itself_is_asked_again_once_less_than_half_is_left(
    usable: int, wanted: int, enough: bool
) -> None:
    different = [{"title": f"Session {number}"} for number in range(usable)]
    copies = [{"title": "Session 0"}] * (wanted - usable)
    problem = syllabi.check(reply(*different, *copies), wanted)
    assert (problem is None) is enough
    if problem is not None:
        assert problem.kind == "few_sessions" and problem.ask_again
        assert str(usable) in problem.message and str(wanted) in problem.message


def test_sessions_in_one_reply_that_differ_only_in_signs_of_their_script_are_all_kept() -> None:
    found = syllabi.usable_sessions(reply({"title": "काल"}, {"title": "कल"}, {"title": "C"}, {"title": "C++"}))
    assert len(found) == 4


def test_two_steps_keep_the_free_text_and_ask_for_its_structure_in_the_next_turn(tmp_path: Path) -> None:
    made = recipe(two_step=True)
    store = new_store(tmp_path)
    structured = json.dumps({"sessions": sessions("Light", "Lenses")})
    run = effects(store, lambda request: structured if request.schema else "A syllabus in *free* text.")
    receipt = syllabi.run(a_unit(store, made), made, run)
    [row] = store.read(receipt).to_pylist()
    assert row["text"] == "A syllabus in *free* text."
    assert row["sessions"] == sessions("Light", "Lenses")
    assert len(row["request_keys"]) == receipt.calls == 2
    assert row["prompt_name"] == "syllabus_structure"
    assert receipt.capacity == capacity([session["key_concepts"] for session in row["sessions"]])


def test_one_call_writes_its_sessions_out_as_the_text(tmp_path: Path) -> None:
    made, store = recipe(), new_store(tmp_path)
    run = effects(store, lambda request: json.dumps({"sessions": sessions("Light", "Lenses")}))
    [row] = store.read(syllabi.run(a_unit(store, made), made, run)).to_pylist()
    for session in row["sessions"]:
        assert all(part in row["text"] for part in [session["title"], session["description"], *session["key_concepts"]])
    assert row["syllabus_id"].startswith(f"{row['subject_id']}.")


@pytest.mark.parametrize(
    "said",
    [
        json.dumps({"sessions": []}),
        json.dumps({"sessions": [{"title": "...", "description": "d", "key_concepts": ["x"]}] * 3}),
        json.dumps({"sessions": sessions("One")}),
        "I would rather talk about something else.",
        ("The first half of a syll", "length"),
        "",
    ],
    ids=["no session", "no title", "too few", "prose", "truncated", "empty"],
)
def test_a_syllabus_that_cannot_be_used_is_quarantined_and_leaves_no_row(tmp_path: Path, said: Any) -> None:
    made, store = recipe(), new_store(tmp_path)
    unit = a_unit(store, made)
    receipt = syllabi.run(unit, made, effects(store, lambda request: said))
    assert (receipt.rows, receipt.quarantined, receipt.planned) == (0, 1, 1)
    [failed] = store.read_quarantine(unit).to_pylist()
    assert failed["node"] == unit.node
    assert failed["raw_text"] == (said if isinstance(said, str) else said[0])


def test_the_prompt_carries_the_subject_as_it_was_listed(tmp_path: Path) -> None:
    made, store = recipe(), new_store(tmp_path)
    run = effects(store, lambda request: json.dumps({"sessions": sessions("Light", "Lenses")}))
    syllabi.run(a_unit(store, made), made, run)
    [request] = run.gateway.asked
    prompt = " ".join(message["content"] for message in request.messages)
    row = subject()
    for part in [row["name"], row["level"], row["introduction"], *row["subtopics"], PHYSICS.discipline]:
        assert part in prompt


def test_the_text_of_a_subject_cannot_run_code_in_a_prompt(tmp_path: Path) -> None:
    made, store = recipe(), new_store(tmp_path)
    row = subject("Optics {{ 7 * 7 }} {% raw %}")
    above, receipt = commit_subjects(store, made, row)
    run = effects(store, lambda request: json.dumps({"sessions": sessions("Light", "Lenses")}))
    syllabi.run(syllabi.plan(row, above, receipt, made), made, run)
    [request] = run.gateway.asked
    assert "Optics {{ 7 * 7 }} {% raw %}" in request.messages[-1]["content"]


def test_concepts_keep_their_spelling_and_differ_as_they_are_compared() -> None:
    [session] = syllabi.usable_sessions(reply({"title": "One", "key_concepts": ["Snell's Law", "SNELL’S LAW", "p-n"]}))
    names = [normalised(concept) for concept in session["key_concepts"]]
    assert session["key_concepts"][0] == "Snell's Law"
    assert len(set(names)) == len(names) == 2


@pytest.mark.parametrize(
    ("text", "names_one"),
    [
        ("biodiversity", True),
        ("biodiversity, Biodiversity", False),
        ("New York, New York", True),
        ("wildlife, wildlife, biodiversity, wildlife, wildlife, wildlife", False),
        ("the law of the conservation of energy", True),
    ],
)
def test_one_word_over_and_over_names_no_concept(text: str, names_one: bool) -> None:
    assert syllabi.is_concept(text) is names_one
