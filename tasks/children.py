"""The runs that a run has started through a deployment: started once each, watched, cancelled with it."""

import logging
import time
from collections import Counter
from dataclasses import dataclass
from itertools import count
from types import TracebackType
from typing import Any
from uuid import UUID

from httpx import TransportError
from prefect import get_client, runtime
from prefect.artifacts import create_progress_artifact, create_table_artifact, update_progress_artifact
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId
from prefect.client.schemas.objects import FlowRun
from prefect.deployments import run_deployment
from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError
from prefect.states import Cancelling

from glan.errors import Cancelled, InputError
from glan.names import shown
from tasks.watching import STOPPED

LOOK_EVERY_SECONDS = 2.0
GONE_AFTER_LOOKS = 3
"""A run that so many answers of the server in a row do not name has been deleted there."""
_LATER = {408, 429}
UNANSWERED_SECONDS = 60.0
"""After which a run that nobody has begun is worth a word."""

_logger = logging.getLogger("glan")


@dataclass(frozen=True)
class Child:
    """A run that was started for one discipline, and how it stands."""

    discipline_id: str
    flow_run_id: UUID
    name: str
    state_name: str
    message: str
    completed: bool
    final: bool


class Children:
    """The runs of one deployment that one run has started. Leaving the block early cancels those still open."""

    def __init__(self, deployment: str, run_id: str, planned: int, patience_seconds: float) -> None:
        """Look the deployment up; `planned` runs of it are to be started in all.

        `patience_seconds`: how long a server that cannot start a run is asked again.

        Raises:
            InputError: there is none of this name.
        """
        self._deployment = deployment
        self._run_id = run_id
        self._planned = planned
        self.open: dict[UUID, str] = {}
        self.ended: list[Child] = []
        self._begun: dict[UUID, float] = {}
        self._unnamed: Counter[UUID] = Counter()
        self._patience = patience_seconds
        self._bar: UUID | None = None
        with get_client(sync_client=True) as client:
            try:
                client.read_deployment_by_name(deployment)
            except ObjectNotFound:
                raise InputError(
                    f"`deployment`: the Prefect server knows no deployment {shown(deployment, 100)}; "
                    "deploy it, or name another as flow/deployment"
                ) from None

    def __enter__(self) -> "Children":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._cancel_open()
        self._show()

    def start(self, discipline_id: str, parameters: dict[str, Any]) -> None:
        """Start the run of one discipline; if this one is tried again, the same run, unless it has ended unfinished.

        Raises:
            InputError: the deployment's form does not take these parameters.
            Cancelled: the run that starts it is to stop.
        """
        give_up, told = time.monotonic() + self._patience, False
        while (run := self._started(discipline_id, parameters, last=time.monotonic() >= give_up)) is None:
            if not told:
                _logger.warning("the Prefect server cannot start the run of %s; it is asked again", discipline_id)
                told = True
            self.rest(LOOK_EVERY_SECONDS)
        self.open[run.id] = discipline_id
        self._begun[run.id] = time.monotonic()

    def _started(self, discipline_id: str, parameters: dict[str, Any], last: bool) -> FlowRun | None:
        """The run of a discipline; None if the server is in trouble and this is not the last try."""
        tries = count(1)
        try:
            run = self._run(discipline_id, parameters, next(tries))
            while runtime.flow_run.run_count > 1 and _broke_off(run):
                run = self._run(discipline_id, parameters, next(tries))
        except PrefectHTTPStatusError as error:
            status = error.response.status_code
            if status < 500 and status not in _LATER:
                raise InputError(
                    f"`config`: {self._deployment} does not take these fields: {shown(_said(error), 300)}"
                ) from None
            if last:
                raise
            return None
        except TransportError:
            if last:
                raise
            return None
        return run

    def _run(self, discipline_id: str, parameters: dict[str, Any], number: int) -> FlowRun:
        """The run of a discipline of this number: the one that was started before, or a new one."""
        key = f"{self._run_id}-{discipline_id}" + ("" if number == 1 else f"-{number}")
        run = run_deployment(
            self._deployment, parameters=parameters, flow_run_name=discipline_id, timeout=0, idempotency_key=key
        )
        assert isinstance(run, FlowRun)
        return run

    def rest(self, seconds: float) -> None:
        """Wait, then see whether the run that started them is to stop.

        Raises:
            Cancelled: it is.
        """
        time.sleep(seconds)
        self._running(self._look())

    def wait(self) -> list[Child]:
        """Look after a moment; the runs that have ended meanwhile.

        Raises:
            Cancelled: the run that started them is to stop.
        """
        time.sleep(LOOK_EVERY_SECONDS)
        seen = self._look()
        runs = self._running(seen)
        for run in runs:
            self._note_unanswered(run)
        ended = [child for run in runs if (child := _child(run, self.open[run.id])).final]
        if seen:
            ended += self._gone({run.id for run in runs})
        for child in ended:
            del self.open[child.flow_run_id]
            self.ended.append(child)
        if ended:
            self._show()
        return ended

    def _running(self, seen: list[FlowRun]) -> list[FlowRun]:
        """Of an answer of the server, the runs that were started; raises Cancelled if the one that did is to stop."""
        for run in seen:
            if str(run.id) == self._run_id and run.state and (run.state.is_cancelling() or run.state.is_cancelled()):
                raise Cancelled(STOPPED)
        return [run for run in seen if run.id in self.open]

    def _gone(self, named: set[UUID]) -> list[Child]:
        """The runs that the server no longer knows: somebody has deleted them, so that nothing more is heard of them."""
        self._unnamed = Counter({run_id: self._unnamed[run_id] + 1 for run_id in self.open if run_id not in named})
        message = "its run was deleted on the Prefect server"
        return [
            Child(self.open[run_id], run_id, self.open[run_id], "Crashed", message, completed=False, final=True)
            for run_id, looks in self._unnamed.items()
            if looks >= GONE_AFTER_LOOKS
        ]

    def _look(self) -> list[FlowRun]:
        """The run itself and those it has started, as the server has them now."""
        wanted = FlowRunFilter(id=FlowRunFilterId(any_=[UUID(self._run_id), *self.open]))
        try:
            with get_client(sync_client=True) as client:
                return client.read_flow_runs(flow_run_filter=wanted)
        except Exception:  # a server that is being restarted is asked again
            _logger.debug("the Prefect server does not say how the runs stand", exc_info=True)
            return []

    def _note_unanswered(self, run: FlowRun) -> None:
        waited = time.monotonic() - self._begun.get(run.id, time.monotonic())
        if run.start_time is None and waited > UNANSWERED_SECONDS:
            self._begun.pop(run.id)
            _logger.warning("nobody has begun %s for a minute; is a worker running on its pool?", self.open[run.id])

    def _cancel_open(self) -> None:
        for run_id, discipline_id in self.open.items():
            try:
                with get_client(sync_client=True) as client:
                    client.set_flow_run_state(run_id, Cancelling(message="cancelled with the run that started it"))
            except Exception:
                _logger.warning("the run of %s could not be cancelled", discipline_id, exc_info=True)

    def _show(self) -> None:
        """How far the whole is: a bar and a table. What cannot be shown never fails the run."""
        percent = round(100 * len(self.ended) / max(1, self._planned), 1)
        lines = [
            {"discipline": child.discipline_id, "run": child.name, "state": child.state_name, "message": child.message}
            for child in self.ended
        ]
        lines += [{"discipline": name, "run": name, "state": "open", "message": ""} for name in self.open.values()]
        try:
            if self._bar is None:
                made = create_progress_artifact(percent, key="glan-fan-out", description="Runs that have ended")
                self._bar = made if isinstance(made, UUID) else UUID(str(made))
            else:
                update_progress_artifact(self._bar, percent)
            create_table_artifact(key="glan-fan-out-runs", table=lines, description="The run of each discipline")
        except Exception:
            _logger.debug("the progress of the runs could not be shown", exc_info=True)


def _child(run: FlowRun, discipline_id: str) -> Child:
    state = run.state
    return Child(
        discipline_id=discipline_id,
        flow_run_id=run.id,
        name=run.name,
        state_name=state.name or "" if state else "Unknown",
        message=(state.message or "") if state else "",
        completed=bool(state and state.is_completed()),
        final=bool(state and state.is_final()),
    )


def _broke_off(run: FlowRun) -> bool:
    return bool(run.state and run.state.is_final() and not run.state.is_completed())


def _said(error: PrefectHTTPStatusError) -> str:
    """What the server said of a request that it refused."""
    try:
        return str(error.response.json()["detail"])
    except (ValueError, KeyError):
        return f"HTTP {error.response.status_code}"
