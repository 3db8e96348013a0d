"""Waiting for a store that is away, on the thread of a flow's own body: it is said in the log and in the terminal."""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from prefect import get_run_logger, runtime

from glan.settings import Settings
from glan.store.patience import waited_for
from tasks import progress, watching, wiring
from tasks.wiring import Order

Result = TypeVar("Result")


def patiently(work: Callable[[], Result], order: Order | None = None) -> Result:
    """What `work`, which may be begun again at any point, comes to, be the store away meanwhile.

    With an order, the wait ends as soon as the calls of that run do.

    Raises:
        StoreWeather: the store stayed away for longer than the patience set.
        Cancelled: the run was told to stop.
    """
    run_id = str(runtime.flow_run.id)

    def say(message: str) -> None:
        progress.of(run_id).say(message)
        log_said(run_id)

    if order is None:
        return waited_for(work, Settings.load().patience_seconds, watching.rest, say)
    return waited_for(work, wiring.patience_seconds(order), partial(wiring.rest, order), say)


def log_said(run_id: str) -> None:
    """Write what was said of a run, by whatever thread, into the log of the flow around this."""
    for message in progress.of(run_id).take_messages():
        get_run_logger().warning(message)
