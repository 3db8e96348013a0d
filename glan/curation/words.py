"""Texts as sequences of words, and how alike two of them are.

Finer than `keys.normalised` in what would make different questions the same: operators count ("3 + 4" is not
"3 - 4"), vowel signs stay on their letters, and scripts written without spaces give one word a character.
"""

import re
import unicodedata

GRAM = 3
"""Words in a gram; questions are short, and longer grams are too coarse below about twenty words."""

_MARKS = "".join(chr(point) for point in range(0x300, 0x2000) if unicodedata.category(chr(point))[0] == "M")
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_OPERATORS = "+*/^%=<>|~&\u00ac\u00b1\u00d7\u00f7\u2190-\u22ff\u27f0-\u27ff\u2a00-\u2aff"
_WORD = re.compile(
    rf"[{_UNSPACED}]"
    rf"|[^\W{_UNSPACED}][\w{_MARKS}]*"
    rf"|[{_OPERATORS}]"
    r"|(?<![^\W\d_])-(?=\s*[\w(])|-(?=\d)"  # a minus, not a hyphen between letters
    r"|(?<=[\d)])!|!(?==)"  # a factorial or a negation, not an exclamation
)
_LINE_MARK = re.compile(r"^[ \t]*(?:[-*+>]|#{1,6}|\d{1,3}[.)])[ \t]+", re.MULTILINE)
_EMPHASIS = re.compile(r"(?<!\w)(\*{1,3})(?=\S)([^*\n]+)(?<=\S)\1(?!\w)")


def words(text: str) -> list[str]:
    """The words and operators of a text in order: NFKC, case-folded, without punctuation and Markdown's marks."""
    plain = _EMPHASIS.sub(r"\2", _LINE_MARK.sub("", text))
    return _WORD.findall(unicodedata.normalize("NFKC", plain).casefold())


def grams(text: str) -> set[str]:
    """The word 3-grams of a text; a text of one or two words is a single gram, one of none has no grams."""
    return grams_of(words(text))


def grams_of(found: list[str]) -> set[str]:
    """The 3-grams of a sequence of words."""
    if len(found) < GRAM:
        return {" ".join(found)} if found else set()
    return {" ".join(triple) for triple in zip(found, found[1:], found[2:], strict=False)}


def jaccard(one: set[str], other: set[str]) -> float:
    """Shared grams as a share of all, in [0, 1]; 0 if there are none."""
    shared = len(one & other)
    return shared / (len(one) + len(other) - shared) if shared else 0.0
