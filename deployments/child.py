"""A process that ends with its parent: `python -m deployments.child MODULE ARGUMENTS` runs the module until then.

`Child` is the parent's side. The parent holds one end of a pipe; when it is gone, however it ended, the pipe ends too.
"""

import os
import runpy
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from types import TracebackType
from typing import IO


class Child:
    """A module of Python that runs beside this process for as long as a `with` block lasts.

    In a session of its own: Ctrl-C is for the parent, which ends its children in order.
    """

    def __init__(
        self, module: str, arguments: Sequence[str], environment: Mapping[str, str], log: IO[bytes], grace: float
    ) -> None:
        self._command = [sys.executable, "-P", "-m", "deployments.child", module, *arguments]
        self._environment = dict(environment)
        self._log = log
        self._grace = grace
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Child":
        self._process = subprocess.Popen(
            self._command,
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """Ask it to end, and after its time of grace make it."""
        if self._process is None:
            return
        self._process.terminate()
        deadline = time.monotonic() + self._grace
        while self._process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        if self._process.stdin:
            self._process.stdin.close()


def _end_with_parent() -> None:
    while os.read(0, 4096):  # not by sys.stdin, whose lock a thread must not hold when Python ends
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.argv = sys.argv[1:]
    threading.Thread(target=_end_with_parent, daemon=True).start()
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
