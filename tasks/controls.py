"""Pause and concurrency of runs that are going: two Prefect Variables, which the UI and the terminal can change."""

from collections.abc import Callable
from typing import Any, Protocol

from prefect.client.orchestration import SyncPrefectClient
from prefect.variables import Variable

from glan.errors import InputError

LIMIT = "glan_max_concurrency"
"""A whole number: the most calls in flight in each process. Unset: GLAN_MAX_CONCURRENCY."""

PAUSED = "glan_paused"
"""true: no run sends anything new."""

MOST = 10_000


class Controlled(Protocol):
    """What can be controlled: a gateway."""

    def set_max_concurrency(self, n: int) -> None: ...
    def pause(self) -> None: ...
    def resume(self) -> None: ...


class Controls:
    """What the variables say, applied to one gateway; each change is said once."""

    def __init__(self, gateway: Controlled, usual: int, say: Callable[[str], None]) -> None:
        self._gateway, self._usual, self._say = gateway, usual, say
        self._seen: dict[str, Any] = {LIMIT: None, PAUSED: None}
        self._limit, self._paused = usual, False

    def read(self, client: SyncPrefectClient) -> None:
        """Ask the Prefect server, and do what has changed since it was asked last."""
        for name, apply in ((LIMIT, self._apply_limit), (PAUSED, self._apply_pause)):
            variable = client.read_variable_by_name(name)
            value = variable.value if variable else None
            if value != self._seen[name]:
                self._seen[name] = value
                apply(value)

    def _apply_limit(self, value: Any) -> None:
        limit = self._usual if value is None else _number(value)
        if limit is None:
            self._say(f"{LIMIT} must be a whole number from 1 to {MOST:,}; still at most {self._limit} calls at once")
        elif limit != self._limit:
            self._limit = limit
            self._gateway.set_max_concurrency(limit)
            self._say(f"at most {limit} calls at once from now on")

    def _apply_pause(self, value: Any) -> None:
        paused = False if value is None else _truth(value)
        if paused is None:
            self._say(f"{PAUSED} must be true or false; still {'paused' if self._paused else 'going on'}")
        elif paused != self._paused:
            self._paused = paused
            (self._gateway.pause if paused else self._gateway.resume)()
            self._say("paused: calls in flight end, nothing new is sent" if paused else "going on after the pause")


def set_limit(limit: int | None) -> None:
    """Set the most calls in flight in each process of every run of this Prefect server; None: as each was set up.

    Raises:
        InputError: the number is not in range.
    """
    if limit is None:
        Variable.unset(LIMIT)
    elif _number(limit) is None:
        raise InputError(f"the limit must be a whole number from 1 to {MOST:,}")
    else:
        Variable.set(LIMIT, limit, overwrite=True)


def set_paused(paused: bool) -> None:
    """Have every run of this Prefect server pause or go on."""
    Variable.set(PAUSED, paused, overwrite=True)


def _number(value: Any) -> int | None:
    """The UI stores what a person types as JSON, which may be a number or a text."""
    text = "" if isinstance(value, bool) else str(value).strip()
    return int(text) if text.isascii() and text.isdigit() and 1 <= int(text) <= MOST else None


def _truth(value: Any) -> bool | None:
    return {"true": True, "false": False}.get(str(value).strip().lower())
