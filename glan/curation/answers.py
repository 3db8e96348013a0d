"""Whether an answer answers: it is not empty, not a refusal, and not the question once more."""

import re
from collections.abc import Sequence

from glan.config import Curation
from glan.curation.examples import Example
from glan.curation.language_forms import forms_of
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
_MODEL = (
    r"(?:ai|artificial intelligence|(?:ai |large )?language model)(?: language)?(?: model| assistant| chatbot| system)?"
)
_MAKER = r"(?: (?:developed|created|made|trained) by \w+(?: \w+)?)?"
_AS_AN_AI = re.compile(
    rf"{_SORRY}(?:as an? {_MODEL}{_MAKER},? ?(?:i (?:can't|cannot|can not|don't|do not|am not|won't|will not"
    r"|am unable|lack\b|have no\b)|i'm (?:not|unable)\b|my (?:purpose|role|training|knowledge)\b)"
    rf"|(?:i'm|i am) (?:just |only )?an? {_MODEL}{_MAKER}(?:,? (?:and|so))?(?: i)? (?:can't|cannot|can not|don't|do not)\b)",
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
    """The answer opens by declining, or as a language model that speaks about itself."""
    opening = " ".join(example.answer[:400].replace("\u2019", "'").split()).lstrip(_MARKS)
    declined = _AS_AN_AI.match(opening) or _DECLINES.match(opening)
    if declined is None and len(example.answer) <= _LONGEST_REFUSAL:
        declined = _CANNOT_WRITE.match(opening)
    if declined is None and example.language:
        declined = forms_of(example.language).refusal.match(opening)
    return f"the answer opens with '{shown(declined[0])}'" if declined else None


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
