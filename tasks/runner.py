"""The task runner of a discipline's flow run."""

from typing import Any

from prefect.futures import PrefectFuture
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

OPEN_UNITS = 64
"""Units that are open at once in one discipline: enough that the gateway always has a call to start."""


def task_runner() -> TaskRunner[PrefectFuture[Any]]:
    """Threads: the calls themselves run on the gateway's own loop, so a thread only waits for its unit's replies."""
    runner: TaskRunner[Any] = ThreadPoolTaskRunner(max_workers=OPEN_UNITS)
    return runner
