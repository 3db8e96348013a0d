"""The part of a Markdown text that is written in sentences: what is left without code, formulas and tables."""

import re
from collections.abc import Iterator

_FENCE = re.compile(r"^ {0,3}(?:[-*+]|\d{1,3}[.)])?\s*(`{3,}|~{3,})(.*)$")
_INLINE_CODE = re.compile(r"(`(?<!``)`*)(?!`).+?(?<!`)\1(?!`)")
_FORMULA = re.compile(
    r"\$\$.+?\$\$|\\\[(?:(?!\\\[).)+?\\\]|\\\((?:(?!\\\().)+?\\\)|\$(?<![\\$\d]\$)(?!\s)[^$\n]+?(?<![\s\\])\$(?!\d)",
    re.DOTALL,
)
_SIGN_OF_CODE = re.compile(r"[{}=<>|\\]")
_OPENS_CODE = re.compile(r"(?: {4}|\t)(?!\s*(?:[-*+]|\d{1,3}[.)])\s)|\s*(?:#|//|\$ )")
_ITEM_MARK = re.compile(
    r"\s*(?:>\s*)*(?:[-*+\u2022]|\(?(?:\d{1,3}|[a-z])[.)]|(?:step|question|part)\s+\d{1,3}\s*[:.])\s+", re.I
)
_SENTENCE_END = re.compile(
    r"[.!?\u2026\u3002\uff01\uff1f\u0964\u06d4](?:(?<=[.!?\u2026])[\"'\u201d\u2019)*_]*\s+|(?<![.!?\u2026])\s*)"
)


def without_code(text: str) -> tuple[str, bool]:
    """The text without fenced and inline code, and whether a fence is left open at its end."""
    outside: list[str] = []
    fence = ""
    if "`" not in text and "~~~" not in text:
        return "\n".join(text.splitlines()), False
    for line in text.splitlines():
        mark = _FENCE.match(line) if "```" in line or "~~~" in line else None
        if not fence:
            if mark and "`" not in mark[2]:
                fence = mark[1]
            else:
                outside.append(line)
        elif mark and mark[1].startswith(fence) and not mark[2].strip():
            fence = ""
    return _INLINE_CODE.sub(" ", "\n".join(outside)), bool(fence)


def sentences(text: str) -> list[str]:
    """The sentences (or lines) of the prose of a text, in order, without marks and numbers of list items."""
    return prose_sentences(without_code(text)[0])


def prose_sentences(outside: str) -> list[str]:
    """The sentences of a text that has no code any more."""
    lines = [line for line in _FORMULA.sub(" ", outside).splitlines() if line.strip() and _is_prose(line)]
    return [piece for line in lines for piece in _pieces(line) if piece.strip()]


def _is_prose(line: str) -> bool:
    return not (_SIGN_OF_CODE.search(line) or line.rstrip().endswith(";") or _OPENS_CODE.match(line))


def _pieces(line: str) -> Iterator[str]:
    """The sentences of a line, each with the sign that ends it but without quotes and spaces after that."""
    mark = _ITEM_MARK.match(line)
    start = mark.end() if mark else 0
    for end in _SENTENCE_END.finditer(line, start):
        yield line[start : end.start() + 1]
        start = end.end()
    yield line[start:]
