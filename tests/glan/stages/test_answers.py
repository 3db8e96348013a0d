"""Each question is answered in a call of its own; what cannot be used is quarantined, never kept."""

from pathlib import Path
from typing import Any

import pytest
from stage_world import commit, commit_subjects, effects, new_store, recipe, sessions, subject

from glan.gateway.requests import Request
from glan.models import ModelProfile, Models
from glan.stages import answers, instructions, questions, syllabi
from glan.stages.shared.making import Effects
from glan.stages.shared.recipe import Recipe
from glan.store.store import Store
from glan.units import Receipt, Unit

TEXTS = ["Why is the sky blue?", "Why is the sea blue?", "What is light?"]


def questions_of(store: Store, made: Recipe) -> tuple[Unit, Receipt]:
    row = subject()
    above, subjects_receipt = commit_subjects(store, made, row)
    syllabus = syllabi.plan(row, above, subjects_receipt, made)
    given = {"syllabus_id": "s", "subject_id": row["subject_id"], "model": "asker", "request_keys": ["q"]}
    receipt = commit(store, syllabus, [{**given, "text": "Text.", "sessions": sessions("Light")}], capacity=7)
    unit = questions.plan(row, (0, 3), syllabus, receipt, made)
    sampled = {"strategy": "single_session", "session_indexes": [0], "key_concepts": ["x"]}
    rows = [
        {**given, **sampled, "question_id": f"q{index}", "sample_index": index, "text": text}
        for index, text in enumerate(TEXTS)
    ]
    return unit, commit(store, unit, rows)


def answered(tmp_path: Path, say: Any) -> tuple[Effects, Recipe, Unit, Receipt]:
    made, store = recipe(), new_store(tmp_path)
    run = effects(store, say)
    unit = answers.plan(*questions_of(store, made), made)
    return run, made, unit, answers.run(unit, made, run)


def an_answer(request: Request) -> str:
    return f"Because of reason {request.sample_index}."


def test_each_answer_goes_to_the_question_that_was_asked(tmp_path: Path) -> None:
    run, _, _, receipt = answered(tmp_path, an_answer)
    rows = run.store.read(receipt).to_pylist()
    assert {row["question_id"]: row["text"] for row in rows} == {f"q{n}": f"Because of reason {n}." for n in range(3)}
    asked = run.gateway.asked
    assert [request.messages[-1]["content"].count(text) for request, text in zip(asked, TEXTS, strict=True)] == [
        1,
        1,
        1,
    ]


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (("Because of the", "length"), "truncated"),
        (("", "stop"), "empty"),
        (("Because", "content_filter"), "filtered"),
        (("I'm sorry, but I can't help with that.", "stop"), "refused"),
        (("<think>hm", "stop"), "empty"),
    ],
)
def test_an_answer_that_cannot_be_used_is_quarantined_by_kind(tmp_path: Path, said: Any, kind: str) -> None:
    run, _, unit, receipt = answered(
        tmp_path, lambda request: said if request.sample_index == 1 else an_answer(request)
    )
    assert (receipt.rows, receipt.quarantined, receipt.planned) == (2, 1, 3)
    assert [row["question_id"] for row in run.store.read(receipt).to_pylist()] == ["q0", "q2"]
    assert [row["error_kind"] for row in run.store.read_quarantine(unit).to_pylist()] == [kind]


def test_answers_have_a_model_profile_of_their_own(tmp_path: Path) -> None:
    other = ModelProfile(model="answerer", temperature=0.7)
    teacher = ModelProfile(model="teacher")
    made = recipe(models=Models(subject=teacher, syllabus=teacher, question=teacher, answer=other))
    store = new_store(tmp_path)
    receipt = answers.run(answers.plan(*questions_of(store, made), made), made, effects(store, an_answer))
    assert {(row["model"], row["temperature"]) for row in store.read(receipt).to_pylist()} == {("answerer", 0.7)}


def test_equal_questions_are_answered_by_draws_of_their_own(tmp_path: Path) -> None:
    run, *_ = answered(tmp_path, an_answer)
    keys = [request.key for request in run.gateway.asked]
    assert len(set(keys)) == 3


def test_instructions_join_each_answer_with_its_question_and_place_in_the_tree(tmp_path: Path) -> None:
    run, made, unit, receipt = answered(
        tmp_path, lambda request: ("Cut", "length") if request.sample_index == 0 else an_answer(request)
    )
    judged = instructions.plan(unit, receipt, subject(), made)
    rows = run.store.read(instructions.run(judged, made, run)).to_pylist()
    assert [(row["question"], row["answer"]) for row in rows] == [
        (TEXTS[1], "Because of reason 1."),
        (TEXTS[2], "Because of reason 2."),
    ]
    for row in rows:
        assert (row["field"], row["discipline"], row["subject"], row["level"]) == (
            "Natural sciences", "Physics", "Optics", "introductory",
        )  # fmt: skip
        assert (row["question_model"], row["answer_model"]) == ("asker", "teacher")
        assert row["request_keys"][0] == "q" and len(row["request_keys"]) == 2
        assert row["kept"] is (row["reasons"] == [])


def test_instructions_of_a_committed_unit_are_not_judged_again(tmp_path: Path) -> None:
    run, made, unit, receipt = answered(tmp_path, an_answer)
    judged = instructions.plan(unit, receipt, subject(), made)
    first = instructions.run(judged, made, run)
    assert instructions.run(judged, made, run) == first
    assert len(run.store.objects("instructions", "physics")) == 1
