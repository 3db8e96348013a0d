"""What speaks against an answer to a question of a given type: no option named or another than its key, no code, no essay."""

from collections.abc import Mapping
from typing import Any

from glan.config import Curation, RunConfig
from glan.curation.choices import chosen, options_of
from glan.curation.examples import Example
from glan.curation.words import size
from glan.question_mix import CODING, ESSAY, MULTIPLE_CHOICE

VERSION = 2
"""Raised by whoever changes what is found: units judged before are judged again."""

NO_CHOICE, KEY_DISAGREES, NO_CODE, SHORT_ESSAY = "no_choice", "key_disagrees", "no_code", "short_essay"


def identity(config: RunConfig) -> dict[str, Any]:
    """What the verdicts on types rest on, for the unit_key of instructions; nothing where no type is asked for."""
    return {"types": [VERSION, config.curation.min_essay_words]} if config.question_types.given else {}


def reasons(question: Mapping[str, Any], example: Example, settings: Curation) -> dict[str, str]:
    """Evidence by code against a question and its answer; empty if nothing speaks against them, or it has no type.

    The key is one that the writer of the question gave and the answer has not seen, so two that agree were come to apart.
    """
    asked = question["question_type"]
    if asked == MULTIPLE_CHOICE:
        return _against_choice(question["correct_option"], chosen(example.answer, options_of(example.question)))
    if asked == CODING and "```" not in example.answer:
        return {NO_CODE: "the answer has no block of code"}
    if asked == ESSAY and (words := size(example.said.words, example.language)) < settings.min_essay_words:
        return {SHORT_ESSAY: f"the essay has {words} words, fewer than {settings.min_essay_words}"}
    return {}


def _against_choice(key: str, choice: str | None) -> dict[str, str]:
    if choice is None:
        return {NO_CHOICE: "the answer names none of the options in its last line, or several"}
    return {} if choice == key else {KEY_DISAGREES: f"the answer names {choice}, the key {key}"}
