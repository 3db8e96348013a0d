"""Whether what a model wrote is a question of the kind that was asked for, and the key that it gives with its options."""

import re
from functools import partial
from typing import NamedTuple

from glan.curation.choices import LABELS, options_of
from glan.gateway.requests import Problem
from glan.languages import ENGLISH
from glan.question_mix import MULTIPLE_CHOICE
from glan.stages.sampling.kinds import Kind
from glan.stages.shared import question_shape

_KEY = re.compile(r"\n\s*(?!\W{0,3}[A-D]\W)[^\n:：]{1,30}[:：]\W*([A-D])\W*\Z")
"""A last line that ends in a label after a colon, and is no option itself."""


class Written(NamedTuple):
    """A question as a row holds it; `correct_option`: of one with options, the label that its writer says is right."""

    text: str
    correct_option: str | None = None


def written(text: str, kind: Kind, language: str = ENGLISH) -> Written:
    """The question in what a model wrote, without heading and key."""
    key = _KEY.search(text) if kind.question_type == MULTIPLE_CHOICE else None
    bare = partial(question_shape.bare, language=language)
    return Written(bare(text[: key.start()]), key[1]) if key else Written(bare(text))


def check(text: str, kind: Kind, language: str = ENGLISH) -> Problem | None:
    """Whether it has the shape of a question, and with options the form that they are told from."""
    question = written(text, kind, language)
    if problem := question_shape.check(question.text, language):
        return problem
    return _check_options(question) if kind.question_type == MULTIPLE_CHOICE else None


def _check_options(question: Written) -> Problem | None:
    options = options_of(question.text)
    if not options:
        return Problem("no_options", "End the question with four options, each on a line of its own: A), B), C), D).")
    if len({" ".join(text.casefold().split()) for text in options.values()}) < len(LABELS):  # 1 is not -1
        return Problem("no_options", "Two of the options are the same; write four different ones.")
    if question.correct_option is None:
        return Problem("no_key", "The last line has to name the right option: the word Key, a colon and its letter.")
    return None
