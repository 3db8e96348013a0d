"""Whether a question can be understood by itself: it points to no session, syllabus, text or picture that is not there."""

import re

from glan.config import Curation
from glan.curation.examples import Example
from glan.curation.language_forms import forms_of
from glan.curation.patterns import Guarded
from glan.curation.words import words
from glan.names import shown

_TAUGHT_IN = r"(?:class |course )?sessions?|lectures?|syllab(?:us|i)|lessons?|textbook|course(?! of)|chapters?"
_TEACHING = rf"(?:class(?:es)?|modules?|{_TAUGHT_IN})"
_SAID = r"(?:discussed|covered|mentioned|described|introduced|presented|learn(?:ed|t)|studied|taught|outlined|explored)"
_SEEN = rf"(?:saw|seen|looked at|met|{_SAID})"
_MATTER = r"(?:topics?|concepts?|materials?|contents?|ideas|principles|methods|techniques)"
_BASED = (
    r"(?:(?:based|build(?:ing)?|drawing|expanding|reflecting|relying) (?:up)?on|referring (?:back )?to|continuing from)"
)
_ENDS = r"(?=['\u2019]s\b|[,.:;?!)]| and\b| we\b|$)"  # "the last session's topic", not "the last session token"
_NOT_OF_IT = r"(?! (?:of|for) (?:an?|each|every|any|errors)\b)"
_TO_TEACHING = Guarded(
    ("class", "session", "lecture", "syllab", "lesson", "module", "textbook", "course", "chapter", "key concept"),
    rf"\b{_SAID}(?: \w+){{0,2}} (?:in|during|throughout) (?:the |this |our |today's |your )?(?:previous |last |first |same )?{_TEACHING}\b"
    rf"|\bwe (?:have )?{_SEEN}(?: \w+){{0,2}} (?:in|during) (?:the |our )?(?:previous |last ){_TEACHING}\b"
    rf"|(?:^|(?<=[.!?] )){_BASED} (?:the |our |your )?(?-i:previous|last) {_TEACHING}\b{_ENDS}"
    r"|\brecall(?:ing)? from (?:the |our )?(?:previous|last) (?:class|session|lecture|lesson)\b"
    rf"|\b(?:according to|based on|as per) (?:the|this|your) syllabus\b{_NOT_OF_IT}"
    rf"|\b(?:today's|our|the (?:above|previous|preceding)) {_TEACHING}\b"
    # The current session of a shell, the current class or module of a program, a given module over a ring are none.
    rf"|\bthe (?:current|given) (?!sessions?\b)(?:{_TAUGHT_IN})\b"
    r"|\bthis class(?: session\b|\b(?! of\b))"
    r"|\bthis (?:(?:class |course )?session|lecture|syllabus|lesson)\b"
    rf"|\b(?:the|this|your) (?:class session|syllabus)(?:es|s)?\b{_NOT_OF_IT}"
    rf"|\bclass sessions? \d|\b{_MATTER} (?:of|from|in) sessions? \d+\b(?! (?:of|with) an?\b)"
    r"|\b(?:session|lecture|lesson|module) (?:above|\d{1,2}(?: and (?:session )?\d{1,2})? of (?:the|this))\b"
    r"|\bkey concepts? (?:above|given|listed|provided|from|of (?:the|this) (?:session|lecture|lesson))\b",
)
# Users of a database, patients and prisoners of war have numbered sessions too.
_TO_NUMBERED = Guarded(
    ("session",),
    rf"\b(?:in|during) sessions? \d+,? (?:(?:we|you) (?:have )?{_SEEN}\b|the (?:\w+ )?{_MATTER} of (?:\w+ ){{1,4}}(?:was|were) {_SAID}\b)"
    rf"|\b{_BASED} sessions? \d+\b{_ENDS}",
)
_THIS_ONE = re.compile(
    r"(?:this|the(?: previous| preceding)?) (class session|class|session|module|lecture|lesson|syllabus)(?:es|s)?", re.I
)
_OF_THIS_COURSE = re.compile(rf"{_SAID}\b.* (?:this|today's|our|your) [\w ]+", re.I)
_OF_ITS_PLAN = re.compile(rf"(?:{_SAID}\b.*|.* (?:to|on|per)) the (?:class )?(?:session|syllabus)", re.I)
_TEACHER = r"(?:teacher|instructor|professor|lecturer|tutor|school|university|college)"
_BY_A_TEACHER = re.compile(rf"(?<!\bas )\ban? (?:[\w-]+ ){{0,2}}?{_TEACHER}\b", re.I)
_MAKES_TEACHING = (
    rf"\b(?:design|plan|develop|create|write|draft|prepare|outline|propose|revise|teach)(?:s|es|ing)? (?:an?|the|his|her) (?:[\w-]+ ){{0,3}}?{_TEACHING}\b"
    r"|\blesson plans?\b|\bcurricul\w+|\bpedagog\w+"
)
_ON_TEACHING = re.compile(
    rf"{_MAKES_TEACHING}|\b(?:an?|one|each|every|her|his|my|their|two|three|some|many|several) (?:[\w-]+ ){{0,2}}?(?:{_TEACHER}|student|pupil)s?\b"
    r"|\b(?:Mr|Mrs|Ms|Dr|Prof(?:essor)?)\b\.? \w|\byou (?:are teaching|teach)\b",
    re.I,
)
_TASK_ON_TEACHING = re.compile(_MAKES_TEACHING, re.I)
# "The graph above" points to one; "the graph above the x-axis" says where it runs.
_ALONE = r"(?! (?:the|an?|it|its|this|that|each|which|average|zero|sea|ground|\d+|[a-z]-axis)\b)"
_DESCRIBED = r"(?![^.?!:]{0,80}: (?!(?:what|which|how|who|where|why|when)\b)\S+(?: \S+){4})"
_TO_PICTURE = Guarded(
    ("above", "below", "following", "shown", "depicted", "pictured"),
    rf"\b(?:figure|diagram|image|graph|picture|chart|photograph|illustration|map|circuit) (?:shown |given |provided |depicted )?(?:above|below)\b{_ALONE}"
    "|\\b(?:shown|depicted|pictured) in the (?:figure|diagram|image|picture|photograph|illustration)\\b(?! ?[\"'\u201c\u2018*_])"
    rf"|\b(?:above|following) (?:figure|diagram|image|picture|photograph|illustration)\b{_DESCRIBED}",
)
_TO_TEXT_ABOVE = Guarded(
    ("above",),
    r"\b(?:the )?above (?:passage|text|excerpt|paragraph|table|code|scenario|article|problem|list|concepts?|topics?)\b"
    rf"|\b(?:passage|text|excerpt|paragraph|table|code|scenario|article|concepts?|topics?) (?:\w+ )?above\b{_ALONE}",
)
_WORDS_OF_A_TEXT = 20  # before "the passage above"; fewer hold no passage
_TO_ALL_ABOVE = Guarded(
    ("above",),
    r"\b(?:based on|given|using|considering|in (?:the )?light of|according to|from) (?:all )?(?:the above(?=[,.;:?!]|$)(?!, below\b)"
    rf"|(?:the )?above (?:information|details|facts)\b|(?:the )?(?:information|details|facts) (?:provided |given |presented |shown )?above\b{_ALONE})",
)
_WORDS_OF_NOTHING = 12  # before it, in a first sentence; more may hold what is meant
_SENTENCE_END = re.compile(r"[.?!:;](?=\s|$)|\S\s*\n")
_DRAWN = re.compile(r"```|!\[|\|.*\|.*\||\\begin\{tikz|[\u2500-\u257f]")


def not_self_contained(example: Example, settings: Curation) -> str | None:
    """The question refers to its course, or to a text or picture that is not part of it."""
    question = " ".join(example.question.split())
    pointed = _to_teaching(question)
    if example.language and pointed is None:
        pointed = forms_of(example.language).outside.search(question)
        if pointed and _is_named_before(question, pointed, pointed[0].split()[-1]):
            pointed = None
    elif pointed is None:
        pointed = _TO_PICTURE.search(question) or _to_text_above(question) or _to_nothing_above(example.question)
        if pointed and _DRAWN.search(example.question):
            pointed = None
    return f"the question refers to something outside it: '{shown(pointed[0], 60)}'" if pointed else None


def _to_teaching(question: str) -> re.Match[str] | None:
    pointed = _TO_TEACHING.search(question)
    if pointed and not (_is_on_teaching(question, pointed) or _is_its_own(question, pointed)):
        return pointed
    numbered = _TO_NUMBERED.search(question)
    return numbered if numbered and not _is_named_before(question, numbered, "sessions?") else None


def _is_on_teaching(question: str, pointed: re.Match[str]) -> bool:
    """Whether what is pointed to is part of a story or a task on teaching: a class that somebody in the question gives."""
    before = question[: pointed.start()]
    if _OF_THIS_COURSE.fullmatch(pointed[0]):
        return False
    if _OF_ITS_PLAN.fullmatch(pointed[0]):
        return _BY_A_TEACHER.search(before) is not None
    if _ON_TEACHING.search(before):
        return True
    return re.match(_SAID, pointed[0], re.I) is None and _TASK_ON_TEACHING.search(question) is not None


def _is_its_own(question: str, pointed: re.Match[str]) -> bool:
    """Whether it is "this class" or "this session" of a question that has spoken of one before: of a program, say."""
    this = _THIS_ONE.fullmatch(pointed[0])
    return this is not None and _is_named_before(question, pointed, rf"{this[1]}(?:es|s)?")


def _is_named_before(question: str, pointed: re.Match[str], noun: str) -> bool:
    return re.search(rf"\b{noun}\b", question[: pointed.start()], re.I) is not None


def _to_text_above(question: str) -> re.Match[str] | None:
    above = _TO_TEXT_ABOVE.search(question)
    return above if above and len(words(question[: above.start()])) < _WORDS_OF_A_TEXT else None


def _to_nothing_above(question: str) -> re.Match[str] | None:
    """What points above itself in the first sentence of a question, before which there is nothing."""
    above = _TO_ALL_ABOVE.search(question)
    if above is None or _SENTENCE_END.search(question, 0, above.start()):
        return None
    return above if len(words(question[: above.start()])) < _WORDS_OF_NOTHING else None
