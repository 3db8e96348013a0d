"""Difficulties and types: dealt evenly and for good, part of keys only where they are asked for, told in every prompt."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stage_world import Reply, commit, commit_subjects, effects, new_store, recipe, sessions, subject

from glan.config import RunConfig
from glan.gateway.requests import Request
from glan.models import ModelProfile
from glan.stages import answers, pairs, questions, syllabi
from glan.stages.pairs import Taught
from glan.stages.sampling.kinds import HAND, Kind, asked_for, kinds
from glan.stages.shared.recipe import Recipe
from glan.stages.shared.typed_questions import check, written
from glan.store.store import Store
from glan.supplements import supplement_of
from glan.units import Receipt

TYPES = {"open": 6, "multiple_choice": 2, "coding": 1, "essay": 1}
LEVELS = {"easy": 1, "medium": 2, "hard": 1}
CHOICE = Kind("easy", "multiple_choice")
QUESTION = """A car brakes from 20 m/s at 5 m/s². How long does it take to stop?

A) 2 s
B) 4 s
C) 5 s
D) 100 s"""
QUESTIONS = {"open": "Why does a lens bend light?", "essay": "Is light a wave? Discuss.", "coding": "Write a lens."}

weights = st.dictionaries(st.sampled_from(sorted(TYPES)), st.floats(0.01, 1_000), min_size=1)


@given(weights, st.integers(0, 1_000), st.integers(0, 30))
def test_every_hand_holds_each_type_in_its_share_to_within_one(given_: dict[str, float], seed: int, hand: int) -> None:
    config = RunConfig(question_types=given_, seed=seed)
    found = Counter(kind.question_type for kind in kinds(config, "physics/optics-1", hand * HAND, (hand + 1) * HAND))
    assert found.keys() <= given_.keys() and found.total() == HAND
    for name, weight in given_.items():
        assert abs(found[name] - HAND * weight / sum(given_.values())) < 1 + 1e-6


def test_a_rare_type_comes_about_as_often_as_it_should_over_many_syllabi() -> None:
    config = RunConfig(question_types={"open": 49, "essay": 1}, difficulties=LEVELS)
    found = Counter(kind for number in range(1_000) for kind in kinds(config, f"physics/subject-{number}", 0, 20))
    essays = sum(count for kind, count in found.items() if kind.question_type == "essay")
    assert 350 < essays < 450
    hard = sum(count for kind, count in found.items() if kind.difficulty == "hard")
    assert 4_800 < hard < 5_200
    assert 80 < found[Kind("hard", "essay")] < 120  # one does not go with the other


@given(st.integers(0, 130), st.integers(0, 130), st.integers(0, 130))
def test_a_sample_is_of_one_kind_whatever_is_asked_for_around_it(start: int, more: int, seed: int) -> None:
    config = RunConfig(question_types=TYPES, difficulties=LEVELS, seed=seed)
    assert kinds(config, "n", 0, start + more)[start:] == kinds(config, "n", start, start + more)


def test_syllabi_and_seeds_begin_differently_and_no_weight_is_no_kind() -> None:
    config = RunConfig(question_types=TYPES, difficulties=LEVELS)
    dealt = {tuple(kinds(config, f"physics/{name}", 0, 20)) for name in ("a", "b", "a.de", "a--b")}
    assert len(dealt | {tuple(kinds(RunConfig(question_types=TYPES, seed=1), "physics/a", 0, 20))}) == 5
    assert kinds(RunConfig(), "n", 3, 5) == [Kind()] * 2 and not asked_for(RunConfig(question_types={"open": 0}))
    assert kinds(RunConfig(difficulties={"hard": 2}), "n", 0, 1) == [Kind("hard", None)]


def test_other_weights_move_only_some_samples() -> None:
    one, other = RunConfig(question_types=TYPES), RunConfig(question_types={**TYPES, "essay": 0})
    places = [f"physics/{number}" for number in range(50)]
    pairs_ = [
        pair for place in places for pair in zip(kinds(one, place, 0, 20), kinds(other, place, 0, 20), strict=True)
    ]
    assert 0.1 <= sum(before != after for before, after in pairs_) / len(pairs_) < 0.3


# ---- keys -------------------------------------------------------------------------------------------------------


def taught(store: Store, made: Recipe, *names: str) -> list[Taught]:
    """Subjects with their syllabi."""
    rows = [subject(name, position=place) for place, name in enumerate(names)]
    unit, listed = commit_subjects(store, made, *rows)
    found = []
    for row in rows:
        below = syllabi.plan(row, unit, listed, made)
        parts = sessions(f"{row['name']} one", f"{row['name']} two")
        body = {
            "syllabus_id": f"{row['subject_id']}.1",
            "subject_id": row["subject_id"],
            "text": "T",
            "sessions": parts,
        }
        found.append(Taught(row, below, commit(store, below, [body], capacity=200)))
    return found


def keys(store: Store, span: tuple[int, int] = (0, 20), **changes: Any) -> list[str]:
    """Of a round, of its answers, and of a round on two subjects."""
    made = recipe(**changes)
    optics, heat = taught(store, made, "Optics", "Heat")
    own = questions.plan(optics.subject, span, optics.unit, optics.receipt, made)
    answered = answers.plan(own, optics.receipt, made)
    return [own.key, answered.key, pairs.plan(heat, optics, span, made).key]


def test_kinds_enter_keys_only_where_they_are_asked_for(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    plain = keys(store)
    assert keys(store, question_types={"open": 0}, difficulties={}) == plain
    typed, levelled = keys(store, question_types=TYPES), keys(store, difficulties=LEVELS)
    assert not {*plain} & {*typed}
    assert (
        levelled[0] != plain[0] and levelled[1] == plain[1] and levelled[2] != plain[2]
    )  # the question tells the rest


def test_weights_that_deal_a_round_the_same_leave_it_as_it_is(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    assert keys(store, question_types=TYPES) == keys(
        store, question_types={name: 3 * one for name, one in TYPES.items()}
    )
    rounds = [(start, start + 2) for start in range(0, 40, 2)]
    fewer = {**TYPES, "essay": 0}
    same = [keys(store, span, question_types=TYPES)[0] == keys(store, span, question_types=fewer)[0] for span in rounds]
    assert 8 <= sum(same) < len(rounds)


# ---- asking and reading -----------------------------------------------------------------------------------------


def said_of(request: Request) -> Reply:
    """A model that writes what it is asked for."""
    asked = request.messages[-1]["content"]
    if "multiple choice:" in asked:
        return f"{QUESTION}\n\nKey: B"
    return f"{QUESTIONS['open']} {request.sample_index}"


def asked_round(
    folder: Path, say: Any = said_of, **changes: Any
) -> tuple[list[Request], list[dict[str, Any]], Receipt]:
    """A round of questions: what was asked, what came of it."""
    store, made = new_store(folder), recipe(**changes)
    [optics] = taught(store, made, "Optics")
    unit = questions.plan(optics.subject, (0, 20), optics.unit, optics.receipt, made)
    run = effects(store, say)
    receipt = questions.run(unit, made, run)
    gateway: Any = run.gateway
    return gateway.asked, store.read(receipt).to_pylist(), receipt


def test_each_prompt_tells_its_kind_and_each_row_has_it(tmp_path: Path) -> None:
    asked, rows, _ = asked_round(tmp_path, question_types=TYPES, difficulties=LEVELS)
    assert len(asked) == len(rows) == 20
    for request, row in zip(asked, rows, strict=True):
        said = request.messages[-1]["content"].rpartition("\n\nWhat kind of question it is")[2]
        assert f"{row['question_type'].replace('_', ' ')}, {row['difficulty']}\n" in said
        assert f"- {row['question_type'].replace('_', ' ')}: " in said and f"- {row['difficulty']}: " in said
        assert said.count("\n- ") == 2 and request.prompt.name == "question"
        choice = row["question_type"] == "multiple_choice"
        assert (row["text"], row["correct_option"]) == (QUESTION, "B") if choice else row["correct_option"] is None


def test_without_kinds_nothing_is_told_and_the_columns_are_empty(tmp_path: Path) -> None:
    asked, rows, _ = asked_round(tmp_path)
    assert not any("What kind of question" in message["content"] for one in asked for message in one.messages)
    assert {(row["difficulty"], row["question_type"], row["correct_option"]) for row in rows} == {(None, None, None)}


def test_several_in_a_call_are_told_apart(tmp_path: Path) -> None:
    def say(request: Request) -> Reply:
        lines = [line for line in request.messages[-1]["content"].splitlines() if line.startswith("Question ")]
        texts = [f"{QUESTION}\n\nKey: A" if "multiple choice" in line else f"{line}, why is it so?" for line in lines]
        return json.dumps({"questions": texts})

    asked, rows, _ = asked_round(tmp_path, say, question_types=TYPES, questions_per_call=5)
    assert len(asked) == 4 and len(rows) == 20
    assert {row["correct_option"] for row in rows if row["question_type"] == "multiple_choice"} == {"A"}


def test_an_example_of_no_kind_is_not_shown_beside_one(tmp_path: Path) -> None:
    profile = {"question": ModelProfile(model="teacher", example=True)}
    models = {**recipe().config.models.model_dump(), **{name: one.model_dump() for name, one in profile.items()}}
    shown = [
        len(asked_round(tmp_path / str(on), question_types=TYPES if on else {}, models=models)[0][0].messages)
        for on in (0, 1)
    ]
    assert shown == [4, 2]


def test_a_retry_asks_for_the_same_kind_again(tmp_path: Path) -> None:
    store, made = new_store(tmp_path), recipe(question_types=TYPES)
    [optics] = taught(store, made, "Optics")
    unit = questions.plan(optics.subject, (0, 20), optics.unit, optics.receipt, made)
    lost = questions.run(
        unit,
        made,
        effects(store, lambda request: "" if "coding:" in request.messages[-1]["content"] else said_of(request)),
    )
    assert lost.quarantined == 2
    again = supplement_of(unit, lost, 1)
    receipt = questions.run(again, made, effects(store, said_of))
    assert [row["question_type"] for row in store.read(receipt).to_pylist()] == ["coding", "coding"]


KEYS = [
    ("Key: B", "B"),
    ("**Key:** (C)", "C"),
    ("Lösung: D", "D"),
    ("答案：A", "A"),
    ("Key: E", None),
    ("", None),
    ("Key: B, since 20 / 5 = 4", None),
]


@pytest.mark.parametrize(("line", "key"), KEYS, ids=str)
def test_the_key_is_the_last_line_and_no_part_of_the_question(line: str, key: str | None) -> None:
    found = written(f"Question 3:\n{QUESTION}\n\n{line}", CHOICE)
    assert found.correct_option == key
    assert found.text == (QUESTION if key else f"{QUESTION}\n\n{line}".strip())
    assert written("Explain.\nKey: B", Kind()).text == "Explain.\nKey: B"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (f"{QUESTION}\nKey: B", None),
        (QUESTION, "no_key"),
        ("How long does it take to stop?\n\nKey: B", "no_options"),
        (QUESTION.replace("C) 5 s\n", "") + "\nKey: B", "no_options"),
        (QUESTION.replace("5 s\n", "4 S\n") + "\nKey: B", "no_options"),
        (QUESTION.replace("A)", "B)", 1).replace("B) 4", "A) 4") + "\nKey: B", "no_options"),
        (QUESTION.replace("C) 5 s", "C)") + "\nKey: B", "no_options"),
        (f"{QUESTION}\nSolution: it stops after 4 s, since 20 / 5 = 4.\nKey: B", "answer_inside"),
        ("Based on the syllabus, which is right?\nA) a\nB) b\nC) c\nD) d\nKey: A", "not_self_contained"),
        ("Which is right?\nA) +1\nB) -1\nC) x + 1\nD) x - 1\nKey: A", None),
    ],
)
def test_options_are_looked_at_before_a_question_becomes_a_row(text: str, problem: str | None) -> None:
    found = check(text, CHOICE)
    assert (found.kind if found else None) == problem


# ---- answers ----------------------------------------------------------------------------------------------------


def answered(folder: Path, **row: Any) -> str:
    """What the answer model is asked, of a question with these columns."""
    store, made = new_store(folder), recipe(question_types=TYPES)
    [optics] = taught(store, made, "Optics")
    unit = questions.plan(optics.subject, (0, 20), optics.unit, optics.receipt, made)
    rows = [{"question_id": "q", "sample_index": 0, "text": QUESTION, "subject_id": "s", "key_concepts": [], **row}]
    receipt = commit(store, unit, rows)
    run = effects(store, lambda request: "B) 4 s")
    answers.run(answers.plan(unit, receipt, made), made, run)
    gateway: Any = run.gateway
    [request] = gateway.asked
    return str(request.messages[-1]["content"])


def test_an_answer_is_asked_for_in_the_form_of_its_type_and_never_told_the_key(tmp_path: Path) -> None:
    said = {name: answered(tmp_path / name, question_type=name, correct_option="B") for name in TYPES}
    assert said["open"] == QUESTION
    assert "one code block" in said["coding"] and "paragraphs" in said["essay"]
    assert said["multiple_choice"].startswith(f"{QUESTION}\n\n") and "Key" not in said["multiple_choice"]
    assert len(set(said.values())) == 4
