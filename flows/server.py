"""The Prefect server that a run from the terminal reports to: the one that is set, or a temporary one.

The temporary one is kept alive while a run that was told to stop writes down how it ended.
"""

import atexit
import os
import signal
import tempfile
import threading

from prefect import get_client
from prefect.client.base import ServerType, determine_server_type
from prefect.server.api.server import SubprocessASGIServer
from prefect.settings import get_current_settings

from glan.errors import GlanError, InputError

SECONDS_TO_END = 40.0
"""Enough for calls to end and replies to be written down, to a slow store too. Prefect tells its server how each run ended, and waits minutes
for one that is away."""

DEAF_TO = {signal.SIGINT, signal.SIGTERM}

_server_is_set = threading.Event()
"""That a command is carried out, and its server is another process than one of its own."""


def ready_server() -> None:
    """Make sure that the server that is set answers; where none is set, start the temporary one, deaf to Ctrl-C and SIGTERM.

    A terminal sends Ctrl-C to every process of the command, and whatever stops a service or a job may do the same with
    SIGTERM. A run that has lost its server waits for it for minutes.

    Raises:
        InputError: the server that is set does not answer.
        GlanError: the temporary one does not start.
    """
    if check_server():
        _server_is_set.set()
        return
    server = SubprocessASGIServer()
    usual = signal.pthread_sigmask(signal.SIG_BLOCK, DEAF_TO)  # a process inherits what is blocked
    try:
        server.start()
    except RuntimeError as error:
        raise GlanError(
            "the temporary Prefect server did not start in time; run again when the machine is less busy, or set "
            "PREFECT_API_URL to a server that is up"
        ) from error
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, usual)
    atexit.register(_end, server)


def check_server() -> bool:
    """See that the server that is set answers, or that a temporary one has a folder for its database; whether one is set.

    Raises:
        InputError: it does not answer, or has none.
    """
    is_set = determine_server_type() != ServerType.EPHEMERAL
    if is_set:
        _check_answer("start it, correct the address, or unset it to run on a temporary one")
    else:
        _check_home()
    return is_set


def leave_server() -> None:
    """After a command: what happens in this process from now on is not its own."""
    _server_is_set.clear()


def end_in_time(ended_by: BaseException) -> None:
    """After a signal has ended a flow of a `glan` command: end the process soon, whoever it is waiting for."""
    if _server_is_set.is_set() and not isinstance(ended_by, Exception):
        code = 1 if isinstance(ended_by, KeyboardInterrupt) else 128 + signal.SIGTERM
        last_moment = threading.Timer(SECONDS_TO_END, os._exit, [code])
        last_moment.daemon = True
        last_moment.start()


def _end(server: SubprocessASGIServer) -> None:
    """End the temporary server, which hears nothing milder. What it was told is in its database."""
    if server.server_process is not None:
        server.server_process.kill()


def lasting_server() -> None:
    """Make sure that a server is set, and answers: what is told to a temporary one is lost with it.

    Raises:
        InputError: none is set, or it does not answer.
    """
    if determine_server_type() == ServerType.EPHEMERAL:
        raise InputError("PREFECT_API_URL is not set; set it to the address of the Prefect server whose runs are meant")
    _check_answer("start it, or correct the address")


def _check_home() -> None:
    home = get_current_settings().home
    try:
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=home):
            pass
    except OSError as error:
        why = f"{home}, where Prefect keeps its database, cannot be written ({error.strerror})"
        raise InputError(f"PREFECT_HOME: {why}; set it to a folder that can") from error


def _check_answer(fix: str) -> None:
    with get_client(sync_client=True) as client:
        if client.api_healthcheck() is not None:
            place = client.api_url.netloc.decode()
            raise InputError(f"PREFECT_API_URL: no Prefect server answers at {place or 'what it says'}; {fix}")
