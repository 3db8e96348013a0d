"""A Python program from an answer -> how it ends, run where it can harm nobody; without such a place it is not run.

The place is a set of Linux namespaces: no network, no other processes, and in place of the file system one in memory
with Python and the system's libraries, read-only. `cell` builds it. Time, memory, files and processes are limited.
"""

import builtins
import functools
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from glan.errors import InputError

WALL_SECONDS = 10.0
LIMITS = {
    "RLIMIT_CPU": 4,
    "RLIMIT_AS": 512 << 20,
    "RLIMIT_FSIZE": 1 << 20,
    "RLIMIT_NPROC": 16,
    "RLIMIT_NOFILE": 64,
    "RLIMIT_CORE": 0,
}
"""Of each process; RLIMIT_NPROC of all of a program together, its threads counted."""

Ending = Literal["runs", "fails", "not_checked"]

_DISK_BYTES = 16 << 20
_TAIL = 2_000  # characters of what a program says last
_SHOWN = ("/usr", "/bin", "/lib", "/lib32", "/lib64", "/etc/ld.so.cache")
_ERROR = re.compile(r"^((?:[A-Za-z_]\w*\.)*[A-Za-z_]\w*)(?::|$)")
_WANTING = frozenset(
    name
    for name, one in vars(builtins).items()
    if isinstance(one, type) and issubclass(one, OSError | MemoryError | EOFError | ImportError)
) | {"socket.gaierror", "socket.herror", "urllib.error.URLError", "_tkinter.TclError"}
"""Errors that say what the sandbox has not, rather than what is wrong with a program."""
_NO_THREAD = "RuntimeError: can't start new thread"

_room = threading.BoundedSemaphore(os.cpu_count() or 1)


@dataclass(frozen=True, slots=True)
class Ran:
    """How a program ended, and the kind of error or the limit that ended it."""

    ending: Ending
    detail: str = ""


@functools.cache
def check_possible() -> None:
    """See that programs can be run safely on this machine, by running one that does nothing.

    Raises:
        InputError: they cannot; nothing is run unprotected instead.
    """
    ran = run("pass")
    if ran.ending != "runs":
        raise _impossible(f"a program that does nothing ended with {ran.detail}")


def run(program: str, seconds: float = WALL_SECONDS) -> Ran:
    """Run a program to its end or to a limit, at most so many seconds.

    Raises:
        InputError: there is no safe place for it.
    """
    with _room, tempfile.TemporaryFile() as said:
        try:
            cell = subprocess.Popen(
                [_python(), "-I", "-S", "-B", "-c", _source()],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                env={},
                cwd="/",
                start_new_session=True,
            )
        except OSError as error:
            raise _impossible(str(error)) from error
        try:
            told, _ = cell.communicate(_order(program), timeout=seconds)
        except subprocess.TimeoutExpired:
            return Ran("not_checked", f"not done within {seconds:.0f} s")
        finally:
            cell.kill()  # and with it, one after another, all that it has started
            cell.communicate()
        length = said.seek(0, os.SEEK_END)
        if length >= LIMITS["RLIMIT_FSIZE"]:
            return Ran("not_checked", "says too much")
        said.seek(max(0, length - _TAIL))
        return _read(told, said.read().decode(errors="replace"))


def _read(told: bytes, said: str) -> Ran:
    """How a program ended: by what the cell says, and by the error it was left with."""
    ending: dict[str, Any] = json.loads(told) if told else {}
    if "code" not in ending:
        raise _impossible(ending.get("refused") or said.strip().rpartition("\n")[2] or "it does not start")
    code: int = ending["code"]
    if code == 0:
        return Ran("runs")
    if code < 0:
        return Ran("not_checked", f"ended by signal {-code}")
    last = said.strip().rpartition("\n")[2]
    error = _ERROR.match(last) if "Traceback (most recent call last):" in said or "Error" in last else None
    if error is None:
        return Ran("fails", f"ends with status {code}")
    wanting = error[1] in _WANTING or last.startswith(_NO_THREAD)
    return Ran("not_checked" if wanting else "fails", error[1][:100])


def _order(program: str) -> bytes:
    order = {
        "program": program,
        "python": [_python(), "-P", "-s", "-S", "-B", "-X", "utf8"],
        "environment": {"PYTHONHASHSEED": "0"},  # so that it ends the same way each time
        "late_seconds": int(WALL_SECONDS) + 5,  # should whoever waits for it be gone
        "disk_bytes": _DISK_BYTES,
        "shown": _shown(),
        "limits": LIMITS,
    }
    return json.dumps(order).encode()


def _shown() -> list[str]:
    """What a program may read: the system's libraries, and the Python that runs it."""
    system = [path for path in _SHOWN if os.path.exists(path)]
    home = os.path.realpath(sys.base_prefix)
    return system if any(home == one or home.startswith(f"{one}/") for one in system) else [*system, home]


def _python() -> str:
    """The Python below any virtual environment."""
    return os.path.realpath(getattr(sys, "_base_executable", sys.executable))


@functools.cache
def _source() -> str:
    return Path(__file__).with_name("cell.py").read_text(encoding="utf-8")


def _impossible(reason: str) -> InputError:
    return InputError(
        f"checking.code: code cannot be checked safely on this machine, which needs Linux user namespaces ({reason}); "
        "allow them or switch it off"
    )
