"""How a flow ends when something is wrong: one sentence, no traceback."""

import functools
from collections.abc import Callable
from typing import Any, ParamSpec

from prefect.client.schemas.objects import State
from prefect.states import Cancelled, Crashed, Failed

from glan import errors
from tasks.watching import STOPPED

Parameters = ParamSpec("Parameters")


def told(body: Callable[Parameters, State[Any]]) -> Callable[Parameters, State[Any]]:
    """Make the body of a flow end as Failed, with the sentence of the error, where the project's own errors reach it."""

    @functools.wraps(body)
    def ending(*args: Parameters.args, **kwargs: Parameters.kwargs) -> State[Any]:
        try:
            return body(*args, **kwargs)
        except KeyboardInterrupt:
            return Cancelled(message=STOPPED)
        except errors.Cancelled as error:
            return stopped(error, str(error))
        except errors.GlanError as error:
            return Failed(message=str(error), data=error)

    return ending


def stopped(error: errors.Cancelled, message: str) -> State[Any]:
    """How a run ends that was told to stop, or that nobody is left to tell."""
    return Crashed(message=message) if isinstance(error, errors.Abandoned) else Cancelled(message=message)
