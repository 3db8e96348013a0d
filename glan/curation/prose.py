"""The part of a Markdown text that is written in sentences: what is left without code, formulas and tables."""

import re

_FENCE = re.compile(r"^ {0,3}(?:[-*+]|\d{1,3}[.)])?\s*(`{3,}|~{3,})(.*)$")
_INLINE_CODE = re.compile(r"(?<!`)(`+)(?!`).+?(?<!`)\1(?!`)")
_FORMULA = re.compile(
    r"\$\$.+?\$\$|\\\[(?:(?!\\\[).)+?\\\]|\\\((?:(?!\\\().)+?\\\)|(?<![\\$\d])\$(?!\s)[^$\n]+?(?<![\s\\])\$(?!\d)",
    re.DOTALL,
)
_NOT_PROSE = re.compile(r"[{}=<>|\\]|;\s*$|^(?: {4}|\t)(?!\s*(?:[-*+]|\d{1,3}[.)])\s)|^\s*(?:#|//|\$ )")
_ITEM_MARK = re.compile(
    r"^\s*(?:>\s*)*(?:[-*+\u2022]|\(?(?:\d{1,3}|[a-z])[.)]|(?:step|question|part)\s+\d{1,3}\s*[:.])\s+", re.I
)
_SENTENCE_END = re.compile(r"(?<=[.!?\u2026])[\"'\u201d\u2019)*_]*\s+|(?<=[\u3002\uff01\uff1f\u0964\u06d4])\s*")


def without_code(text: str) -> tuple[str, bool]:
    """The text without fenced and inline code, and whether a fence is left open at its end."""
    outside: list[str] = []
    fence = ""
    for line in text.splitlines():
        mark = _FENCE.match(line)
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
    outside = _FORMULA.sub(" ", without_code(text)[0])
    lines = [_ITEM_MARK.sub("", line) for line in outside.splitlines() if line.strip() and not _NOT_PROSE.search(line)]
    return [piece for line in lines for piece in _SENTENCE_END.split(line) if piece.strip()]
