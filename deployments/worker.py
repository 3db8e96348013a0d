"""A Prefect process worker that can be stopped: `python -m deployments.worker --pool glan ...`, as `prefect worker start`.

Told to stop, Prefect's worker kills its runs at once, and they stay Running on the server. Here the runs are told
first, while the worker is still there to report how they ended: their calls stop, what they have is written down.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

LOOK_EVERY_SECONDS = 0.5


def main() -> int:
    """Run the worker to its end; its exit code."""
    worker = subprocess.Popen([sys.executable, "-m", "prefect", "worker", "start", *sys.argv[1:]])
    told: list[int] = []

    def tell(number: int, _: FrameType | None) -> None:
        told.append(number)

    signal.signal(signal.SIGTERM, tell)
    signal.signal(signal.SIGINT, tell)
    while worker.poll() is None and not told:
        time.sleep(LOOK_EVERY_SECONDS)
    if told:
        end_runs(worker)
        worker.terminate()
    return worker.wait()


def end_runs(worker: subprocess.Popen[bytes]) -> None:
    """Tell every run to stop and wait until all have; also those that the worker starts meanwhile."""
    told: set[int] = set()
    while worker.poll() is None and (runs := _children(worker.pid)):
        for run in runs - told:
            with contextlib.suppress(ProcessLookupError):
                os.kill(run, signal.SIGTERM)
        told |= runs
        time.sleep(LOOK_EVERY_SECONDS)


def _children(parent: int) -> set[int]:
    """The processes that a process has started, as Linux knows them; those that have ended do not count."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, of = stat.read_text().rpartition(")")[2].split()[:2]
        except OSError:  # it has ended meanwhile
            continue
        if int(of) == parent and state != "Z":
            found.add(int(stat.parent.name))
    return found


if __name__ == "__main__":
    sys.exit(main())
