"""A bounded number inside; the rest wait in order of rank. Belongs to one event loop."""

import asyncio
import heapq
import itertools
import math


class Turnstile:
    """At most `capacity` inside. Lower ranks go first, equals as they came; subclasses may hold all back."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.inside = 0
        self._queue: list[tuple[int, int, float, asyncio.Future[None]]] = []
        self._arrivals = itertools.count()
        self._timer: asyncio.TimerHandle | None = None

    async def enter(self, rank: int = 0, weight: float = 0.0) -> None:
        """Wait for a place; `weight` is what the one who enters uses of whatever a subclass rations."""
        if not self._queue and self.inside < self.capacity and self._hold(weight) <= 0:
            self._admit(weight)
            return
        turn = asyncio.get_running_loop().create_future()
        heapq.heappush(self._queue, (rank, next(self._arrivals), weight, turn))
        self.wake()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # the place was given just before
                self.leave()
            raise

    def leave(self) -> None:
        """Give the place back."""
        self.inside -= 1
        self.wake()

    def wake(self) -> None:
        """Let in whoever may enter now."""
        while self._queue and self.inside < self.capacity:
            weight, turn = self._queue[0][2:]
            if turn.done():  # gave up waiting
                heapq.heappop(self._queue)
                continue
            seconds = self._hold(weight)
            if seconds > 0:
                self._wake_in(seconds)
                return
            heapq.heappop(self._queue)
            self._admit(weight)
            turn.set_result(None)

    def _admit(self, weight: float) -> None:
        self.inside += 1

    def _hold(self, weight: float) -> float:
        """Seconds for which nobody may enter; infinite: until `wake` is called."""
        return 0.0

    def _wake_in(self, seconds: float) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = None if math.isinf(seconds) else asyncio.get_running_loop().call_later(seconds, self.wake)
