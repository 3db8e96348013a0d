"""How many calls one endpoint takes, found out by asking: additive increase, multiplicative decrease.

It starts at a moderate number in flight and adds one per answered call until the first 429. Each burst of 429s cuts it
once, to three quarters of what was in flight; then it adds one per round of answers, and goes slowly where the last 429
came. How many a second go out is found out beside that (`Tempo`). While nothing gets through, one call after another is
tried, ever more slowly. So many processes share one limit with few refusals and without talking to each other.
"""

import random
from collections.abc import Callable
from time import monotonic

from glan.gateway.tempo import Tempo
from glan.gateway.terms import Pace
from glan.gateway.turnstile import Turnstile

_START = 64
_CUT = 0.75
_PROBE_AFTER = 150  # answers at the last known limit before one more call is tried,
_PROBE_AFTER_EACH = 2  # and no more than these per call in flight, or a latecomer with one would starve,
_MOST_DOUBTED = 5  # times the bursts so far, up to this: what was found out often is doubted rarely


class Limiter(Turnstile):
    """The calls in flight to one endpoint, at most `most`."""

    def __init__(
        self, most: int, pace: Pace, randomness: random.Random, clock: Callable[[], float] = monotonic
    ) -> None:
        super().__init__(min(most, _START))
        self._most = most
        self._pace = pace
        self._random = randomness
        self._clock = clock
        self._tempo = Tempo(clock())
        self._ceiling: int | None = None
        self._answers = 0
        self._refused_in_a_row = 0  # of calls sent since the first refusal: nothing gets through while it is not 0
        self._unanswered_since: float | None = None
        self._held_until = 0.0
        self.bursts = 0  # noted on entering: a 429 of a call that entered before the last cut is of the same burst

    def set_most(self, most: int) -> None:
        """Change the bound; lowering it takes effect as calls end."""
        self._most = most
        self.capacity = min(self.capacity, most)
        self.wake()

    def answered(self, entered_at_burst: int) -> None:
        """A call was answered: perhaps there is room for one more."""
        now = self._clock()
        if self._refused_in_a_row and entered_at_burst == self.bursts:
            self._opened_again(now)
        self._unanswered_since = None
        full = self.inside >= self.capacity
        self._tempo.answered(bool(self._queue) and not full, now)
        if not full or self.capacity >= self._most:  # not the bottleneck: nothing was learnt
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
        now = self._clock()
        if self._unanswered_since is None:
            self._unanswered_since = now
        if entered_at_burst == self.bursts:
            if not self._refused_in_a_row:
                self.bursts += 1
                self._ceiling = max(1, min(self.capacity, self.inside))
                self.capacity = max(1, int(self._ceiling * _CUT))
                self._answers = 0
                self._tempo.cut(now)
            self._refused_in_a_row += 1
            if self._shut:
                self._hold_for(self._pace.capacity_wait(self._refused_in_a_row - 2), now)
        self._hold_for(retry_after or 0.0, now)

    @property
    def unanswered_seconds(self) -> float:
        """For how long every call has been answered with 429."""
        return 0.0 if self._unanswered_since is None else self._clock() - self._unanswered_since

    @property
    def held_seconds(self) -> float:
        """For how long no call will be sent."""
        return max(0.0, self._held_until - self._clock())

    @property
    def _shut(self) -> bool:
        """Whether nothing gets through: calls that were sent after the last cut are refused as well."""
        return self._refused_in_a_row > 1

    def _opened_again(self, now: float) -> None:
        if self._shut:
            self._held_until = 0.0
            self._tempo.cut(now)
        self._tempo.measure(now)
        self._refused_in_a_row = 0

    def _answers_needed(self) -> int:
        if not self.bursts:
            return 1
        if self._ceiling is not None and self.capacity + 1 >= self._ceiling:
            return min(_PROBE_AFTER, _PROBE_AFTER_EACH * min(self.bursts, _MOST_DOUBTED) * self.capacity)
        return self.capacity

    def _hold_for(self, seconds: float, now: float) -> None:
        self._held_until = max(self._held_until, now + seconds * (1 + 0.1 * self._random.random()))

    def _admit(self, weight: float) -> None:
        super()._admit(weight)
        now = self._clock()
        self._tempo.sent(now)
        if self._shut:  # a trial; the next one if this one, too, has come to nothing by then
            self._hold_for(self._pace.capacity_wait(self._refused_in_a_row - 1), now)

    def _hold(self, weight: float) -> float:
        return max(self.held_seconds, self._tempo.wait(self._clock()))
