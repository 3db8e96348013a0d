"""How many calls one endpoint takes at once, found out by asking: additive increase, multiplicative decrease.

It starts at a moderate number and adds one per answered call until the first 429. Each burst of 429s cuts it once, to
three quarters of what was in flight; then it adds one per round of answers, and goes slowly where the last 429 came,
so that many processes share one limit with few refusals and without talking to each other.
"""

import random
from time import monotonic

from glan.gateway.terms import Pace
from glan.gateway.turnstile import Turnstile

_START = 64
_CUT = 0.75
_PROBE_AFTER = 300  # answers at the last known limit before one more call is tried,
_PROBE_AFTER_EACH = 30  # and no more than these per call in flight, or a latecomer with one would starve


class Limiter(Turnstile):
    """The calls in flight to one endpoint, at most `most`."""

    def __init__(self, most: int, pace: Pace, randomness: random.Random) -> None:
        super().__init__(min(most, _START))
        self._most = most
        self._pace = pace
        self._random = randomness
        self._ceiling: int | None = None
        self._answers = 0
        self._bursts_unanswered = 0
        self._unanswered_since: float | None = None
        self._held_until = 0.0
        self.bursts = 0  # noted on entering: a 429 of a call that entered before the last cut is of the same burst

    def set_most(self, most: int) -> None:
        """Change the bound; lowering it takes effect as calls end."""
        self._most = most
        self.capacity = min(self.capacity, most)
        self.wake()

    def answered(self) -> None:
        """A call was answered: perhaps there is room for one more."""
        self._bursts_unanswered = 0
        self._unanswered_since = None
        if self.inside < self.capacity or self.capacity >= self._most:  # not the bottleneck: nothing was learnt
            return
        self._answers += 1
        if self._answers >= self._answers_needed():
            self._answers = 0
            self.capacity += 1
            if self._ceiling is not None and self.capacity > self._ceiling + 1:
                self._ceiling = None
            self.wake()

    def limited(self, entered_at_burst: int, retry_after: float | None) -> None:
        """A call was answered with 429. Cuts once per burst; holds all calls for as long as the endpoint asks."""
        if self._unanswered_since is None:
            self._unanswered_since = monotonic()
        wait = 0.0
        if entered_at_burst == self.bursts:
            self.bursts += 1
            self._bursts_unanswered += 1
            self._ceiling = max(1, min(self.capacity, self.inside))
            self.capacity = max(1, int(self._ceiling * _CUT))
            self._answers = 0
            if self._bursts_unanswered > 1:  # nothing gets through at all
                wait = self._pace.capacity_wait(self._bursts_unanswered - 2)
        wait = max(wait, retry_after or 0.0)
        if wait:
            self._held_until = max(self._held_until, monotonic() + wait * (1 + 0.1 * self._random.random()))

    @property
    def unanswered_seconds(self) -> float:
        """For how long every call has been answered with 429."""
        return 0.0 if self._unanswered_since is None else monotonic() - self._unanswered_since

    @property
    def held_seconds(self) -> float:
        """For how long no call will be sent."""
        return max(0.0, self._held_until - monotonic())

    def _answers_needed(self) -> int:
        if not self.bursts:
            return 1
        if self._ceiling is not None and self.capacity + 1 >= self._ceiling:
            return min(_PROBE_AFTER, _PROBE_AFTER_EACH * self.capacity)
        return self.capacity

    def _hold(self, weight: float) -> float:
        return self.held_seconds
