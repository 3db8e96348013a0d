"""Whether a question is one: something asked, no heading before it, no answer inside."""

import re

from glan.config import Curation
from glan.curation.examples import Example
from glan.curation.language_forms import forms_of
from glan.curation.patterns import Guarded
from glan.curation.words import size

_HEADING = re.compile(
    r"^[\W_]*(?:(?:homework|practice|exam|quiz|exercise|sample|discussion|assignment|challenge)\s+)?"
    r"(?:question|problem|exercise|assignment|homework)(?:\s+(?:\d+|statement|text))?[\s*_#]*(?::|\n|$)[\s*_]*",
    re.IGNORECASE,
)
_ANSWER_SECTION = Guarded(
    ("answer", "solution"),
    r"(?:^(?:[^\w\n]|_)*|(?<=[?\uff1f.!])(?<!\n\d\.)[ \t]+[(\[*_]{0,3})(?:(?:model|sample|correct|suggested|expected)\s+)?"
    r"(?:answer|solution)(?:\s+key)?[*_ \t]*[:\n](?P<given>.*)",
    re.IGNORECASE | re.MULTILINE | re.DOTALL,
)
# A result in a last sentence, no more: "The answer is an integer" and options "A: 4, B: 5" say nothing of it.
_RESULT = r"[-+$\\(]{0,3}\d[\d.,/]*(?: ?(?!digits?|words?|letters?|parts?|steps?)[^\s.?!:]{1,6})?|[A-D]\)?"
_RESULT_TOLD = Guarded(
    ("answer is", "a:", "a**:"),
    rf"(?<=[?.!])\s+[(\[*_]{{0,3}}the (?:correct |right |final )?answer is:?\s+[*_\"(]*(?:{_RESULT})[\s.*_\")\]]*\Z"
    rf"|(?<=[?\uff1f])\s+[*_]*(?-i:A)[*_]*:[*_]*\s+[^?:\uff1f]*\Z",
)
_ASKS_FOR_THE_WAY = re.compile(r"\b(?:explain|show|prove|justify|why|steps?|derive|reason\w*|how)\b", re.IGNORECASE)
_OTHER_LABEL = re.compile(r"\b[A-PR-Z]\s*[:=)]")
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
_IS_CHEMICAL = re.compile(  # what is dissolved, not what is found out
    r"\bpH\b|\b(?:molarity|molality|titrat\w+|dissol\w+|concentration|solutes?|solvents?)\b", re.IGNORECASE
)
_BLANK = re.compile(
    r"(?:your (?:answer|solution)\b.*|(?:yes|true) or (?:no|false)"
    r"|(?:in|with|using|within) (?:[\w-]+ ){1,4}(?:words?|sentences?|paragraphs?|lines?|detail|terms|forms?|units?|decimals?|places))?",
    re.IGNORECASE,
)
_MARK = re.compile(r"[?\uff1f\u061f\u037e]")
_FILLERS = " \t\r\n_.\u2026*[](){}?-"


def empty_question(example: Example, settings: Curation) -> str | None:
    """Too few words to ask anything."""
    count = size([word for word in example.asked.words if word[0].isalnum()], example.language)
    return f"too few words to ask anything: {count}" if count < settings.min_question_words else None


def question_heading(example: Example, settings: Curation) -> str | None:
    """The question begins with a heading such as "Homework question:"."""
    return "the question begins with a heading" if heading_of(example.question, example.language) else None


def heading_of(question: str, language: str | None) -> re.Match[str] | None:
    """The heading that a question begins with, with the marks around it; no language is English."""
    return (forms_of(language).heading if language else _HEADING).match(question)


def answer_in_question(example: Example, settings: Curation) -> str | None:
    """The question goes on with a section that answers it; a solution to be judged or a blank to be filled is none."""
    if example.language:
        return _answered_in(example.question, example.language)
    if not (_has_section(example.question) or _tells_result(example.question)):
        return None
    return "the question has a section with its answer or solution"


def _has_section(question: str) -> bool:
    section = _ANSWER_SECTION.search(question)
    if section is None or "___" in section["given"] or _BLANK.fullmatch(section["given"].strip(_FILLERS)):
        return False
    before = question[: section.start()]
    if _ASKS_TO_JUDGE.search(before) or _ASKS_TO_JUDGE.search(section["given"]) or not _ASKS.search(before):
        return False
    if _IS_CHEMICAL.search(before) and "solution" in section[0][:20].lower() and "=" not in section["given"]:
        return False
    return not (before.endswith((".", "!")) and _ASKS.search(section["given"]))


def _tells_result(question: str) -> bool:
    told = _RESULT_TOLD.search(question)
    if told is None:
        return False
    before = question[: told.start()]
    if _ASKS_TO_JUDGE.search(before) or not _ASKS.search(before):
        return False
    if "answer is" in told[0].lower():
        return not _ASKS_FOR_THE_WAY.search(before)
    return bool(told[0].split(":", 1)[1].strip(_FILLERS)) and not _OTHER_LABEL.search(
        f"{before} {told[0].split(':', 1)[1]}"
    )


def _answered_in(question: str, language: str) -> str | None:
    """The same in another language, whose words for asking are not known: only what has its question mark counts."""
    forms = forms_of(language)
    section = forms.answer_section.search(question)
    if section is None or _BLANK.fullmatch(section["given"].strip(_FILLERS)):
        return None
    before = question[: section.start()]
    if forms.judging.search(before) or _MARK.search(section["given"]) or not _MARK.search(before):
        return None
    return "the question has a section with its answer or solution"
