"""Where requests gather before they go as a file. Belongs to one event loop."""

import asyncio
from collections.abc import Callable
from time import monotonic

from glan.gateway.batch.parcel import MOST_BYTES, Entry

_LONGEST = 30  # times the quiet that is waited for


class Outbox:
    """Requests that are to go, by their names."""

    def __init__(self, quiet_seconds: float, paused: Callable[[], bool]) -> None:
        self.entries: dict[str, Entry] = {}
        self._quiet = quiet_seconds
        self._paused = paused
        self._bytes = 0
        self._arrived = asyncio.Event()

    def put(self, entry: Entry) -> None:
        """This one is to go, if it is not among them already."""
        self.take(entry.custom_id)
        self.entries[entry.custom_id] = entry
        self._bytes += len(entry.line)
        self._arrived.set()

    def take(self, custom_id: str) -> None:
        """This one goes now, or need not go any more."""
        entry = self.entries.pop(custom_id, None)
        if entry is not None:
            self._bytes -= len(entry.line)

    async def gathered(self, most_requests: int) -> None:
        """Return when something is there and nothing has been added for a while, or when a file is full."""
        while not self.entries:
            self._arrived.clear()
            await self._arrived.wait()
        latest = monotonic() + _LONGEST * self._quiet
        while len(self.entries) < most_requests and self._bytes < MOST_BYTES and monotonic() < latest:
            self._arrived.clear()
            try:
                async with asyncio.timeout(self._quiet):
                    await self._arrived.wait()
            except TimeoutError:
                break
        while self._paused():
            await asyncio.sleep(min(1.0, self._quiet))
