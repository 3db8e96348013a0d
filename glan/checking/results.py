"""The numeric or symbolic result that an answer states, by a rule that needs no model: pure, since keys rest on it."""

import re
from dataclasses import dataclass

from glan.curation.prose import without_code

RULE = 1
"""Raised by whoever changes what is found: units that rest on it are made again."""

_LONGEST = 120  # characters of a result; more is a derivation
_LINE_END = 400  # characters of the last line that are looked at
_LAST_BOXES, _LONGEST_BOX = 3, 500  # looked at, and characters of one
_BOXED = re.compile(r"\\(?:boxed|fbox)\s*\{")
_NAMED = re.compile(
    r"(?:\b(?:final|the)\s+)?\b(?:answers?|results?|solutions?)\b\s*(?:is|are|:|=|equals|comes? to)+\s*(?P<said>\S.*)$",
    re.I,
)
_EQUALS = re.compile(r".*(?:=|\u2248|\\approx\b|\\simeq\b)(?P<said>.*)$", re.DOTALL)
_SEVERAL = re.compile(r"=.*(?:\b(?:and|or)\b|[,;]\s).*=", re.DOTALL)
_DELIMITERS = re.compile(r"\\[()\[\]]|\\(?:left|right|displaystyle|quad|,|;|!)(?![a-zA-Z])|\*\*|__|\$")
_ABOUT = re.compile(r"^(?:(?:about|approximately|roughly|exactly|simply|just|equal to|:)\s+)+", re.I)
_NUMBER = r"[-+]?(?:\d{1,3}(?:[, ]\d{3})+|\d+)?(?:\.\d+|\d)(?:\s*(?:\\times|\\cdot|\u00d7|\*)\s*10\s*\^\s*(?:\{\s*[-+]?\d+\s*\}|[-+]?\d+)|[eE][-+]?\d+)?"
_QUANTITY = re.compile(rf"(?P<number>[$\u20ac\u00a3]?\s*{_NUMBER})\s*(?P<unit>.*)")
_EXPONENT = re.compile(r"(?<=\d)[eE]([-+]?\d+)")
_UNIT = re.compile(r"(?:[A-Za-z\u00b0\u00b5\u03a9%\u2103][\w\u00b0\u00b7/^{}\-\u00b2\u00b3\u207b]*[\s\u00b7/*]*){1,3}")
_TEXT = re.compile(r"\\(?:text|mathrm|operatorname|textbf|mathbf)\s*\{([^{}]*)\}")
_COMMAND = re.compile(r"\\[a-zA-Z]+")
_WORD = re.compile(r"[A-Za-z]{2,}")
_FUNCTIONS = frozenset(
    {"sin", "cos", "tan", "cot", "sec", "csc", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh"}
    | {"log", "ln", "exp", "sqrt", "pi", "max", "min"}
)


@dataclass(frozen=True, slots=True)
class Result:
    """What an answer states in the end. `unit`: the words after a number, empty if there are none."""

    value: str
    unit: str = ""

    def __str__(self) -> str:
        return f"{self.value} {self.unit}".rstrip()


def result_of(answer: str) -> Result | None:
    """The result that an answer ends with: in its last box, else in the last line that names or ends with one."""
    text = without_code(answer)[0].replace("\u2212", "-")
    boxed = _last_box(text)
    if boxed is not None:
        return _read(boxed)
    lines = [line.strip() for line in text.splitlines() if line.strip(" \t-*_#$[]\\")]
    return _of_line(lines[-1][-_LINE_END:]) if lines else None


def _last_box(text: str) -> str | None:
    """What is in the last box whose braces close."""
    for opened in list(_BOXED.finditer(text))[: -_LAST_BOXES - 1 : -1]:
        depth = 1
        for place in range(opened.end(), min(opened.end() + _LONGEST_BOX, len(text))):
            depth += {"{": 1, "}": -1}.get(text[place], 0)
            if depth == 0:
                return text[opened.end() : place]
    return None


def _of_line(line: str) -> Result | None:
    plain = _DELIMITERS.sub("", line).strip()
    if _SEVERAL.search(plain):
        return None
    named = _NAMED.search(plain)
    if named is not None:
        return _read(named["said"])
    equals = _EQUALS.match(plain)
    return _read(equals["said"]) if equals else None


def _read(said: str) -> Result | None:
    """A number with its unit, or an expression without words; None if it is neither."""
    plain = _DELIMITERS.sub("", said).strip()
    equals = _EQUALS.match(plain)
    plain = _ABOUT.sub("", (equals["said"] if equals else plain).strip()).strip().rstrip(".,;: ")
    if not plain or len(plain) > _LONGEST:
        return None
    return _quantity(plain) or _expression(plain)


def _quantity(plain: str) -> Result | None:
    found = _QUANTITY.fullmatch(_TEXT.sub(r" \1", plain))
    if found is None:
        return None
    unit = " ".join(found["unit"].split())
    if unit in ("%", "\\%", "percent", "per cent"):
        return Result(f"{_spelt(found['number'])}\\%")
    if unit and not _UNIT.fullmatch(unit):
        return None
    return Result(_spelt(found["number"]), unit)


def _spelt(number: str) -> str:
    """A number as LaTeX: without the sign of a currency, spaces and `e` for a power of ten."""
    bare = re.sub(r"[$\u20ac\u00a3,\s]", "", number).replace("\u00d7", "\\times ").replace("\\times", "\\times ")
    return _EXPONENT.sub(r"\\times 10^{\1}", bare)


def _expression(plain: str) -> Result | None:
    """Letters are variables; whatever has a word in it, or neither a digit nor a sign of mathematics, is prose."""
    words = _WORD.findall(_COMMAND.sub(" ", plain))
    is_prose = any(word.lower() not in _FUNCTIONS for word in words) or _TEXT.search(plain)
    if is_prose or not re.search(r"[\d+*/^=\\]", plain) or not re.search(r"[\dA-Za-z]", plain):
        return None
    return Result(plain)
