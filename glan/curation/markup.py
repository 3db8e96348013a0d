"""Whether Markdown and LaTeX come out as they were meant: everything that is opened is closed."""

import itertools
import re
from collections import Counter

from glan.config import Curation
from glan.curation.endings import formula_open
from glan.curation.examples import Example

_ENVIRONMENT = re.compile(r"\\(begin|end)\{(\w+\*?)\}")
_LEFT, _RIGHT = re.compile(r"\\left(?![a-zA-Z])"), re.compile(r"\\right(?![a-zA-Z])")
_DISPLAY_OPEN, _DISPLAY_CLOSE = re.compile(r"\\(?<!\\\\)\["), re.compile(r"\\(?<!\\\\)\]")
_INLINE_OPEN, _INLINE_CLOSE = re.compile(r"\\(?<!\\\\)\("), re.compile(r"\\(?<!\\\\)\)")
_FORMULA = re.compile(
    r"\$\$(.+?)\$\$|\$(?<![\\$\w]\$)(?![\s\d$])([^$\n]+?)(?<![\s\\])\$(?![\w$])"  # a price has a digit after its sign
    r"|\\(?<!\\\\)\[(.+?)(?<!\\)\\\]|\\(?<!\\\\)\((.+?)(?<!\\)\\\)",
    re.DOTALL,
)
_LEFT_OPEN = re.compile(  # begins as only a formula does, and no dollar sign follows but those of prices
    r"\$(?<![\\$\w]\$)(?:\w{1,3}\^|\\[a-zA-Z]{2})(?:[^$\\]|\\.|\$\d)*\Z", re.DOTALL
)
_STARS = re.compile(r"\*{2}(?<!\\\*\*)")
_BOLD_OPENS = re.compile(r"(?:^|[\s\"'\u201c\u2018\u2013\u2014])\*\*(?=[^\W_])(?!p\s*[<=>\u2264])")
_ON_STARS = re.compile(  # two stars of Python, C, a shell, a table of significance or a footnote
    r"\*{3}|kwargs|unpack|argument|parameter|operator|\bpower|exponent|\bglob|pattern|wildcard|regex|markdown|asterisk|\bstars?\b"
    r"|footnote|pointer|\b(?:char|int|void|double|struct|argv)\b|(?:^|\s)\*\*\w+[,)\]}]",
    re.IGNORECASE,
)
_PARAGRAPH_END = re.compile(r"\n[ \t]*\n")
_BRACE = re.compile(r"[{}](?<!\\[{}])")
_RULER = re.compile(r"^\s*\|?(?:\s*:?-{2,}:?\s*\|)+(?:\s*:?-{2,}:?\s*)?$")
_CELL_END = re.compile(r"(?<!\\)\|")


def broken_markup(example: Example, settings: Curation) -> str | None:
    """A code fence, formula, environment, table or bold text that is opened and not closed, or closed and not opened."""
    for part, text in (("question", example.asked), ("answer", example.said)):
        outside, fence_open = text.without_code
        if part == "answer" and (fence_open or formula_open(outside)):
            continue  # cut off: `truncation` says so
        if fence_open:
            return "the question leaves a code block open"
        if problem := _of_formulas(outside) or _of_tables(outside) or _of_bold(outside):
            return f"the {part} {problem}"
    return None


def _of_formulas(text: str) -> str | None:
    if "\\" not in text and "$" not in text:
        return None
    opened: Counter[str] = Counter()
    for kind, name in _ENVIRONMENT.findall(text):
        opened[name] += 1 if kind == "begin" else -1
    uneven = [name for name, count in opened.items() if count]
    if uneven:
        return f"does not match \\begin and \\end of {uneven[0]}"
    for opening, closing, name in (
        (_LEFT, _RIGHT, "\\left and \\right"),
        (_DISPLAY_OPEN, _DISPLAY_CLOSE, "\\[ and \\]"),
        (_INLINE_OPEN, _INLINE_CLOSE, "\\( and \\)"),
    ):
        if len(opening.findall(text)) != len(closing.findall(text)):
            return f"does not match {name}"
    for formula in _FORMULA.findall(text):
        braces = Counter(_BRACE.findall("".join(formula)))
        if braces["{"] != braces["}"]:
            return "has a formula whose braces do not match"
    if any(map(_LEFT_OPEN.search, _PARAGRAPH_END.split(_FORMULA.sub("", text)))):
        return "has a formula that is not closed"
    return None


def _of_tables(text: str) -> str | None:
    """A table is none unless its head has as many cells as the line below it."""
    lines = text.splitlines() if "|" in text else []
    for head, ruler in itertools.pairwise(lines):
        if "|" in head and _RULER.match(ruler) and _cells(head) != _cells(ruler):
            return "has a table whose head does not fit"
    return None


def _of_bold(text: str) -> str | None:
    """Bold text that its paragraph does not end; stars that nothing opened point to a footnote, which begins with some."""
    if "**" not in text:
        return None
    uneven = (_FORMULA.sub("x", one) for one in _PARAGRAPH_END.split(text) if one.count("**") % 2)
    odd = [paragraph for paragraph in uneven if len(_STARS.findall(paragraph)) % 2]
    left = [_is_left_bold(paragraph) for paragraph in odd if not _ON_STARS.search(paragraph)]
    return "has bold text that is not closed" if left and all(left) else None


def _is_left_bold(paragraph: str) -> bool:
    """Whether bold text is open at the end of a paragraph."""
    is_open = False
    for stars in _STARS.finditer(paragraph):
        if is_open:
            is_open = False
        elif _BOLD_OPENS.match(paragraph, max(stars.start() - 1, 0)):
            is_open = True
        elif not paragraph[stars.start() - 1 : stars.start()].isspace():
            return False
    return is_open


def _cells(line: str) -> int:
    return len(_CELL_END.split(line.strip().strip("|")))
