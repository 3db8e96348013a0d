"""Which option an answer names, and what speaks against an answer by the type of its question."""

from typing import Any

import pytest

from glan.config import Curation, RunConfig
from glan.curation.choices import chosen, options_of
from glan.curation.examples import Example
from glan.curation.typed_answers import identity, reasons

QUESTION = """A car brakes from 20 m/s at 5 m/s². How long does it take to stop?

A) 2 s
B) 4 s
C) 5 s
D) 100 s"""
OPTIONS = {"A": "2 s", "B": "4 s", "C": "5 s", "D": "100 s"}

SPELLINGS = [
    QUESTION,
    QUESTION.replace(")", "."),
    QUESTION.replace("A)", "**A)**").replace("B)", "**B)**").replace("C)", "**C)**").replace("D)", "**D)**"),
    QUESTION.replace("A)", "- A)").replace("B)", "- B)").replace("C)", "- C)").replace("D)", "- D)"),
    QUESTION.replace("A)", "(A)").replace("B)", "(B)").replace("C)", "(C)").replace("D)", "(D)"),
    f"A. Smith drives.\n{QUESTION}",
    QUESTION.replace(")", "）"),
]


@pytest.mark.parametrize("question", SPELLINGS)
def test_options_are_read_in_every_usual_spelling(question: str) -> None:
    assert options_of(question) == OPTIONS


@pytest.mark.parametrize(
    "question", ["", "Why?", "A) 1\nB) 2\nC) 3", "B) 1\nA) 2\nC) 3\nD) 4", "Is A) 1 B) 2 C) 3 D) 4?"]
)
def test_what_has_no_four_options_in_order_has_none(question: str) -> None:
    assert options_of(question) == {}


ANSWERS = [
    ("20 / 5 = 4.\n\nB) 4 s", "B"),
    ("**B) 4 s**", "B"),
    ("A) is wrong, since it halves.\nSo the answer is B.", "B"),
    ("The right one is option A", "A"),
    ("Answer: A", "A"),
    ("Answer: B) A time of 4 s", "B"),
    ("Therefore, the correct answer is (C) 5 s.", "C"),
    ("$\\boxed{D}$", "D"),
    ("Die richtige Antwort ist B) 4 s", "B"),
    ("所以答案是B。", "B"),
    ("It takes 4 s.", "B"),
    ("D) 100 s\n\n---", "D"),
    ("I think B is right, not A.", "B"),
    ("I take B rather than option A or C.", "B"),
    ("A is right, and B is wrong.", "A"),
    ("Not A but C.", "C"),
    ("B) 4 s is not a long time", "B"),
    ("The answer is not A.", None),
    ("A car that brakes stops.", None),
    ("A and B", None),
    ("B or C", None),
    ("It takes 7 s.", None),
    ("", None),
]


@pytest.mark.parametrize(("answer", "label"), ANSWERS, ids=str)
def test_the_last_line_names_the_option(answer: str, label: str | None) -> None:
    assert chosen(answer, OPTIONS) == label


def against(question_type: str | None, answer: str, key: str | None = None, **settings: Any) -> list[str]:
    row = {"question_type": question_type, "correct_option": key}
    return list(reasons(row, Example(QUESTION, answer), Curation(**settings)))


def test_a_key_that_the_answer_did_not_come_to_is_a_reason() -> None:
    assert against("multiple_choice", "B) 4 s", "B") == []
    assert against("multiple_choice", "B) 4 s", "C") == ["key_disagrees"]
    assert against("multiple_choice", "It depends.", "C") == ["no_choice"]


def test_code_and_essays_are_what_they_are_called() -> None:
    assert against("coding", "```python\nprint(1)\n```") == []
    assert against("coding", "One would write a loop.") == ["no_code"]
    assert against("essay", "word " * 199) == ["short_essay"]
    assert against("essay", "word " * 200) == against("essay", "word " * 50, min_essay_words=50) == []
    assert against("open", "4") == against(None, "4") == []


def test_only_types_that_are_asked_for_enter_the_keys_of_verdicts() -> None:
    assert identity(RunConfig()) == identity(RunConfig(difficulties={"easy": 1})) == {}
    one = identity(RunConfig(question_types={"open": 1}))
    assert one and one == identity(RunConfig(question_types={"essay": 2}))
    assert one != identity(RunConfig(question_types={"open": 1}, curation={"min_essay_words": 9}))
