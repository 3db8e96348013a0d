"""Whether an answer answers: it is not empty, not a refusal, and not the question once more."""

import re
from collections.abc import Sequence

from glan.config import Curation
from glan.curation.examples import Example
from glan.curation.language_forms import forms_of
from glan.curation.patterns import Guarded
from glan.curation.words import GRAM, grams, grams_of, words
from glan.names import shown

_PLACEHOLDER = re.compile(r"(?:n/a|todo|tbd|\[(?:insert|your|answer)[^\]\n]{0,60}\])?", re.IGNORECASE)
_FILLERS = " \t\r\n.-\u2013\u2014_*#`~\u2026"
_SORRY = (
    r"(?:(?:(?:i'm|i am|we're|we are) )?(?:very |so |really )?(?:sorry|afraid|unfortunately|i apologi[sz]e|my apologies"
    r"|i regret)\b[,.;:!]? ?)?(?:but |that |however,? )?"
)
_CANNOT = (
    r"(?:i can't|i cannot|i can not|i won't(?: be able to)?|i will not(?: be able to)?|(?:i'm|i am) (?:unable|not able) to"
    r"|i must (?:respectfully |politely )?decline to) "
)
_MODEL = r"(?:ai|artificial intelligence|(?:ai |large )?language model(?: ai)?)(?: language)?(?: model| assistant| chatbot| system)?"
_MAKER = r"(?: (?:developed|created|made|trained) by \w+(?: \w+)?)?"
_AS_AN_AI = re.compile(
    rf"{_SORRY}(?:as an? {_MODEL}{_MAKER},? ?(?:i (?:can't|cannot|can not|don't|do not|am not|won't|will not"
    r"|am unable|lack\b|have no\b)|i'm (?:not|unable)\b|my (?:purpose|role|training|knowledge)\b)"
    rf"|(?:i'm|i am) (?:just |only )?an? {_MODEL}{_MAKER}(?:,? (?:and|so))?(?: i)? (?:can't|cannot|can not|don't|do not)\b)",
    re.IGNORECASE,
)
_KIND = r"(?:(?:responsible|ethical|helpful|harmless|honest|neutral|objective|text-based|conversational|virtual),? (?:and )?)*"
_SPEAKS_AS_AI = Guarded(
    (" ai ", " ai,", "language model", "artificial intelligence", "my training", "my knowledge"),
    rf"\b(?:(?i:as an? {_KIND}{_MODEL}{_MAKER}),? ?(?:I (?:can't|cannot|can not|don't|do not|am not|won't|will not"
    r"|am unable|lack\b|have no\b)|I'm (?:not|unable)\b|my (?:purpose|role|training|knowledge)\b)"
    rf"|(?:I'm|I am) (?i:(?:just |only )?an? {_KIND}{_MODEL}{_MAKER})(?:,? (?:and|so))?(?: I)? (?:can't|cannot|can not|don't|do not)\b"
    r"|(?:[Mm]y training data|[Mm]y (?:training|knowledge)) (?:only |currently )?(?:goes|extends|reaches|ends|stops|runs)"
    r" (?:(?:only )?(?:up )?(?:to|until|till)|in|at) (?:\w+ )?(?:19|20)\d\d\b|[Mm]y knowledge cut-?off\b)",
    re.NOFLAG,
)
_QUOTED = re.compile(
    '"[^"\n]*(?:"|$)|\u201c[^\u201d]*\u201d|\u00ab[^\u00bb]*\u00bb|\u2018[^\u2019\n]*\u2019(?!\\w)'
    "|^[ \\t]*>.*$|(?<!\\w)'(?:[^'\n]|(?<=\\w)'(?=\\w))+'(?!\\w)",
    re.MULTILINE,
)
_SPEAKER = re.compile(r":[\W_]*$")  # of a line of dialogue, or what announces an example
_NOTE = re.compile(r"\b(?:note|notice|disclaimer|caveat|warning|important|answer|remark)s?\b[\W_]*$", re.IGNORECASE)
_MADE_UP = re.compile(
    r"\b(?:write|compose|draft|imagine|pretend|act as|role|perspective|voice|persona|story|poem|dialogue|monologue|script|prompts?"
    r"|train(?:ed|ing)|data ?sets?|forecast\w*|time series)\b",
    re.IGNORECASE,
)
_DECLINES = re.compile(
    rf"{_SORRY}{_CANNOT}(?:help you|help with|assist|comply|fulfil+|do that|engage (?:in|with) (?:this|that))",
    re.IGNORECASE,
)
_CANNOT_WRITE = re.compile(
    rf"{_SORRY}(?:{_CANNOT}(?:provide|answer(?! for\b)|create|generate|write|discuss|support|complete|continue|produce)"
    r"|i (?:don't|do not) feel comfortable (?:answering|discussing|providing|writing)"
    r"|i (?:don't|do not) have (?:access to (?:the internet|real|current|external|any|your|that|this)|the ability to)"
    r"|it (?:is|would be) (?:not |in)appropriate for me to)",
    re.IGNORECASE,
)
_MARKS = "*_# "  # of Markdown, before the first word
_LONGEST_REFUSAL = 300  # characters; a longer text that begins with what cannot be given goes on to give the rest
_PIECES = re.compile(r"(?<=[.!?:;])\s+|\n+|(?<=[\u3002\uff01\uff1f])")


def empty_answer(example: Example, settings: Curation) -> str | None:
    """Nothing, or a placeholder. One number, word or symbol is an answer."""
    return "the answer says nothing" if _PLACEHOLDER.fullmatch(example.answer.strip(_FILLERS)) else None


def refusal(example: Example, settings: Curation) -> str | None:
    """The answer opens by declining, or speaks anywhere as a language model about itself."""
    opening = " ".join(example.answer[:400].replace("\u2019", "'").split()).lstrip(_MARKS)
    declined = _AS_AN_AI.match(opening) or _DECLINES.match(opening)
    if declined is None and len(example.answer) <= _LONGEST_REFUSAL:
        declined = _CANNOT_WRITE.match(opening)
    if declined is None and example.language:
        declined = forms_of(example.language).refusal.match(opening)
    if declined:
        return f"the answer opens with '{shown(declined[0])}'"
    spoken = _speaks_as_ai(example)
    return f"the answer speaks as a language model: '{shown(spoken)}'" if spoken else None


def _speaks_as_ai(example: Example) -> str | None:
    """What an answer says of itself as a language model, outside of code and quotations; a part that is played is none."""
    if not _SPEAKS_AS_AI.search(example.said.plain.replace("\u2019", "'")) or _MADE_UP.search(example.question):
        return None
    for line in _own_words(example.said.without_code[0]).splitlines():
        spoken = _SPEAKS_AS_AI.search(line)
        if spoken and not _is_played(line[: spoken.start()]):
            return spoken[0]
    return None


def _own_words(text: str) -> str:
    return _QUOTED.sub(" ", text).replace("\u2019", "'")


def _is_played(before: str) -> bool:
    speaker = _SPEAKER.search(before)
    return speaker is not None and not _NOTE.search(before[: speaker.start()])


def restatement(example: Example, settings: Curation) -> str | None:
    """The answer is the question once more: it adds nothing and leaves out nothing.

    Quoting one of the options of a question, or returning a text corrected as asked, is no restatement: the sentence
    that asks is missing from it.
    """
    least = settings.min_restated_share
    if _has_news(example.asked.words, example.said.words, least):
        return None
    asked, said = grams_of(example.asked.words), grams_of(example.said.words)
    if not said or len(said & asked) < least * len(said):
        return None
    pieces = [piece for piece in _PIECES.split(example.question) if len(words(piece)) >= 3] or [example.question]
    if any(_share(grams(piece), said) < least for piece in pieces):
        return None
    return "the answer only restates the question"


def _has_news(asked: Sequence[str], said: Sequence[str], least: float) -> bool:
    """Whether too many words are new for so large a share of grams to be the same, as in nearly all answers.

    But for two of them, each new word is the last of a gram of its own when it first comes, and that gram is new.
    """
    return len(set(said).difference(asked)) - (GRAM - 1) > (1 - least) * len(said)


def _share(part: set[str], whole: set[str]) -> float:
    return len(part & whole) / len(part) if part else 1.0
