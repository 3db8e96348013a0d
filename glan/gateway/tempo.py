"""How many calls a second one endpoint takes, learnt from its refusals: for endpoints that count calls, not those in flight.

Nothing is held back until the first refusal. Then calls go out evenly, at somewhat less than the endpoint has taken
since the refusal before, and faster step by step for as long as none is refused.
"""

import math

_BELOW = 0.8  # of what the endpoint took
_MEASURABLE = 20  # answers that make a measurement; with fewer, the tempo is only cut, or begins slowly
_BACK = 0.25  # times the root of the tempo: by how much it rises up to what is known,
_BEYOND = 0.1  # and beyond it, at first: each such step is twice as large as the one before
_STEP_AFTER = 20  # answers, or
_STEP_AFTER_SECONDS = 1.0  # times the cuts so far, up to
_MOST_DOUBTED = 10  # what was found out often is doubted rarely
_CREDIT_SECONDS = 0.05  # of moments missed that are made up for: timers and busy loops come late


class Tempo:
    """Moments are seconds of any clock that never goes back."""

    def __init__(self, now: float) -> None:
        self.rate = math.inf
        self._known = math.inf
        self._beyond = _BEYOND
        self._answers = 0
        self._stepped = now
        self._measured_since = now
        self._measured = 0
        self._cuts = 0
        self._next = now

    def wait(self, now: float) -> float:
        """Seconds until the next call may go out."""
        return max(0.0, self._next - now)

    def sent(self, now: float) -> None:
        """A call goes out."""
        self._next = max(self._next, now - _CREDIT_SECONDS) + 1 / self.rate

    def answered(self, held_back: bool, now: float) -> None:
        """A call was answered; `held_back`: others wait for nothing but their moment."""
        self._measured += 1
        if not held_back:  # not the bottleneck: nothing was learnt
            return
        self._answers += 1
        doubted = min(_MOST_DOUBTED, self._cuts)
        if self._answers >= _STEP_AFTER * doubted or now - self._stepped >= _STEP_AFTER_SECONDS * doubted:
            self._answers, self._stepped = 0, now
            self._rise()

    def cut(self, now: float) -> None:
        """Calls are refused, or get through again after a time in which none did."""
        taken = self._measured / max(1e-3, now - self._measured_since)
        if self._measured >= _MEASURABLE:
            self._known, self._beyond = taken, _BEYOND
            self.rate = _BELOW * taken
        elif math.isinf(self.rate):
            self.rate, self._beyond = max(1.0, taken), math.inf
        else:
            self.rate, self._beyond = _BELOW * self.rate, _BEYOND
        self._answers, self._stepped = 0, now
        self._next = now + 1 / self.rate

    def measure(self, now: float) -> None:
        """Begin to count anew."""
        self._measured, self._measured_since = 0, now
        self._cuts += 1

    def _rise(self) -> None:
        """By the root, so that of two that share an endpoint the slower one catches up."""
        if self.rate < self._known < math.inf:
            self.rate += _BACK * math.sqrt(self.rate)
        else:
            self.rate = min(2 * self.rate, self.rate + self._beyond * math.sqrt(self.rate))
            self._beyond *= 2
