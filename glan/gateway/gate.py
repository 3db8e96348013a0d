"""What a person allows the whole process: calls in flight, calls and tokens per minute, pause and resume."""

import math
from time import monotonic

from glan.gateway.terms import Limits
from glan.gateway.turnstile import Turnstile


class Bucket:
    """A rate per minute, spread evenly. May be overdrawn, so that nothing is too large to be let in."""

    def __init__(self, per_minute: int | None, now: float) -> None:
        self._per_second = per_minute / 60 if per_minute else math.inf
        self._most = max(1.0, self._per_second)
        self._level = 1.0
        self._seen = now

    def wait(self, now: float) -> float:
        """Seconds until something may be taken."""
        if math.isinf(self._per_second):
            return 0.0
        self._level = min(self._most, self._level + (now - self._seen) * self._per_second)
        self._seen = now
        return max(0.0, (1.0 - self._level) / self._per_second - 1e-6)

    def take(self, amount: float) -> None:
        """Take, or give back with a negative amount."""
        if not math.isinf(self._per_second):
            self._level -= amount


class Gate(Turnstile):
    """All calls of the process pass here last. `weight` is the number of tokens expected."""

    def __init__(self, limits: Limits) -> None:
        super().__init__(limits.max_concurrency)
        now = monotonic()
        self._requests = Bucket(limits.requests_per_minute, now)
        self._tokens = Bucket(limits.tokens_per_minute, now)
        self._mean_reply = 500.0
        self.paused = False

    def expected_tokens(self, prompt_characters: int) -> float:
        """What a call will probably use: four characters a token, and a reply like the ones before."""
        return prompt_characters / 4 + self._mean_reply

    def settle(self, expected: float, prompt_tokens: int, completion_tokens: int) -> None:
        """Correct what was taken on entering by what was used."""
        self._tokens.take(prompt_tokens + completion_tokens - expected)
        self._mean_reply += (completion_tokens - self._mean_reply) / 50

    def set_paused(self, paused: bool) -> None:
        """Let no new call pass, or go on."""
        self.paused = paused
        self.wake()

    def set_capacity(self, capacity: int) -> None:
        """Change the number of calls in flight; lowering it takes effect as calls end."""
        self.capacity = capacity
        self.wake()

    def _admit(self, weight: float) -> None:
        super()._admit(weight)
        self._requests.take(1)
        self._tokens.take(weight)

    def _hold(self, weight: float) -> float:
        if self.paused:
            return math.inf
        now = monotonic()
        return max(self._requests.wait(now), self._tokens.wait(now))
