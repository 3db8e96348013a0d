"""The flow runs that one worker has in hand: they are told to stop, and none is left as Running."""

import time
from collections.abc import Callable, Iterable

from prefect import get_client
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import FlowRunFilter
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.states import Cancelled, Cancelling

SECONDS_TO_STOP = 45.0
"""A little more than Prefect gives a cancelled run before it kills it."""

STOPPED = "its worker was stopped; what is committed stays"
_AT_WORK = [StateType.PENDING, StateType.RUNNING, StateType.CANCELLING]


def stop_runs(worker: str, hurry: Callable[[], bool]) -> None:
    """Cancel every run of a worker and wait until they have ended, unless there is a hurry."""
    deadline = time.monotonic() + SECONDS_TO_STOP
    with get_client(sync_client=True) as client:
        while (runs := _of(client, worker)) and time.monotonic() < deadline and not hurry():
            for run in runs:
                if run.state_type is not StateType.CANCELLING:
                    client.set_flow_run_state(run.id, Cancelling(message=STOPPED))
            time.sleep(0.5)


def close_runs(worker: str) -> None:
    """Mark what did not end by itself, now that its process is gone; its sub-flows with it."""
    with get_client(sync_client=True) as client:
        _close(client, _of(client, worker))


def _close(client: SyncPrefectClient, runs: Iterable[FlowRun]) -> None:
    for run in runs:
        client.set_flow_run_state(run.id, Cancelled(message=STOPPED), force=True)
        _close(client, _at_work(client, parent_flow_run_id={"any_": [run.id]}))


def _of(client: SyncPrefectClient, worker: str) -> list[FlowRun]:
    return [run for run in _at_work(client) if run.labels.get("prefect.worker.name") == worker]


def _at_work(client: SyncPrefectClient, **where: object) -> list[FlowRun]:
    wanted = FlowRunFilter.model_validate({"state": {"type": {"any_": _AT_WORK}}, **where})
    return client.read_flow_runs(flow_run_filter=wanted)
