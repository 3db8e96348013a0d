"""Prefect's temporary server, kept alive while a run that was told to stop writes down how it ended."""

import signal

from prefect.client.base import ServerType, determine_server_type
from prefect.server.api.server import SubprocessASGIServer


def start_temporary_server() -> None:
    """Start it where no other server is set, deaf to Ctrl-C.

    A terminal sends Ctrl-C to every process of the command. A run that has lost its server waits for it for minutes.
    """
    if determine_server_type() != ServerType.EPHEMERAL:
        return
    usual = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # a process inherits what is blocked
    try:
        SubprocessASGIServer().start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, usual)
