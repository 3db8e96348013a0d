"""Whether what a model wrote has the shape of a question: what is asked again before it becomes a row."""

import re

from glan.config import Curation
from glan.curation.examples import Example
from glan.curation.language_forms import forms_of
from glan.curation.patterns import Guarded
from glan.curation.questions import answer_in_question, heading_of
from glan.curation.words import words
from glan.gateway.requests import Problem
from glan.languages import ENGLISH, column

_SENTENCE_END = re.compile(r"(?<=[.?!\n])")
_CODE = re.compile(r"^```.*?^```|`[^`\n]+`", re.MULTILINE | re.DOTALL)
_TAUGHT = (
    r"\b(?i:(?:cover|discuss|learn|introduc|explor|outlin|examin)ed|learnt|studied|taught|concepts?|topics?|material"
    r"|ideas|content|lecture|syllabus|course)\b"
)
_REFERS_OUTSIDE = Guarded(
    ("session", "syllabus", "key concept", "student has come to this point"),
    # "Session 3" is also a word of therapists, parliaments and protocols: it counts where something is taught in it.
    rf"\A\W*Session \d+\s*(?:[:.\u2013\u2014-]|\n)|\(Sessions? \d+|(?i:\bclass sessions? \d)"
    rf"|{_TAUGHT}[^.?!\n]{{0,80}}\bSessions? \d|\bSessions? \d[^.?!\n]{{0,80}}{_TAUGHT}"
    r"|(?i:\b(?:based|building|build|drawing|draw) (?:up)?on Sessions? \d)"
    r"|(?i:\b(?:the|these|this) (?:above|given|provided|listed|aforementioned) (?:syllabus|(?:class )?sessions?|key concepts?)\b)"
    r"|(?i:\b(?:syllabus|class sessions?|key concepts?) (?:provided |listed |given )?above\b)"
    r"|(?i:\bstudent has come to this point\b|\bconnects the two sessions\b|\bneeds (?:all (?:of )?)?(?:the|these) key concepts\b)"
    r"|(?i:\b(?:according to|based on|from) (?:the|this|our|your) (?:course )?syllabus\b)"
    r"|(?i:\b(?:covered|discussed|learned|studied|introduced|taught|listed|outlined) in (?:the|this|our|your) (?:course )?syllabus\b)"
    r"|(?i:\b(?:covered|discussed|learned|studied|introduced|taught) in (?:the |these )?"
    r"(?:(?:this|our|your|previous|earlier|class) )+sessions?\b(?! (?:of|with)\b))",
    re.NOFLAG,
)


def bare(question: str, language: str = ENGLISH) -> str:
    """The question without a heading such as "Homework question:" before it."""
    heading = heading_of(question, column(language))
    return question[heading.end() if heading else 0 :].strip()


def check(question: str, language: str = ENGLISH, seen: str = "question") -> Problem | None:
    """Whether a question has the shape of one: something asked, no answer inside, nothing that it does not carry itself.

    An answer inside is what curation takes for one, so that none is answered first and rejected then. `seen`: what its
    reader has before him, and nothing else.
    """
    text = bare(question, language)
    if not text:
        return Problem("empty", "Only a heading was written; write the question itself.")
    if answer_in_question(Example(text, answer="", language=column(language)), Curation()):
        return Problem("answer_inside", "Write the question only, without its answer or solution.")
    outside = _CODE.sub("", text) if "`" in text else text
    refers_outside = _REFERS_OUTSIDE if language == ENGLISH else forms_of(language).outside
    if refers_outside.search(outside):
        return Problem(
            "not_self_contained",
            f"The reader sees the {seen} alone: do not mention the syllabus, a session or the list of key concepts.",
        )
    if outside.count("?") > 1 and _asks_twice(outside):
        return Problem("repetition", "The same is asked twice; ask each thing once.")
    return None


def _asks_twice(text: str) -> bool:
    sentences = _SENTENCE_END.split(text)
    asked = [tuple(words(sentence)) for sentence in sentences if sentence.endswith("?") and len(sentence.split()) > 3]
    return len(set(asked)) < len(asked)
