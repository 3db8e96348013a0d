"""The circuit breaker of one endpoint: when it is down, one call probes and the others wait."""

import asyncio
from collections.abc import Callable
from time import monotonic

from glan.errors import EndpointDown
from glan.gateway.terms import Pace
from glan.gateway.trouble import Trouble


class Breaker:
    """Counts weather. Opens when calls of several requests in a row, or one unreachable endpoint, met nothing else."""

    def __init__(self, host: str, patience_seconds: float, pace: Pace, notify: Callable[[str], None]) -> None:
        self._host = host
        self._patience = patience_seconds
        self._pace = pace
        self._notify = notify
        self.answers = 0
        self.failures = 0
        self.down = False  # from the moment it opens to the next answer, also after patience has run out
        self._heard = False  # whether it has answered since patience last ran out
        self._open_since: float | None = None
        self._prober: str | None = None
        self._probes = 0
        self._in_a_row = 0
        self._failing: set[str] = set()
        self._changed = asyncio.Event()

    @property
    def open(self) -> bool:
        """Whether the endpoint counts as down."""
        return self._open_since is not None

    async def pass_through(self, key: str) -> None:
        """Return at once while the endpoint is up; else wait for it to answer, or to be the one that probes."""
        while self._open_since is not None:
            if self._prober is None:
                self._prober = key
                await asyncio.sleep(self._pace.wait(self._probes))
                self._probes += 1
                return
            await self._changed.wait()

    def release(self, key: str) -> None:
        """The call of `key` is over, however it ended: if it probed, the next one may."""
        if self._prober == key:
            self._prober = None
            self._tell()

    def answered(self) -> None:
        """The endpoint answered something: it is up."""
        self.answers += 1
        self.down = False
        self._heard = True
        if self._open_since is not None:
            self._notify(f"{self._host} answers again after {monotonic() - self._open_since:.0f} s; going on")
        if self._failing:
            self._close()

    def failed(self, key: str, trouble: Trouble) -> bool:
        """A call met weather. Whether patience with its request is over: with it alone, by an endpoint that is there.

        Raises:
            EndpointDown: the endpoint has been down for longer than the patience set. The breaker starts afresh.
        """
        self.failures += 1
        self._in_a_row += 1
        self._failing.add(key)
        several = len(self._failing) > 1 or trouble.outage
        if self._open_since is None and self._in_a_row >= self._pace.outage_after and several:
            self._open_since = monotonic()
            self.down = True
            self._notify(f"{trouble.message}; waiting up to {self._patience:.0f} s for it to come back")
        if self._open_since is not None and monotonic() - self._open_since >= self._patience:
            its_own_fault = self._heard and trouble.reached and self.alone(key)
            self._heard = False
            self._close()
            if not its_own_fault:
                raise EndpointDown(f"{trouble.message}; gave up after waiting {self._patience:.0f} s; run again later")
            return True
        return False

    def alone(self, key: str) -> bool:
        """Whether no other request has met weather since the endpoint last answered."""
        return self._failing == {key}

    def _close(self) -> None:
        self._open_since = None
        self._prober = None
        self._probes = 0
        self._in_a_row = 0
        self._failing.clear()
        self._tell()

    def _tell(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
