"""Whether a text stops before its end.

Mostly `finish_reason` tells; some endpoints do not, and some models stop by themselves in mid-sentence. Only clear
signs count, since a good answer may end in a list, a formula, a table, a verse or a number, with no full stop.
"""

import re

from glan.config import Curation
from glan.curation.examples import Example
from glan.curation.words import words
from glan.names import shown

_CUT_BY = {"length": "at the length limit", "content_filter": "by a content filter"}
_FEWEST_WORDS = 12  # of an answer whose last word is judged; a shorter one is a bare result
_FEWEST_WORDS_OF_LINE = 4  # of a line that stops at a comma or colon; "Best regards," is shorter
_FEWEST_WORDS_OF_SENTENCE = 6  # of a last sentence without its full stop; a shorter one may be a bare result

_NEVER_LAST = {
    *("the", "an", "of", "and", "or", "because", "which", "whose", "their", "its", "into", "between", "than", "if"),
    *("every", "our", "your", "my"),
}
_LEFT_HANGING = re.compile(r"[^\W\d_][,:\uff0c\u3001\uff1a]$")
_NEW_SENTENCE = re.compile(r"[.!?][\"'\u201d\u2019)*_]*\s+(?=[A-Z\u00c0-\u00de\u0391-\u03a9\u0410-\u042f])")
_RESULT = re.compile(r"[:=]|\b(?:answer|result|therefore|thus|hence|so|conclu\w+)\b", re.IGNORECASE)
_NOT_A_PARAGRAPH = re.compile(r"^\s*(?:[-*+>#|\u2022]|\(?\w{1,3}[.)]\s)")
_CODE = re.compile(r"[{}|\\;=<>]")
_OPENS_LINE = re.compile(r"\n[ \t]*(?:(\$\$)|(\\\[)|\\begin\{(\w+\*?)\})")


def truncation(example: Example, settings: Curation) -> str | None:
    """The answer was cut off: said by `finish_reason`, or seen at its end."""
    if example.finish_reason in _CUT_BY:
        return f"the answer was cut off {_CUT_BY[example.finish_reason]} (finish_reason {example.finish_reason})"
    outside, fence_open = example.said.without_code
    if fence_open:
        return "the answer ends inside a code block"
    if formula_open(outside):
        return "the answer ends inside a formula"
    lines = example.answer.strip().splitlines()
    return _cut_line(lines[-1], len(example.answer.split()), is_english=example.language is None) if lines else None


def formula_open(text: str) -> bool:
    """Whether the last display formula that begins on a line of its own is never closed."""
    text = f"\n{text}"
    *_, last = [None, *_OPENS_LINE.finditer(text)]
    if last is None:
        return False
    if last[1]:
        return text.count("$$") % 2 == 1 and "$$" not in text[last.end() :]
    closing = "\\]" if last[2] else f"\\end{{{last[3]}}}"
    return closing not in text[last.end() :]


def _cut_line(line: str, words_of_answer: int, is_english: bool) -> str | None:
    """What is wrong with the last line; how sentences go on and results are given is known of English alone."""
    line = line.rstrip()
    if _CODE.search(line):
        return None
    if _LEFT_HANGING.search(line[-2:]) and len(words(line)) >= _FEWEST_WORDS_OF_LINE:
        return f"the answer stops after '{_tail(line)}'"
    if not is_english:
        return None
    if words_of_answer >= _FEWEST_WORDS and line.rsplit(maxsplit=1)[-1] in _NEVER_LAST:
        return f"the answer stops in the middle of a sentence, at '{_tail(line)}'"
    if _ends_in_mid_sentence(line):
        return f"the last sentence of the answer has no end: '{_tail(line)}'"
    return None


def _ends_in_mid_sentence(line: str) -> bool:
    """A paragraph of several sentences whose last, a long one and no result, stops at a word."""
    if not line[-1].islower():
        return False
    last = _NEW_SENTENCE.split(line)[-1]
    return (
        last != line
        and not _NOT_A_PARAGRAPH.match(line)
        and len(last.split()) >= _FEWEST_WORDS_OF_SENTENCE
        and not _RESULT.search(last)
    )


def _tail(line: str) -> str:
    return shown(" ".join(line.split()[-5:]), limit=60)
