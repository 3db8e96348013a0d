"""A Prefect process worker that can be stopped: `python -m deployments.worker --pool glan ...`, as `prefect worker start`.

Told to stop, Prefect's worker kills its runs at once, and they stay Running on the server. Here they are cancelled
first, while the worker is still there: their calls stop, what they have is written down. Told again, it waits no more.
"""

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

from deployments.runs import close_runs, stop_runs

LOOK_EVERY_SECONDS = 0.5
SECONDS_TO_END = 15.0
"""A worker whose server is away may not end by itself."""


def main() -> int:
    """Run the worker to its end; its exit code."""
    name = f"{socket.gethostname()}-{secrets.token_hex(4)}"
    told: list[int] = []

    def tell(number: int, frame: FrameType | None) -> None:
        told.append(number)

    signal.signal(signal.SIGTERM, tell)
    signal.signal(signal.SIGINT, tell)
    # In a session of its own: Ctrl-C is for this process, which ends the worker in order.
    command = [sys.executable, "-m", "deployments.prefect_worker", "worker", "start", "--name", name, *sys.argv[1:]]
    environment = {**os.environ, "PWD": os.getcwd()}  # where its runs work: see steps.enter_folder
    worker = subprocess.Popen(command, start_new_session=True, env=environment)
    while worker.poll() is None and not told:
        time.sleep(LOOK_EVERY_SECONDS)
    if not told:
        return worker.wait()
    stop_runs(name, hurry=lambda: len(told) > 1)
    _end(worker, hurry=lambda: len(told) > 1)
    close_runs(name)
    return 0


def _end(worker: "subprocess.Popen[bytes]", hurry: Callable[[], bool]) -> None:
    """Ask it to end, and after a while make it, with whatever it has started."""
    worker.terminate()
    deadline = time.monotonic() + SECONDS_TO_END
    while worker.poll() is None and time.monotonic() < deadline and not hurry():
        time.sleep(LOOK_EVERY_SECONDS)
    with suppress(ProcessLookupError):
        os.killpg(worker.pid, signal.SIGKILL)
    worker.wait()


if __name__ == "__main__":
    sys.exit(main())
