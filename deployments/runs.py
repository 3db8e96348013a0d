"""The flow runs that one worker has in hand: they are told to stop, and none is left as Running."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import httpx
from prefect import get_client
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import FlowRunFilter
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.settings import PREFECT_CLIENT_MAX_RETRIES, temporary_settings
from prefect.states import Cancelled, Cancelling

SECONDS_TO_STOP = 45.0
"""A little more than Prefect gives a cancelled run before it kills it."""

STOPPED = "its worker was stopped; what is committed stays"
_PAGE = 200
"""The most that a server gives at a time."""
_AT_WORK = [StateType.PENDING, StateType.RUNNING, StateType.CANCELLING]


def stop_runs(worker: str, hurry: Callable[[], bool]) -> None:
    """Cancel every run of a worker and wait until they have ended, unless there is a hurry or no server to ask."""
    deadline = time.monotonic() + SECONDS_TO_STOP
    with _told_if_away(), get_client(sync_client=True) as client:
        while (runs := _of(client, worker)) and time.monotonic() < deadline and not hurry():
            for run in runs:
                if run.state_type is not StateType.CANCELLING:
                    client.set_flow_run_state(run.id, Cancelling(message=STOPPED))
            time.sleep(0.5)


def close_runs(worker: str) -> None:
    """Mark what did not end by itself, now that its process is gone; its sub-flows with it."""
    with _told_if_away(), get_client(sync_client=True) as client:
        _close(client, _of(client, worker))


@contextmanager
def _told_if_away() -> Iterator[None]:
    """A server that is away is not waited for: its runs then end with their worker, and are found dead later."""
    try:
        with temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 0}):
            yield
    except httpx.HTTPError as error:
        sys.stderr.write(f"glan: the Prefect server was not told that runs are stopped: {type(error).__name__}\n")


def _close(client: SyncPrefectClient, runs: Iterable[FlowRun]) -> None:
    for run in runs:
        client.set_flow_run_state(run.id, Cancelled(message=STOPPED), force=True)
        _close(client, _at_work(client, parent_flow_run_id={"any_": [run.id]}))


def _of(client: SyncPrefectClient, worker: str) -> list[FlowRun]:
    return [run for run in _at_work(client) if run.labels.get("prefect.worker.name") == worker]


def _at_work(client: SyncPrefectClient, **where: object) -> list[FlowRun]:
    """All of them: a server answers with a page at a time, and has those of many workers."""
    wanted = FlowRunFilter.model_validate({"state": {"type": {"any_": _AT_WORK}}, **where})
    found: list[FlowRun] = []
    while page := client.read_flow_runs(flow_run_filter=wanted, limit=_PAGE, offset=len(found)):
        found += page
        if len(page) < _PAGE:
            break
    return found
