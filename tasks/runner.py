"""Where the units of a run are made: in threads of this process, or in the worker processes of Dask."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from prefect.futures import PrefectFuture
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from glan.errors import GlanError
from glan.settings import Settings
from tasks import wiring
from tasks.wiring import Order

if TYPE_CHECKING:
    from tasks.cluster import Cluster

OPEN_UNITS = 64
"""Units of one discipline that are open at once for each process: enough that its gateway always has a call to start."""

UNITS_OPEN_IN_BATCHES = 256
"""The same where calls go by batches: each unit waits for hours, and a batch is to hold the calls of many."""

UNITS_OPEN_WITHOUT_CALLS = 4 * (os.cpu_count() or 1)
"""The same where no model is asked: units compute, and some wait for the store. A thread of Prefect takes megabytes."""

_clusters: "dict[str, Cluster]" = {}


@contextmanager
def workers(order: Order) -> Iterator[None]:
    """The processes that make the units of a run, all its disciplines together, for as long as the block runs.

    Raises:
        InputError: the Dask scheduler that is set does not answer.
    """
    settings = Settings.load()
    if settings.task_runner == "threads":
        yield
        return
    from tasks.cluster import running

    with running(order, settings.dask_address, settings.dask_workers) as cluster:
        _clusters[order.run_id] = cluster
        try:
            yield
        finally:
            del _clusters[order.run_id]


def task_runner(order: Order) -> TaskRunner[Any]:
    """The task runner for a discipline of this run."""
    cluster = _clusters.get(order.run_id)
    return cluster.task_runner() if cluster else threads(_open_here(order))


def threads(units: int = OPEN_UNITS) -> TaskRunner[PrefectFuture[Any]]:
    """The calls themselves run on the gateway's own loop, so a thread only waits for its unit's replies."""
    runner: TaskRunner[Any] = ThreadPoolTaskRunner(max_workers=units)
    return runner


def open_units(order: Order) -> int:
    """How many units of one discipline may be open at once."""
    cluster = _clusters.get(order.run_id)
    return _open_here(order) * (cluster.size if cluster else 1)


def _open_here(order: Order) -> int:
    if not wiring.scope(order).asks_a_model:
        return UNITS_OPEN_WITHOUT_CALLS
    return UNITS_OPEN_IN_BATCHES if wiring.in_batches(order) else OPEN_UNITS


def stop(order: Order, error: GlanError) -> None:
    """End the calls of a run in all its processes, present and later, with this error."""
    wiring.stop(order, error)
    if cluster := _clusters.get(order.run_id):
        cluster.stop(error)


def result_of(future: PrefectFuture[Any]) -> Any:
    """What a task that has ended came to: its result or its error."""
    try:
        return future.result(raise_on_failure=False)
    except Exception as error:  # of Dask, not of the task
        return RuntimeError(f"Dask could not have this made: {error}")
