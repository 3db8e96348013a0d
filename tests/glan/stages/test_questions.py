"""Rounds of questions are only ever added, and a question has the shape of one."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stage_world import commit, commit_subjects, effects, new_store, recipe, sessions, subject

from glan.config import Curation
from glan.curation.examples import Example
from glan.curation.questions import answer_in_question, question_heading
from glan.gateway.requests import Request
from glan.stages import questions, syllabi
from glan.stages.questions import LONGEST_ROUND, address, rounds, span_of
from glan.stages.shared.making import Effects
from glan.stages.shared.question_shape import bare, check
from glan.stages.shared.recipe import Recipe
from glan.store.store import Store
from glan.units import Receipt, Unit

PLENTY = 10_000


@pytest.mark.parametrize(
    ("existing", "wanted", "capacity", "expected"),
    [
        ([], 20, PLENTY, [(0, 20)]),
        ([], 0, PLENTY, []),
        ([], 250, PLENTY, [(0, 100), (100, 200), (200, 250)]),
        ([], 20, 7, [(0, 7)]),
        ([], 20, 0, []),
        ([(0, 20)], 20, PLENTY, [(0, 20)]),
        ([(0, 20)], 50, PLENTY, [(0, 20), (20, 50)]),
        ([(0, 20), (20, 50)], 50, PLENTY, [(0, 20), (20, 50)]),
        ([(0, 20), (20, 50)], 20, PLENTY, [(0, 20)]),
        ([(0, 20), (20, 50)], 10, PLENTY, [(0, 20)]),
        ([(0, 20), (20, 50)], 30, PLENTY, [(0, 20), (20, 50)]),
        ([(0, 20), (20, 50)], 0, PLENTY, []),
        ([(20, 50), (0, 20)], 300, PLENTY, [(0, 20), (20, 50), (50, 150), (150, 250), (250, 300)]),
        ([(20, 50)], 50, PLENTY, [(0, 20), (20, 50)]),
        ([(200, 250)], 300, PLENTY, [(0, 100), (100, 200), (200, 250), (250, 300)]),
        ([(0, 20), (60, 80)], 100, PLENTY, [(0, 20), (20, 60), (60, 80), (80, 100)]),
        ([(0, 20), (10, 40)], 50, PLENTY, [(0, 20), (20, 50)]),
        ([(0, 20), (0, 50)], 60, PLENTY, [(0, 50), (50, 60)]),
        ([(0, 20)], 50, 30, [(0, 20), (20, 30)]),
        ([(0, 20)], 50, 20, [(0, 20)]),
        ([(0, 20), (20, 50)], 50, 15, [(0, 20)]),
    ],
    ids=str,
)
def test_rounds_stay_and_what_is_missing_is_added(
    existing: list[tuple[int, int]], wanted: int, capacity: int, expected: list[tuple[int, int]]
) -> None:
    assert rounds(existing, wanted, capacity) == expected


spans = st.tuples(st.integers(0, 300), st.integers(0, 150)).map(lambda pair: (pair[0], pair[0] + pair[1]))


@given(st.lists(spans, max_size=6), st.integers(0, 400), st.integers(0, 400))
def test_rounds_join_without_gap_or_overlap_whatever_is_there(
    existing: list[tuple[int, int]], wanted: int, capacity: int
) -> None:
    found = rounds(existing, wanted, capacity)
    end = min(wanted, capacity)
    assert all(start < stop for start, stop in found)
    assert all(one[1] == other[0] for one, other in pairwise(found))
    assert not found or (found[0][0] == 0 and found[-1][0] < end <= found[-1][1])
    assert bool(found) == (end > 0)
    assert all(span in existing or span[1] - span[0] <= LONGEST_ROUND for span in found)
    assert rounds(found, wanted, capacity) == found


@given(st.lists(st.integers(1, 350), min_size=1, max_size=5))
def test_raising_the_number_in_steps_changes_no_earlier_round(steps: list[int]) -> None:
    there: list[tuple[int, int]] = []
    for wanted in sorted(steps):
        further = rounds(there, wanted, PLENTY)
        assert further[: len(there)] == there
        there = further


@pytest.mark.parametrize("node", ["optics-1a2b3c4d", "a.b.c-1", "x-0-1"])
def test_an_address_says_its_syllabus_and_round(node: str) -> None:
    assert span_of(address(node, (20, 120))) == (node, (20, 120))


GOOD = [
    "Define entropy.",
    "A client says in therapy session 3 that she sleeps badly. What should the therapist ask next?",
    "Session 1 with the client ends in silence; Session 2 begins with an apology. What might explain the change?",
    "A browser opens HTTP session 1 and then session 2 with the same cookie. What does the server see?",
    "Explain what happens to uncommitted rows when database session 2 is killed.",
    "The bill was discussed in the previous session of parliament. May it be introduced again?",
    "A school board asks what a syllabus should contain. Draft three criteria and justify each.",
    "A lecturer forgot to state the grading policy in the syllabus. Is the contract argument sound?",
    "Summarise what the client discussed in the session with the social worker, and name one open point.",
    "What does this program print?\n```python\nanswer = 6 * 7\nprint('Answer:', answer)\n```",
    "Find the bug.\n```\n# Session 3 covers this topic\nx = 1/0\n```",
    "What does `Answer: %d` format in this line?",
    "State whether the claim holds, and why.\nAnswer: ____",
    "A student wrote the following. Find the mistake.\nSolution: 2 + 2 = 5, so 4 + 4 = 10.",
    "Answer the following in one paragraph: why is the sky blue?",
    "Answer in French: qui était Molière?",
    "The key concepts of stoicism are often misread. Give one example and correct it.",
    "Exercise raises the pulse. By how much does cardiac output rise if stroke volume doubles too?",
    "Problem solving by analogy fails when surface features mislead. Give an example.",
    "Questions of fact and of law are treated differently on appeal. Why?",
    "解释为什么天空是蓝色的。",
    "اشرح قانون نيوتن الثاني بمثال.",
    "A 10 cm lens forms an image at 30 cm. Where is the object?",
    "What is 3 - 2 in base five? What is 3 * 2 in base five?",
]
BAD = [
    ("", "empty"),
    ("Homework question:", "empty"),
    ("**Question 3:**\n", "empty"),
    ("What is 2 + 2?\n\nAnswer: 4", "answer_inside"),
    ("What is 2 + 2?\n\n**Answer:** 4", "answer_inside"),
    ("Question: What is 2 + 2?\n### Solution:\nAdd them to get 4.", "answer_inside"),
    ("Write a function that doubles a number.\n```python\n# Solution:\ndef f(x): return 2 * x\n```", "answer_inside"),
    ("Explain osmosis.\nSample answer: Water moves through a membrane.", "answer_inside"),
    ("The student has come to this point: trade. What follows from it?", "not_self_contained"),
    ("How does one eat? This question connects the two sessions.", "not_self_contained"),
    ("How does a person eat their food? It matters. How does a person eat their food?", "repetition"),
    ("Using the concepts from Session 2, explain elasticity.", "not_self_contained"),
    ("In Session 4 we learned about entropy. Explain it.", "not_self_contained"),
    ("Session 3: Market structures\n\nCompare monopoly and oligopoly.", "not_self_contained"),
    ("Homework question:\nSession 3: Compare monopoly and oligopoly.", "not_self_contained"),
    ("Relate elasticity (Session 2) to taxes (Session 5).", "not_self_contained"),
    ("Explain how the topics of Sessions 2 and 5 fit together.", "not_self_contained"),
    ("Building on Session 2, derive the lens equation.", "not_self_contained"),
    ("Explain the key concepts above in your own words.", "not_self_contained"),
    ("Use the given key concepts to explain diffraction.", "not_self_contained"),
    ("According to the syllabus, what comes first?", "not_self_contained"),
    ("Explain the theorem covered in the syllabus.", "not_self_contained"),
    ("Apply the method discussed in our previous session.", "not_self_contained"),
    ("Compare the two models introduced in the previous class sessions.", "not_self_contained"),
    ("Explain the idea from class session 7.", "not_self_contained"),
]


@pytest.mark.parametrize("question", GOOD)
def test_a_question_that_stands_alone_passes(question: str) -> None:
    assert check(question) is None
    assert bare(question) == question


@pytest.mark.parametrize(("question", "kind"), BAD)
def test_what_is_no_question_of_its_own_is_asked_again_with_the_reason(question: str, kind: str) -> None:
    problem = check(question)
    assert problem is not None
    assert (problem.kind, problem.ask_again) == (kind, True)


HEADINGS = [
    "Homework question:", "**Homework Question:**", "## Question 12:\n", "Problem Statement:\n", "Exercise:", "HOMEWORK:",
    "Practice problem 3:", "*Question*:", "Question\n\n", "Question text:",
]  # fmt: skip


@pytest.mark.parametrize("heading", HEADINGS)
def test_a_heading_is_taken_off_and_curation_finds_none_left(heading: str) -> None:
    question = bare(f"{heading} Why is the sky blue?")
    assert question == "Why is the sky blue?"
    assert question_heading(Example(question, answer=""), Curation()) is None


@pytest.mark.parametrize("question", GOOD)
def test_what_passes_here_is_not_thrown_away_by_curation_for_its_shape(question: str) -> None:
    example = Example(question, answer="")
    assert question_heading(example, Curation()) is None
    assert answer_in_question(example, Curation()) is None


def a_unit(store: Store, made: Recipe, span: tuple[int, int] = (0, 3)) -> Unit:
    row = subject()
    above, subjects_receipt = commit_subjects(store, made, row)
    syllabus = syllabi.plan(row, above, subjects_receipt, made)
    text = {"syllabus_id": "s", "subject_id": row["subject_id"], "text": "The whole syllabus.", "model": "teacher"}
    receipt = commit(store, syllabus, [{**text, "sessions": sessions("Light", "Lenses")}], capacity=PLENTY)
    return questions.plan(row, span, syllabus, receipt, made)


def asked(run: Effects) -> list[Request]:
    found: list[Request] = run.gateway.asked
    return found


def a_question(request: Request) -> str:
    return f"Homework question: Why does light bend in case {request.sample_index}?"


def made_by(tmp_path: Path, say: Any, span: tuple[int, int] = (0, 3), **changes: Any) -> tuple[Effects, Unit, Receipt]:
    made, store = recipe(**changes), new_store(tmp_path)
    run, unit = effects(store, say), a_unit(store, made, span)
    return run, unit, questions.run(unit, made, run)


def test_each_sample_becomes_one_row_with_the_bare_question(tmp_path: Path) -> None:
    run, _, receipt = made_by(tmp_path, a_question, (5, 9))
    rows = run.store.read(receipt).to_pylist()
    assert [row["sample_index"] for row in rows] == [5, 6, 7, 8]
    assert [row["text"] for row in rows] == [f"Why does light bend in case {index}?" for index in range(5, 9)]
    assert len({row["question_id"] for row in rows}) == 4
    assert {row["strategy"] for row in rows} == {"single_session", "cross_session"}
    assert receipt.planned == 4


def test_a_later_round_goes_on_with_other_samples_than_the_first(tmp_path: Path) -> None:
    first, _, one = made_by(tmp_path / "a", a_question, (0, 6))
    second, _, other = made_by(tmp_path / "b", a_question, (6, 12))
    sets = [
        frozenset(row["key_concepts"])
        for run, receipt in ((first, one), (second, other))
        for row in run.store.read(receipt).to_pylist()
    ]
    assert len(set(sets)) == 12


def test_the_round_a_sample_falls_in_does_not_change_its_request(tmp_path: Path) -> None:
    whole, *_ = made_by(tmp_path / "a", a_question, (0, 6))
    part, *_ = made_by(tmp_path / "b", a_question, (3, 6))
    assert [request.key for request in asked(part)] == [request.key for request in asked(whole)][3:]


@pytest.mark.parametrize("shown", [True, False])
def test_the_prompt_carries_concepts_sessions_and_if_wanted_the_syllabus(tmp_path: Path, shown: bool) -> None:
    run, _, receipt = made_by(tmp_path, a_question, syllabus_in_question_prompt=shown)
    for request, row in zip(asked(run), run.store.read(receipt).to_pylist(), strict=True):
        prompt = request.messages[-1]["content"]
        assert all(concept in prompt for concept in row["key_concepts"])
        assert ("The whole syllabus." in prompt) is shown


def test_prompts_of_one_syllabus_share_a_long_beginning(tmp_path: Path) -> None:
    run, *_ = made_by(tmp_path, a_question)
    for request in asked(run):
        assert request.messages[:-1] == asked(run)[0].messages[:-1]
        assert request.messages[-1]["content"].index("The whole syllabus.") < request.messages[-1]["content"].index(
            "needs"
        )


def test_a_question_that_failed_is_quarantined_with_its_sample_and_the_rest_committed(tmp_path: Path) -> None:
    def say(request: Request) -> str:
        return "What is 1 + 1?\nAnswer: 2" if request.sample_index == 1 else a_question(request)

    run, unit, receipt = made_by(tmp_path, say)
    assert (receipt.rows, receipt.quarantined, receipt.planned) == (2, 1, 3)
    [failed] = run.store.read_quarantine(unit).to_pylist()
    assert (failed["error_kind"], failed["node"]) == ("answer_inside", f"{unit.node} #1")


def test_several_questions_of_one_call_keep_to_their_samples(tmp_path: Path) -> None:
    def say(request: Request) -> str:
        count = request.messages[-1]["content"].count("Sample ")
        texts = [f"**Question:** Why in case {request.sample_index + offset}?" for offset in range(count)]
        return json.dumps({"questions": texts})

    run, _, receipt = made_by(tmp_path, say, (0, 5), questions_per_call=2)
    rows = run.store.read(receipt).to_pylist()
    assert [(row["sample_index"], row["text"]) for row in rows] == [(n, f"Why in case {n}?") for n in range(5)]
    assert [request.sample_index for request in asked(run)] == [0, 2, 4]
    assert receipt.calls == 3


@pytest.mark.parametrize(
    "texts",
    [["Why?"], ["Why so?", "How so?", "When so?"], ["Why so?", "How?\nAnswer: so."], ["Why so?", ""]],
    ids=["too few", "too many", "one with its answer", "one empty"],
)
def test_a_call_of_several_that_fails_quarantines_each_of_its_samples(tmp_path: Path, texts: list[str]) -> None:
    def say(request: Request) -> str:
        return json.dumps({"questions": texts if request.sample_index == 0 else ["Why so?", "How so?"]})

    run, _, receipt = made_by(tmp_path, say, (0, 4), questions_per_call=2)
    assert (receipt.rows, receipt.quarantined, receipt.planned) == (2, 2, 4)
    assert [row["sample_index"] for row in run.store.read(receipt).to_pylist()] == [2, 3]


def test_a_syllabus_with_fewer_concept_sets_than_asked_for_gives_as_many_as_it_has(tmp_path: Path) -> None:
    _, _, receipt = made_by(tmp_path, a_question, (0, 100), cross_session_share=0.0)
    assert receipt.rows == receipt.planned == 14  # two sessions of three concepts: 2 x 7 sets
