"""Whether a text is in the language that was asked for.

Only confident findings count: short texts, formulas and lists of names belong to no language for sure.
"""

import re

from glan.config import Curation
from glan.curation.examples import Example, Text
from glan.curation.identification import ranked
from glan.curation.language_forms import forms_of
from glan.curation.prose import sentences
from glan.curation.words import words

_FEWEST_WORDS = 8  # of prose that is judged
_NO_LANGUAGE = "zxx"  # ISO 639-2: no linguistic content
_OF_NAMES = "la"  # what lists of species, muscles and legal terms are taken for, in whatever language they stand
_CLOSE = 3  # languages that may share the certainty: Mandarin and Wu, Danish and Norwegian are hard to tell apart
_MOST_CHARACTERS = 5_000  # read of each text
_ON_LANGUAGES = re.compile(
    r"\b(?:translat\w+|languages?|linguist\w*|dialects?|in (?:its |the )?original|verbs?|grammar\w*|vocabulary|poems?|lyrics"
    r"|arabic|chinese|mandarin|danish|dutch|english|farsi|finnish|french|german|greek|hebrew|hindi|italian|japanese|korean"
    r"|latin|norwegian|persian|polish|portuguese|russian|sanskrit|spanish|swahili|swedish|turkish|ukrainian|urdu|vietnamese)\b",
    re.IGNORECASE,
)


def other_language(example: Example, settings: Curation) -> str | None:
    """The question, or an answer to a question that is not about languages, is in another language than the one asked for."""
    if settings.language is None:
        return None
    wanted = example.language or settings.language
    if found := other_than(wanted, example.asked, settings.min_language_certainty):
        return f"the question is in another language: {found}"
    found = other_than(wanted, example.said, settings.min_language_certainty)
    if found is None or _is_on_languages(example):
        return None
    return f"the answer is in another language: {found}"


def _is_on_languages(example: Example) -> bool:
    own = example.language and forms_of(example.language).on_languages.search(example.question)
    return bool(own or _ON_LANGUAGES.search(example.question))


def other_than(wanted: str, text: Text, certainty: float) -> str | None:
    """The code of the likeliest language of the prose of a text, if it surely is not the one wanted."""
    code, probability = text.likeliest_language
    if code == wanted and probability >= certainty:  # nearly always, and several times cheaper than what follows
        return None
    prose = " ".join(sentences(text.plain[:_MOST_CHARACTERS]))
    if len(words(prose)) < _FEWEST_WORDS:
        return None
    likely = dict(ranked(prose)[:_CLOSE])
    found = str(next(iter(likely)))
    if wanted in likely or _NO_LANGUAGE in likely or found == _OF_NAMES or sum(likely.values()) < certainty:
        return None
    return found
