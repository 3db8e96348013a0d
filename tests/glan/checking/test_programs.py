"""Which blocks of code are programs that may be run by themselves."""

import pytest

from glan.checking.programs import obstacle, programs_in


def fenced(code: str, language: str = "python") -> str:
    return f"Here it is:\n\n```{language}\n{code}\n```\n\nThat is all."


WHOLE = [
    "print(1)",
    "import math\n\ndef area(r):\n    return math.pi * r ** 2\n\nprint(area(2))",
    "for n in range(3):\n    total = n\nassert total == 2",
    "if __name__ == '__main__':\n    print('x')",
    "from os import *\nprint(getcwd())",
    "try:\n    1 / 0\nexcept ZeroDivisionError as error:\n    print(error)",
    "match [1, 2]:\n    case [first, *rest]:\n        print(first, rest)",
    "print([square for n in range(3) if (square := n * n)])",
    "with open('x') as file:\n    print(file)",
]
FRAGMENTS = [
    "def area(r):\n    return r ** 2",
    "import math",
    "print(total)",
    "return total",
    "for n in range(3)\n    print(n)",
    ">>> 1 + 1\n2",
    "model.fit(data)",
    "'''only words'''",
    "(" * 500,
    "x = " + "-" * 50_000 + "1",
]


@pytest.mark.parametrize("code", WHOLE)
def test_a_block_that_is_whole_is_a_program(code: str) -> None:
    assert programs_in(fenced(code)) == [f"{code}\n"]
    assert programs_in(fenced(code, "py")) == [f"{code}\n"]


@pytest.mark.parametrize("code", FRAGMENTS)
def test_definitions_and_fragments_are_none(code: str) -> None:
    assert programs_in(fenced(code)) == []


def test_other_languages_and_open_fences_hold_none() -> None:
    for language in ("", "pycon", "javascript", "text"):
        assert programs_in(fenced("print(1)", language)) == []
    assert programs_in("```python\nprint(1)\n") == []


def test_each_program_of_an_answer_is_found_also_in_a_list() -> None:
    assert programs_in(fenced("print(1)") + fenced("x = 1") + fenced("print(2)")) == [
        "print(1)\n",
        "x = 1\n",
        "print(2)\n",
    ]
    assert programs_in("   ```python\n   if 1:\n       print(1)\n   ```\n") == ["if 1:\n    print(1)\n"]


def test_what_no_sandbox_has_is_told_before_anything_is_run() -> None:
    assert obstacle("import numpy.linalg as la\nprint(la)") == "needs numpy"
    assert obstacle("from .here import x\nprint(x)") == "needs ."
    assert "types" in obstacle("print(input())")
    assert "types" in obstacle("import sys\nfor line in sys.stdin: print(line)")
    assert obstacle("import json, math\nprint(json, math)") == ""
