"""A process of its own that compares results with math-verify: a line of JSON in, a line out, until its input ends.

A result may be so made that reading it takes hours or all memory; whoever waits for a line ends the process then.
"""

import json
import logging
import resource
import sys
from typing import TextIO

from math_verify import LatexExtractionConfig, parse, verify
from sympy import Basic, MatrixBase

MEMORY_BYTES = 2 << 30


def compared(one: str, other: str, decimals: int) -> bool | None:
    """Whether two results are the same to so many decimals; None if one cannot be read."""
    first, second = (_read(text) for text in (one, other))
    if not (first and second):
        return None
    return any(
        verify(gold, target, float_rounding=decimals, timeout_seconds=None)
        for gold, target in ((first, second), (second, first))
    )


def _read(text: str) -> list[Basic | MatrixBase]:
    found = parse(f"${text}$", [LatexExtractionConfig()], parsing_timeout=0)
    return [one for one in found if isinstance(one, Basic | MatrixBase)]


def serve(lines: TextIO, answers: TextIO) -> None:
    """Answer each line; what cannot be read or takes too much memory is None."""
    for line in lines:
        try:
            answer = compared(*json.loads(line))
        except (MemoryError, RecursionError, ValueError, TypeError, ArithmeticError):
            answer = None
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    logging.disable()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    serve(sys.stdin, sys.stdout)
