"""Whether a run is to stop, pause or slow down: a thread in each process that works on it asks every few seconds.

It also runs where no flow does, in the worker processes of a task runner: there, too, calls end soon after a person
has cancelled the run.
"""

import contextvars
import logging
import os
import threading
import time
from contextlib import ExitStack
from uuid import UUID

from prefect import get_client, runtime
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId
from prefect.context import FlowRunContext, TaskRunContext
from prefect.settings import PREFECT_API_REQUEST_TIMEOUT, PREFECT_CLIENT_MAX_RETRIES, temporary_settings

from glan.errors import Abandoned, Cancelled
from glan.gateway.gateway import Gateway
from tasks import progress
from tasks.controls import Controls
from tasks.telling import EndpointNews

LOOK_EVERY_SECONDS = 3.0
STOPPED = "the run was told to stop; what is committed stays"
ABANDONED = "the process that started this run is gone; what is committed stays, and the next run goes on from there"

_PARENT = os.getppid()
"""Noted when the process begins, for it may be gone by the time a run does."""

_logger = logging.getLogger("glan")


def rest(seconds: float) -> None:
    """Wait on the thread of a flow that has no gateway, and so nobody who watches it, then ask whether it is to stop.

    Raises:
        Cancelled: it is.
    """
    time.sleep(seconds)
    try:
        with get_client(sync_client=True) as client:
            stops = _is_to_stop(client, [UUID(str(runtime.flow_run.id))])
    except Exception:  # a server that does not answer is asked again
        _logger.debug("the Prefect server does not say whether to stop", exc_info=True)
        return
    if stops:
        raise Cancelled(STOPPED)


def _is_to_stop(client: SyncPrefectClient, run_ids: list[UUID]) -> bool:
    """Whether somebody has cancelled any of these runs."""
    asked = FlowRunFilter(id=FlowRunFilterId(any_=run_ids))
    states = [run.state for run in client.read_flow_runs(flow_run_filter=asked)]
    return any(state is not None and (state.is_cancelling() or state.is_cancelled()) for state in states)


class Watch:
    """Keeps an eye on one run in this process, and stops its gateway when it is time."""

    def __init__(self, run_id: UUID, gateway: Gateway, usual_limit: int) -> None:
        self._gateway = gateway
        self._runs = [run_id]  # the run, then those that started it
        self._lineage_known = False
        self._controls = Controls(gateway, usual_limit, progress.of(str(run_id)).say)
        self._endpoints = EndpointNews(str(run_id))
        # A worker or `serve` takes the ends of its runs on itself; whoever starts one in a shell may well leave.
        self._has_keeper = os.environ.get("PREFECT__ENABLE_CANCELLATION_AND_CRASHED_HOOKS") == "false"
        self._over = threading.Event()
        context = contextvars.copy_context()  # of the run: it says which Prefect server is meant
        self._thread = threading.Thread(target=context.run, args=(self._keep_looking,), name="glan-watch", daemon=True)

    @classmethod
    def begin(cls, run_id: str, gateway: Gateway, usual_limit: int) -> "Watch | None":
        """Watch a run from now on; None outside Prefect, where nobody can be asked."""
        around = FlowRunContext.get()
        if around is None and TaskRunContext.get() is None:
            return None
        try:
            watched = UUID(run_id)
        except ValueError:
            # The tiny calls before a run pays stop with that run; those of `glan doctor` with its process.
            if around is None or around.flow_run is None:
                return None
            watched = around.flow_run.id
        watch = cls(watched, gateway, usual_limit)
        watch._thread.start()
        return watch

    def end(self) -> None:
        """Look no more."""
        self._over.set()
        self._thread.join(LOOK_EVERY_SECONDS)

    def _keep_looking(self) -> None:
        # A server that does not answer must not keep the watch from its other duties; it is asked again anyway.
        settings = {PREFECT_CLIENT_MAX_RETRIES: 0, PREFECT_API_REQUEST_TIMEOUT: LOOK_EVERY_SECONDS}
        with temporary_settings(settings), ExitStack() as connection:
            client: SyncPrefectClient | None = None
            while not self._over.is_set():
                self._look_at_parent()
                self._endpoints.tell(self._gateway.down)
                try:
                    client = client or connection.enter_context(get_client(sync_client=True))
                    self._look_at_run(client)
                    self._controls.read(client)
                    self._find_lineage(client)
                except Exception:
                    _logger.debug("the Prefect server does not say whether to stop", exc_info=True)
                self._over.wait(LOOK_EVERY_SECONDS)
        self._endpoints.tell(self._gateway.down)
        self._endpoints.leave()

    def _look_at_parent(self) -> None:
        if self._has_keeper and os.getppid() != _PARENT:
            self._gateway.stop(Abandoned(ABANDONED))

    def _look_at_run(self, client: SyncPrefectClient) -> None:
        if _is_to_stop(client, self._runs):
            self._gateway.stop(Cancelled(STOPPED))

    def _find_lineage(self, client: SyncPrefectClient) -> None:
        """Once: the runs that started this one, each as a sub-flow or by `run_deployment`."""
        if self._lineage_known:
            return
        run = client.read_flow_run(self._runs[-1])
        while run.parent_task_run_id is not None:
            parent = client.read_task_run(run.parent_task_run_id).flow_run_id
            if parent is None:
                break
            self._runs.append(parent)
            run = client.read_flow_run(parent)
        self._lineage_known = True
