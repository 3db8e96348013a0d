"""The options of a multiple-choice question, and which of them a text names: by labels, so that it works in any language."""

import re
from collections.abc import Mapping

from glan.keys import normalised

LABELS = "ABCD"

_OPTION = re.compile(
    r"^[ \t]*(?:[-*+][ \t]+)?[(（*_]{0,3}([A-D])[*_]{0,2}[)）.:：、][*_]{0,2}[ \t]*(?=\S)", re.MULTILINE
)
_ANY_OPTION = re.compile(r"([A-Ja-j])(?<![^\s(（*_].)[*_]{0,2}([)）.:：、])[*_]{0,2}(?=\s*\S)")
_OPENS_LABEL = " \t\n,;(（*_"
_FEWEST_OPTIONS = 3
_LABEL = r"(?<![A-Za-z0-9'’])([A-D])(?![A-Za-z0-9'’])"
_AS_LABEL = re.compile(rf"{_LABEL}(?!\s+[^\W\d_])")  # "A force" begins with no label
_NAMED = re.compile(r"\b(?i:option|choice|answer|key)s?\b(?:\s+is)?\W+([A-D])(?![A-Za-z0-9'’])")
_RIGHT = re.compile(rf"{_LABEL} (?i:is|would be) (?i:the )?(?i:only )?(?i:right|correct|best|answer)\b")
_REJECTED = re.compile(
    rf"\b(?i:not|rather than|instead of|unlike) (?i:(?:option|choice) )?{_LABEL}(?:(?:,| or| nor| and) {_LABEL})*(?!\s+[^\W\d_])"
    rf"|(?:\b(?i:option|choice) )?{_LABEL} (?i:is|are) (?i:wrong|incorrect|false|not)\b"
)
_SEVERAL = re.compile(rf"{_LABEL}\s*(?:,|&|/|\band\b|\bor\b)\s*{_LABEL}")
_BEYOND_ARTICLE = re.compile(_LABEL.replace("A-D]", "B-D]", 1))


def options_of(question: str) -> dict[str, str]:
    """The texts of the options by label, if they end the question, in order and one below the other; else empty."""
    found = list(_OPTION.finditer(question))
    last = found[-len(LABELS) :]
    if [match[1] for match in last] != list(LABELS):
        return {}
    ends = [match.start() for match in last[1:]] + [len(question)]
    texts = [question[match.end() : end].strip() for match, end in zip(last, ends, strict=True)]
    return dict(zip(LABELS, texts, strict=True)) if all(texts) else {}


def without_labels(question: str) -> str:
    """The question and its three to ten options, one below the other, wherever they stand; empty if it has none."""
    if not (marks := _longest_run(list(_ANY_OPTION.finditer(question)))):
        return ""
    ends = [match.start() for match in marks[1:]] + [len(question)]
    options = [question[match.end() : end] for match, end in zip(marks, ends, strict=True)]
    return "\n".join(text.strip(_OPENS_LABEL) for text in (question[: marks[0].start()], *options))


def _longest_run(marks: list[re.Match[str]]) -> list[re.Match[str]]:
    """Marks of options from A on, each by the next letter and written as the first is; of several runs the last longest."""
    longest: list[re.Match[str]] = []
    for number, first in enumerate(marks):
        if first[1].upper() != "A":
            continue
        run = [first]
        for mark in marks[number + 1 :]:
            if ord(mark[1]) == ord(run[-1][1]) + 1 and mark[2] == first[2]:
                run.append(mark)
        if len(run) >= max(_FEWEST_OPTIONS, len(longest)):
            longest = run
    return longest


def chosen(answer: str, options: Mapping[str, str]) -> str | None:
    """The option that an answer names in its last line; None if it names none, or several."""
    lines = [line for line in answer.splitlines() if any(map(str.isalnum, line))]
    last = _REJECTED.sub("", lines[-1]) if lines else ""
    if _SEVERAL.search(last):
        return None
    for pattern in (_OPTION, _NAMED, _RIGHT, _AS_LABEL, _BEYOND_ARTICLE):
        named = set(pattern.findall(last))
        if named:
            return named.pop() if len(named) == 1 else None
    said = f" {normalised(last)} "
    quoted = [label for label, text in options.items() if f" {normalised(text)} " in said]
    return quoted[0] if len(quoted) == 1 else None
