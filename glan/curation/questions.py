"""Whether a question is one: something asked, no heading before it, no answer inside."""

import re
from itertools import islice

from glan.config import Curation
from glan.curation.examples import Example
from glan.curation.patterns import Guarded

_HEADING = re.compile(
    r"^[\W_]*(?:(?:homework|practice|exam|quiz|exercise|sample|discussion|assignment|challenge)\s+)?"
    r"(?:question|problem|exercise|assignment|homework)(?:\s+(?:\d+|statement|text))?[\s*_#]*(?::|\n|$)",
    re.IGNORECASE,
)
_ANSWER_SECTION = Guarded(
    ("answer", "solution"),
    r"^(?:[^\w\n]|_)*(?:(?:model|sample|correct|suggested|expected)\s+)?(?:answer|solution)(?:\s+key)?[*_ \t]*:(?P<given>.*)",
    re.IGNORECASE | re.MULTILINE | re.DOTALL,
)
_ASKS = re.compile(
    r"[?\uff1f\u061f]|\b(?:analy[sz]e|calculate|compare|compute|derive|describe|design|determine|discuss|estimate"
    r"|evaluate|explain|find|give|how|identify|implement|interpret|list|name|prove|show|sketch|solve|state"
    r"|suggest|what|which|why|write)\b",
    re.IGNORECASE,
)
_ASKS_TO_JUDGE = re.compile(
    r"\b(?:mistakes?|errors?|wrong|incorrect(?:ly)?|correct(?:ness)?|flaws?|flawed|critique|critici[sz]e|assess"
    r"|evaluate (?:the|this) (?:following|solution|answer|argument|proof|reply)|check|verify|valid|invalid|feedback|grade|improve|student'?s|review|debug|agree|fill in|complete the)\b",
    re.IGNORECASE,
)
_BLANK = re.compile(r"(?:your (?:answer|solution)\b.*)?", re.IGNORECASE)
_FILLERS = " \t\r\n_.\u2026*[](){}?-"


def empty_question(example: Example, settings: Curation) -> str | None:
    """Too few words to ask anything."""
    least = settings.min_question_words
    count = sum(1 for _ in islice((word for word in example.asked.words if word[0].isalnum()), least))
    return f"too few words to ask anything: {count}" if count < least else None


def question_heading(example: Example, settings: Curation) -> str | None:
    """The question begins with a heading such as "Homework question:"."""
    return "the question begins with a heading" if _HEADING.match(example.question) else None


def answer_in_question(example: Example, settings: Curation) -> str | None:
    """The question goes on with a section that answers it; a solution to be judged or a blank to be filled is none."""
    section = _ANSWER_SECTION.search(example.question)
    if section is None or _BLANK.fullmatch(section["given"].strip(_FILLERS)):
        return None
    before = example.question[: section.start()]
    if _ASKS_TO_JUDGE.search(before) or _ASKS_TO_JUDGE.search(section["given"]) or not _ASKS.search(before):
        return None
    return "the question has a section with its answer or solution"
