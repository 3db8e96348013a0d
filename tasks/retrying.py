"""The retry of a discipline's quarantine that a run works on: opened, and ended once everything in it was asked."""

from glan.clock import now
from glan.store import retries
from glan.store.retries import Retry
from tasks.wiring import Order, effects


def open_retry(order: Order, discipline_id: str) -> Retry:
    """The retry that this run works on: a new one, or one that was begun and not ended."""
    return retries.opened(effects(order).store.files, discipline_id, order.run_id, now)


def finish_if_open(order: Order, discipline_id: str) -> None:
    """End a retry in which nothing is left to ask: a run was killed before it could."""
    files = effects(order).store.files
    known = retries.last(files, discipline_id)
    if known is not None and not known.finished:
        retries.finish(files, known, order.run_id)


def finish_retry(order: Order, discipline_id: str) -> None:
    """Let the next run ask what failed again once more."""
    retries.finish(effects(order).store.files, open_retry(order, discipline_id), order.run_id)
