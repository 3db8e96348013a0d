"""How much a provider takes at a time, found out by asking: it refuses a batch when too many tokens are waiting there."""

import asyncio
from collections.abc import Callable
from time import monotonic

from glan.errors import EndpointDown

_PATIENCE = 48 * 3600.0  # seconds: twice the time in which a batch has to be through


class Room:
    """The most requests of one file, and for how long none is to be sent. Belongs to one event loop."""

    def __init__(self, host: str, most: int, notify: Callable[[str], None]) -> None:
        self.limit = most
        self._host, self._most, self._notify = host, most, notify
        self._refusals = 0  # in a row
        self._since: float | None = None
        self._freed = asyncio.Event()

    @property
    def is_short(self) -> bool:
        """Whether a batch was refused, and the usual size has not gone through since."""
        return self._since is not None

    def refused(self, size: int, alone: bool, said: str) -> None:
        """A batch of this size was not taken; `alone`: though none of this process's own is there.

        Raises:
            EndpointDown: it has been so for two days.
        """
        if self._since is None:
            self._since = monotonic()
            self._notify(f"{self._host} has no room for a batch of {size:,} requests; waiting for it ({said})")
        if monotonic() - self._since > _PATIENCE:
            raise EndpointDown(f"{self._host} has had no room for a batch for two days; run again later")
        self._refusals += 1
        if alone:
            self.limit = max(1, size // 2)

    def taken(self) -> None:
        """The provider has begun with a batch."""
        self._refusals = 0

    def ended(self, well: bool) -> None:
        """A batch is over: perhaps there is room for a larger one."""
        self._freed.set()
        if well and self._since is not None:
            self.limit = min(self._most, 2 * self.limit)
            if self.limit == self._most and not self._refusals:
                self._since = None

    async def wait(self, alone: bool, seconds: float) -> None:
        """Return when it is time to try: after `seconds`, doubled for each refusal, or when an own batch has ended."""
        if not self._refusals:
            return
        self._freed.clear()
        if alone:
            await asyncio.sleep(seconds * 2.0 ** min(self._refusals, 10))
        else:
            await self._freed.wait()
