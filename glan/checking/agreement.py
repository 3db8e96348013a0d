"""Whether two answers to one question come to the same result. The comparing is done by worker processes.

They are made once for all threads of this process, as many as it has processors, each when it is first needed. One
that takes too long is killed, one that has died is missed, and the next comparison has a new one.
"""

import atexit
import json
import os
import queue
import re
import select
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Literal

from glan.checking.results import Result, result_of
from glan.errors import InputError

SECONDS = 10.0
"""For one comparison; most take a few milliseconds."""

Agreement = Literal["agree", "disagree", "not_checked"]

_START_SECONDS = 60.0
_EXACT = 6  # decimals where neither result is a decimal number: what math-verify takes
_DECIMALS = re.compile(r"[-+]?\d*\.(\d+)")


@dataclass(frozen=True, slots=True)
class Compared:
    """What came of a comparison, and what it rests on."""

    verdict: Agreement
    detail: str


def check_installed() -> None:
    """See that results can be compared on this machine.

    Raises:
        InputError: the package is not there.
    """
    if find_spec("math_verify") is None:
        raise InputError("checking.math needs the package math-verify: pip install 'glan[checking]', or switch it off")


def compare(first: Result, second_answer: str) -> Compared:
    """Hold the result of one answer against another answer to the same question."""
    second = result_of(second_answer)
    if second is None:
        return Compared("not_checked", f"{first}; the second answer states no result that can be read")
    if first.unit and second.unit and _plain(first.unit) != _plain(second.unit):
        return Compared("not_checked", f"{first}; {second}: in other units")
    if first.value == second.value:
        return Compared("agree", f"{first}; {second}")
    same = _workers.compared(first.value, second.value, _decimals(first.value, second.value))
    if same is None:
        return Compared("not_checked", f"{first}; {second}: cannot be compared")
    return Compared("agree" if same else "disagree", f"{first}; {second}")


def _plain(unit: str) -> str:
    return re.sub(r"\s", "", unit).rstrip("s")


def _decimals(*values: str) -> int:
    """To how many decimals results are compared: as many as the one that is rounded most has."""
    return min((len(found[1]) for value in values if (found := _DECIMALS.fullmatch(value))), default=_EXACT)


class _Worker:
    """One process that compares."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "glan.checking.comparer"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is not for it
            env={"PATH": os.environ.get("PATH", ""), "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        try:
            self.ask("1", "1", _EXACT, _START_SECONDS)
        except OSError as error:
            self.end()
            raise InputError(
                "checking.math: the process that compares results does not start on this machine"
            ) from error

    def ask(self, one: str, other: str, decimals: int, seconds: float) -> bool | None:
        """Have two results compared; None if that cannot be done.

        Raises:
            TimeoutError, OSError: it takes too long, or the process has died.
        """
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps([one, other, decimals]).encode() + b"\n")
        self._process.stdin.flush()
        if not select.select([self._process.stdout], [], [], seconds)[0]:
            raise TimeoutError
        line = self._process.stdout.readline()
        if not line:
            raise BrokenPipeError
        answer: bool | None = json.loads(line)
        return answer

    def end(self) -> None:
        """Be gone."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):  # something was still to be written
                    pipe.close()


class _Workers:
    """The workers of this process."""

    def __init__(self) -> None:
        self._idle: queue.LifoQueue[_Worker] = queue.LifoQueue()
        self._room = threading.BoundedSemaphore(os.cpu_count() or 1)

    def compared(self, one: str, other: str, decimals: int) -> bool | None:
        """Have two results compared by whoever is free; None if that cannot be done in time."""
        with self._room:
            return self._asked(one, other, decimals)

    def end(self) -> None:
        """End those that have nothing to do."""
        while not self._idle.empty():
            self._idle.get_nowait().end()

    def _asked(self, one: str, other: str, decimals: int) -> bool | None:
        for _ in range(2):  # an idle one may have died long since
            worker = self._free()
            try:
                answer = worker.ask(one, other, decimals, SECONDS)
            except TimeoutError:
                worker.end()
                return None
            except OSError:
                worker.end()
                continue
            self._idle.put(worker)
            return answer
        return None

    def _free(self) -> _Worker:
        try:
            return self._idle.get_nowait()
        except queue.Empty:
            return _Worker()


_workers = _Workers()
atexit.register(_workers.end)
