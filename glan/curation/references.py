"""Whether a question can be understood by itself: it points to no session, syllabus, text or picture that is not there."""

import re

from glan.config import Curation
from glan.curation.examples import Example
from glan.curation.language_forms import forms_of
from glan.curation.patterns import Guarded
from glan.curation.words import words
from glan.names import shown

_TEACHING = r"(?:class(?:es)?|(?:class |course )?sessions?|lectures?|syllab(?:us|i)|lessons?|modules?|textbook|course(?! of)|chapters?)"
_SAID = r"(?:discussed|covered|mentioned|described|introduced|presented|learn(?:ed|t)|studied|taught|outlined|explored)"
_TO_TEACHING = Guarded(
    ("class", "session", "lecture", "syllab", "lesson", "module", "textbook", "course", "chapter", "key concept"),
    rf"\b{_SAID}(?: \w+){{0,2}} (?:in|during|throughout) (?:the |this |our |today's |your )?(?:previous |last |first |same )?{_TEACHING}\b"
    rf"|\b(?:today's|our|the (?:above|previous|preceding|current|given)) {_TEACHING}\b"
    r"|\bthis (?:class(?: session)?|(?:class |course )?session|lecture|syllabus|lesson)\b"
    r"|\b(?:the|this|your) (?:class session|syllabus)(?:es|s)?\b"
    r"|\b(?:session|lecture|lesson|module) (?:above|\d{1,2}(?: and (?:session )?\d{1,2})? of (?:the|this))\b"
    r"|\bkey concepts? (?:above|given|listed|provided|from|of (?:the|this) (?:session|lecture|lesson))\b",
)
_ON_TEACHING = re.compile(
    r"\b(?:teach(?:er|ers|ing)?|students?|pupils?|instructors?|professors?|curricul\w+|pedagog\w+|design (?:a|an|the) \w+)\b",
    re.I,
)
_TO_PICTURE = Guarded(
    ("above", "below", "following", "shown", "depicted", "pictured"),
    r"\b(?:figure|diagram|image|graph|picture|chart|photograph|illustration|map|circuit) (?:shown |given |provided |depicted )?(?:above|below)\b"
    r"|\b(?:shown|depicted|pictured) in the (?:figure|diagram|image|picture|photograph|illustration)\b"
    r"|\b(?:above|following) (?:figure|diagram|image|picture|photograph|illustration)\b",
)
_TO_TEXT_ABOVE = Guarded(
    ("above",),
    r"\b(?:the )?above (?:passage|text|excerpt|paragraph|table|code|scenario|article|problem|list|concepts?|topics?)\b"
    r"|\b(?:passage|text|excerpt|paragraph|table|code|scenario|article|concepts?|topics?) (?:\w+ )?above\b",
)
_WORDS_OF_A_TEXT = 20  # before "the passage above"; fewer hold no passage
_DRAWN = re.compile(r"```|!\[|\|.*\|.*\||\\begin\{tikz|[\u2500-\u257f]")


def not_self_contained(example: Example, settings: Curation) -> str | None:
    """The question refers to its course, or to a text or picture that is not part of it."""
    question = " ".join(example.question.split())
    pointed = _TO_TEACHING.search(question)
    if pointed and _ON_TEACHING.search(question):
        pointed = None
    if example.language and pointed is None:
        pointed = forms_of(example.language).outside.search(question)
    elif pointed is None:
        pointed = _TO_PICTURE.search(question) or _to_text_above(question)
        if pointed and _DRAWN.search(example.question):
            pointed = None
    return f"the question refers to something outside it: '{shown(pointed[0], 60)}'" if pointed else None


def _to_text_above(question: str) -> re.Match[str] | None:
    above = _TO_TEXT_ABOVE.search(question)
    return above if above and len(words(question[: above.start()])) < _WORDS_OF_A_TEXT else None
