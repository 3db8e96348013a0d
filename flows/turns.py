"""Whose turn it is: the disciplines of a run, each under its lease, those that another run works on later or not at all."""

from collections import deque
from collections.abc import Callable, Sequence
from time import monotonic
from types import TracebackType
from typing import Literal

from glan.store.leases import Leases

ASK_AGAIN_SECONDS = 2.0


class Turns:
    """Disciplines still to be taken on. Leaving the block gives all leases back."""

    def __init__(
        self,
        discipline_ids: Sequence[str],
        leases: Leases,
        on_busy: Literal["wait", "skip", "share"],
        say: Callable[[str], None],
    ) -> None:
        self._waiting = deque(discipline_ids)
        self._leases = leases
        self._on_busy = on_busy
        self._say = say
        self._told: set[str] = set()
        self._not_before = 0.0
        self.skipped: list[str] = []

    def __enter__(self) -> "Turns":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leases.release_all()

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def next(self) -> str | None:
        """A discipline that is free, with its lease taken; None if there is none at present."""
        if monotonic() < self._not_before:
            return None
        for _ in range(len(self._waiting)):
            discipline_id = self._waiting.popleft()
            other = self._leases.take(discipline_id)
            if other is None or self._on_busy == "share":
                return discipline_id
            self._put_off(discipline_id, other.run_id)
        self._not_before = monotonic() + ASK_AGAIN_SECONDS
        return None

    def keep(self) -> None:
        """Renew the leases held; call it every few seconds."""
        self._leases.renew()

    def ended(self, discipline_id: str) -> None:
        """Give the lease of a discipline back."""
        self._leases.release(discipline_id)

    def _put_off(self, discipline_id: str, run_id: str) -> None:
        if self._on_busy == "skip":
            self.skipped.append(discipline_id)
            self._say(f"{discipline_id} is left to run {run_id}, which works on it")
            return
        self._waiting.append(discipline_id)
        if discipline_id not in self._told:
            self._told.add(discipline_id)
            self._say(f"{discipline_id} waits for run {run_id}, which works on it")
