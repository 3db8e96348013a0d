"""Texts as sequences of words, and how alike two of them are.

Finer than `keys.normalised` in what would make different questions the same: operators count ("3 + 4" is not
"3 - 4", "10²" not "102"), a decimal number is one word ("1.5" is not "1, 5"), vowel signs stay on their letters, and
scripts written without spaces give one word a character. What only looks different is the same: "3 × 4" and "3 * 4",
"1,000" and "1000", and whatever characters nobody sees.
"""

import math
import re
import unicodedata
from collections.abc import Sequence

from glan.languages import CHARACTERS_PER_WORD

GRAM = 3
"""Words in a gram; questions are short, and longer grams are too coarse below about twenty words."""

_MARKS = "".join(chr(point) for point in range(0x300, 0x2000) if unicodedata.category(chr(point))[0] == "M")
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_OPERATORS = "+*/^%=<>|~&\u00a2\u00a3\u00a5\u00ac\u00b0\u00b1\u20a0-\u20cf\u2190-\u22ff\u27f0-\u27ff\u2a00-\u2aff"
# Patterns begin with the characters they are about, since a search for one of a set is many times faster than a look
# behind every character of a text.
_SIGN = (
    rf"[-!#'{_OPERATORS}](?:(?<![-!#'])"
    r"|(?<=-)(?:(?=\d)|(?<![^\W\d_]-)(?=\s*[\w(]))"  # a minus, not a hyphen between letters
    r"|(?<=!)(?:(?==)|(?<=[\d)]!)|(?<=\b[^\W\d_]!))"  # a factorial or a negation, not an exclamation
    r"|(?<=[^\W\d_]#)"  # what tells C# from C
    r"|(?<=\b[^\W\d_]')(?<!['\"][^\W\d_]')'*(?!\w))"  # a derivative, not an apostrophe or a quotation
)
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W{_UNSPACED}](?:[\w{_MARKS}]|\.(?<=\d\.)(?=\d))*|{_SIGN}")
_ALONE = re.compile(f"[{_UNSPACED}]")
_BETWEEN_SIGNS = re.compile(f"({_SIGN})")
_POINT = "\x01"  # stands for the one in a decimal number
_LOWER_SPACED = bytes(
    ord("." if sign == _POINT else sign.lower() if sign.isalnum() or sign == "_" else " ")
    for sign in map(chr, range(128))
).ljust(256)
_DECIMAL = re.compile(r"\.(?<=\d\.)(?=\d)")
_THOUSANDS = re.compile(r",(?<=\d,)(?=\d{3}(?!\d))")
_LINE_MARK = re.compile(r"\n[ \t]*(?:[-*+>]|#{1,6}|\d{1,3}[.)])[ \t]+")
_RAISED = re.compile("([\u00b2\u00b3\u00b9\u2070-\u207f]+)")
_SAME = {
    **dict.fromkeys("\u00ad\u200b\u2060\ufeff", ""),  # a soft hyphen and spaces without width
    **dict.fromkeys("\u201c\u201d\u2010\u2013\u2014\u2022", " "),
    **dict.fromkeys("\u2018\u2019\u2032", "'"),
    **dict.fromkeys("\u00d7\u22c5", "*"),
    **dict.fromkeys("\u00f7\u2044\u2215", "/"),
    "\u2212": "-",
}
"""What is read as something else, or as nothing."""
_EMPHASIS = re.compile(r"(\*(?<!\w\*)\*{0,2})(?=\S)([^*\n]+)(?<=\S)\1(?!\w)")


def words(text: str) -> list[str]:
    """The words and operators of a text in order: NFKC, case-folded, without punctuation and Markdown's marks."""
    plain = _THOUSANDS.sub("", _EMPHASIS.sub(r"\2", _LINE_MARK.sub("\n", f"\n{text}")))
    return _ascii_words(plain) if plain.isascii() else _unicode_words(plain)


def _ascii_words(text: str) -> list[str]:
    first, *rest = _BETWEEN_SIGNS.split(_DECIMAL.sub(_POINT, text))
    found = _spelled(first)
    for sign, piece in zip(rest[::2], rest[1::2], strict=True):
        found.append(sign)
        found += _spelled(piece)
    return found


def _spelled(text: str) -> list[str]:
    return text.encode().translate(_LOWER_SPACED).decode().split()


def _unicode_words(text: str) -> list[str]:
    """What is ASCII but for signs that are read as others is read as such."""
    folded = unicodedata.normalize("NFKC", _RAISED.sub(r"^\1", text)).casefold()
    for sign, same in _SAME.items():
        folded = folded.replace(sign, same)
    return _ascii_words(folded) if folded.isascii() else _WORD.findall(folded)


def size(found: Sequence[str], language: str | None) -> int:
    """How many words these are to a person: of a language without spaces, several characters make one."""
    each = characters_per_word(language)
    if each == 1:
        return len(found)
    alone = sum(1 for word in found if _ALONE.fullmatch(word))
    return len(found) - alone + math.ceil(alone / each)


def characters_per_word(language: str | None) -> float:
    """By how much numbers of `words` are larger than in a language with spaces; 1 in these."""
    return CHARACTERS_PER_WORD.get(language or "", 1)


def grams(text: str) -> set[str]:
    """The word 3-grams of a text; a text of one or two words is a single gram, one of none has no grams."""
    return grams_of(words(text))


def grams_of(found: Sequence[str]) -> set[str]:
    """The 3-grams of a sequence of words."""
    if len(found) < GRAM:
        return {" ".join(found)} if found else set()
    return set(map(" ".join, zip(found, found[1:], found[2:], strict=False)))


def jaccard(one: set[str], other: set[str]) -> float:
    """Shared grams as a share of all, in [0, 1]; 0 if there are none."""
    shared = len(one & other)
    return shared / (len(one) + len(other) - shared) if shared else 0.0
