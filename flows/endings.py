"""How a flow ends when something is wrong: one sentence, no traceback; and on a server that is there to be told."""

import functools
import time
from collections.abc import Callable
from typing import Any, ParamSpec

from prefect import get_client
from prefect.client.schemas.objects import State
from prefect.states import Cancelled, Crashed, Failed

from flows.server import end_in_time
from glan import errors
from tasks.watching import STOPPED

SERVER_SECONDS = 240.0
"""How long a flow waits with its end for a Prefect server that is away."""

LOOK_EVERY_SECONDS = 2.0

Parameters = ParamSpec("Parameters")


def told(body: Callable[Parameters, State[Any]]) -> Callable[Parameters, State[Any]]:
    """Make the body of a flow end as Failed, with the sentence of the error, where the project's own errors reach it."""

    @functools.wraps(body)
    def ending(*args: Parameters.args, **kwargs: Parameters.kwargs) -> State[Any]:
        try:
            state = body(*args, **kwargs)
            _await_server()
        except BaseException as error:
            end_in_time(error)
            return _state_of(error)
        return state

    return ending


def _state_of(error: BaseException) -> State[Any]:
    if isinstance(error, KeyboardInterrupt):
        return Cancelled(message=STOPPED)
    if isinstance(error, errors.Cancelled):
        return stopped(error, str(error))
    if isinstance(error, errors.GlanError):
        return Failed(message=str(error), data=error)
    raise error


def stopped(error: errors.Cancelled, message: str) -> State[Any]:
    """How a run ends that was told to stop, or that nobody is left to tell."""
    return Crashed(message=message) if isinstance(error, errors.Abandoned) else Cancelled(message=message)


def _await_server() -> None:
    """Return once the Prefect server answers. Prefect gives up sooner, and then calls a run failed that is done."""
    give_up = time.monotonic() + SERVER_SECONDS
    with get_client(sync_client=True) as client:
        while client.api_healthcheck() is not None and time.monotonic() < give_up:
            time.sleep(LOOK_EVERY_SECONDS)
