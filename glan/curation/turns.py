"""What speaks against the further turns of a conversation: the rules, as far as they hold of a question that is not the first.

A reason found in one has the rule's code after `follow_up_`; its evidence names the turn, the first pair being turn 1.
"""

from collections.abc import Sequence
from dataclasses import replace

from glan.config import Curation
from glan.curation.contamination import Contamination, Match
from glan.curation.examples import Example, tell_languages
from glan.curation.rules import RULES, Rule
from glan.curation.words import grams_of, size

VERSION = 1
"""Raised by whoever changes what is found in further turns: units judged before are judged again."""

PREFIX = "follow_up_"
REPEATED = f"{PREFIX}repeats_turn"
"""A turn asks or says what one before it did."""

Conversation = Sequence[Example]
"""All turns, the first pair first."""

_OF_FIRST_QUESTIONS = {"empty_question", "not_self_contained"}  # "Why?" asks enough where something was said
_FEWEST_WORDS = 12  # of an answer that is taken for one given before; a shorter result may come twice


def reasons(conversations: Sequence[Conversation], settings: Curation) -> list[dict[str, str]]:
    """What speaks against the further turns of each: evidence by code; nothing where there are none."""
    if settings.language is not None:
        tell_languages([example for turns in conversations for example in turns[1:]])
    return [_reasons(turns, settings) for turns in conversations]


def match(index: Contamination, conversation: Conversation) -> Match | None:
    """The benchmark item that a turn holds, the first of them first; None if all are clean."""
    for number, example in enumerate(conversation, start=1):
        if found := index.match(example):
            return found if number == 1 else replace(found, part=f"{found.part} of turn {number}")
    return None


def _reasons(turns: Conversation, settings: Curation) -> dict[str, str]:
    found: dict[str, str] = {}
    for number, example in enumerate(turns[1:], start=2):
        before = turns[: number - 1]
        for rule in RULES:
            if evidence := _evidence(rule, example, before, settings):
                found.setdefault(f"{PREFIX}{rule.code}", f"turn {number}: {evidence}")
        if evidence := _repeated(example, before, settings.min_restated_share):
            found.setdefault(REPEATED, f"turn {number}: {evidence}")
    return found


def _evidence(rule: Rule, example: Example, before: Conversation, settings: Curation) -> str | None:
    if rule.code in _OF_FIRST_QUESTIONS:
        return None
    evidence = rule.check(example, settings)
    if evidence and rule.code == "other_language":  # which may be what a question before it asks for
        asked = "\n".join(one.question for one in (*before, example))
        return rule.check(replace(example, question=asked), settings)
    return evidence


def _repeated(example: Example, before: Conversation, least: float) -> str | None:
    for number, earlier in enumerate(before, start=1):
        if _share(example.asked.words, earlier.asked.words) >= least:
            return f"it asks what turn {number} asks"
        if (
            size(example.said.words, example.language) >= _FEWEST_WORDS
            and _share(example.said.words, earlier.said.words) >= least
        ):
            return f"it answers what turn {number} answers"
    return None


def _share(spoken: Sequence[str], earlier: Sequence[str]) -> float:
    """Of the word 3-grams of a text, those that an earlier one has."""
    grams = grams_of(spoken)
    return len(grams & grams_of(earlier)) / len(grams) if grams else 0.0
