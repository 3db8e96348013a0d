"""Ports for the servers of tests, several test processes side by side."""

import os
import random
import socket

_BLOCK = 1_000
_FIRST = 10_000
"""Below the ports that the system gives to clients, so that no connection takes one before its server does."""


def free_ports(count: int) -> list[int]:
    """So many ports that nobody listens at; each of the first twenty test processes draws from a block of its own."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    block = _FIRST + worker % 20 * _BLOCK
    found = []
    for port in random.sample(range(block, block + _BLOCK), _BLOCK):
        if len(found) < count and _is_free(port):
            found.append(port)
    assert len(found) == count, f"no {count} ports are free from {block}"
    return found


def _is_free(port: int) -> bool:
    with socket.socket() as one:
        try:
            one.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
