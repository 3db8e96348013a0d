"""How the number of calls in flight finds the endpoint's limit, and what a person's own caps do."""

import asyncio
import math
import random
from collections import Counter
from collections.abc import Callable

import pytest
import virtual_time

from glan.gateway.gate import Bucket
from glan.gateway.limiter import Limiter
from glan.gateway.terms import Pace
from glan.gateway.turnstile import Turnstile

PACE = Pace()


class Endpoint:
    """Answers after a while; what it takes of a call: seconds until there is room again, None if there is room now."""

    def __init__(self, seconds: float, seed: int) -> None:
        self._seconds = seconds
        self._random = random.Random(seed)
        self.inside = 0

    async def call(self) -> float | None:
        """Seconds until the endpoint has room again, or None if the call was answered."""
        await asyncio.sleep(0.002)
        wait = self.full()
        if wait is None:
            self.inside += 1
            await asyncio.sleep(self._seconds * self._random.uniform(0.5, 1.5))
            self.inside -= 1
        return wait

    def full(self) -> float | None:
        raise NotImplementedError


class Busy(Endpoint):
    """Takes `limit` calls at once."""

    def __init__(self, limit: int, seed: int) -> None:
        super().__init__(0.8, seed)
        self._limit = limit

    def full(self) -> float | None:
        return None if self.inside < self._limit else 0.0


class Metered(Endpoint):
    """Takes `rate` calls a second, and a second's worth at once."""

    def __init__(self, rate: float, seconds: float, seed: int) -> None:
        super().__init__(seconds, seed)
        self._rate = self._level = rate
        self._seen = 0.0

    def full(self) -> float | None:
        now = asyncio.get_running_loop().time()
        self._level = min(self._rate, self._level + (now - self._seen) * self._rate)
        self._seen = now
        if self._level < 1:
            return (1 - self._level) / self._rate
        self._level -= 1
        return None


def new_limiter(most: int, seed: int = 1) -> Limiter:
    return Limiter(most, PACE, random.Random(seed), asyncio.get_running_loop().time)


async def worker(
    limiter: Limiter,
    endpoint: Endpoint,
    seen: list[bool],
    enough: Callable[[], bool],
    callers: int,
    says_when: bool = False,
) -> None:
    """A process that always has more to ask, until there is enough."""

    async def caller() -> None:
        while not enough():
            await limiter.enter()
            burst = limiter.bursts
            try:
                wait = await endpoint.call()
                seen.append(wait is None)
                if wait is None:
                    limiter.answered(burst)
                else:
                    limiter.limited(burst, math.ceil(wait) if says_when else None)
            finally:
                limiter.leave()
            if wait is not None:
                await asyncio.sleep(PACE.first_wait_seconds)

    await asyncio.gather(*(caller() for _ in range(callers)))


def alone(limit: int, calls: int) -> tuple[list[bool], int]:
    """What one process sees of an endpoint, and the limit it ends with."""

    async def main() -> tuple[list[bool], int]:
        limiter, seen = new_limiter(256), list[bool]()
        await worker(limiter, Busy(limit, 1), seen, lambda: len(seen) >= calls, callers=256)
        return seen, limiter.capacity

    return virtual_time.run(main())


def share(seen: list[bool]) -> float:
    """The share of 429s."""
    return Counter(seen)[False] / len(seen)


@pytest.mark.parametrize("limit", [8, 40, 100])
def test_the_limit_of_the_endpoint_is_found_with_few_refusals(limit: int) -> None:
    seen, capacity = alone(limit, calls=8_000)
    assert share(seen[3_000:]) < 0.01
    assert limit * 0.7 <= capacity <= limit * 1.1


def test_an_endpoint_without_a_limit_is_used_to_the_full_and_soon() -> None:
    assert alone(10_000, calls=1_500)[1] > 230


@pytest.mark.parametrize(("processes", "limit"), [(2, 64), (4, 64), (2, 16)])
@pytest.mark.parametrize("head_start", [0, 2_000])
def test_processes_share_a_limit_without_starving_or_storming(processes: int, limit: int, head_start: int) -> None:
    async def main() -> list[list[bool]]:
        endpoint = Busy(limit, 2)
        seen: list[list[bool]] = [[] for _ in range(processes)]

        def enough() -> bool:
            return sum(map(len, seen)) >= 16_000

        async def process(number: int) -> None:
            while number and len(seen[0]) < head_start:
                await asyncio.sleep(1)
            await worker(new_limiter(64, number), endpoint, seen[number], enough, callers=64)

        await asyncio.gather(*(process(number) for number in range(processes)))
        return seen

    shares = virtual_time.run(main())
    for seen in shares:
        assert share(seen[len(seen) // 2 :]) < 0.01
        assert len(seen) > 16_000 / processes / 3


@pytest.mark.parametrize("says_when", [True, False])
@pytest.mark.parametrize(("rate", "seconds"), [(50, 0.5), (50, 2.0), (20, 0.05)])
@pytest.mark.parametrize("head_start", [0, 4])
def test_processes_share_a_rate_without_starving_or_storming(
    rate: float, seconds: float, says_when: bool, head_start: float
) -> None:
    """Also where one call in flight for each would be too many, so that only their pace can keep to the limit."""

    async def main() -> list[list[bool]]:
        endpoint, seen = Metered(rate, seconds, 2), [list[bool](), list[bool]()]
        clock = asyncio.get_running_loop().time

        async def process(number: int) -> None:
            await asyncio.sleep(number * head_start)
            await worker(new_limiter(64, number), endpoint, seen[number], lambda: clock() > 120, 64, says_when)

        processes = asyncio.gather(*(process(number) for number in range(2)))
        await asyncio.sleep(head_start + 10)
        for calls in seen:
            calls.clear()
        await processes
        return seen

    shares = virtual_time.run(main())
    answered = [Counter(seen)[True] for seen in shares]
    assert share([*shares[0], *shares[1]]) < 0.01
    assert min(answered) / sum(answered) > 0.3
    assert sum(answered) > 0.8 * rate * (110 - head_start)


def test_while_nothing_gets_through_calls_are_tried_one_by_one() -> None:
    class Shut(Endpoint):
        def full(self) -> float | None:
            return None if asyncio.get_running_loop().time() > 60 else 1.0

    async def main() -> int:
        seen = list[bool]()
        await worker(new_limiter(64), Shut(0.5, 1), seen, lambda: seen.count(True) > 500, callers=64)
        return seen.count(False)

    refused = virtual_time.run(main())
    assert 64 <= refused < 64 + 30  # all that were in flight, then every few seconds one


def test_a_burst_of_refusals_cuts_once() -> None:
    async def main() -> tuple[int, int]:
        limiter = new_limiter(20)
        for _ in range(20):
            await limiter.enter()
        burst = limiter.bursts
        for _ in range(20):
            limiter.limited(burst, None)
        return limiter.capacity, limiter.bursts

    assert virtual_time.run(main()) == (15, 1)


def test_the_limit_never_falls_below_one() -> None:
    async def main() -> int:
        limiter = new_limiter(20)
        for _ in range(50):
            for outcome in (limiter.limited, limiter.answered):
                await limiter.enter()
                outcome(limiter.bursts, *([None] if outcome == limiter.limited else []))
                limiter.leave()
        return limiter.capacity

    assert virtual_time.run(main()) == 1


def test_retry_after_holds_every_call() -> None:
    async def main() -> bool:
        limiter = new_limiter(20)
        await limiter.enter()
        limiter.limited(limiter.bursts, 3_600.0)
        limiter.leave()
        entering = asyncio.create_task(limiter.enter())
        await asyncio.sleep(3_599)
        held = not entering.done()
        await asyncio.sleep(3_600 * 0.1 + 2)
        return held and entering.done()

    assert virtual_time.run(main())


def test_places_go_by_rank_and_a_cancelled_wait_loses_none() -> None:
    async def main() -> list[str]:
        turnstile, order = Turnstile(1), list[str]()

        async def pass_by(name: str, rank: int) -> None:
            await turnstile.enter(rank)
            order.append(name)
            turnstile.leave()

        await turnstile.enter()
        waiting = [asyncio.create_task(pass_by(name, rank)) for name, rank in [("c", 2), ("x", 0), ("a", 1), ("b", 1)]]
        await asyncio.sleep(0)
        turnstile.leave()
        waiting[1].cancel()  # just after its place was given
        await asyncio.gather(*waiting, return_exceptions=True)
        assert turnstile.inside == 0
        return order

    assert asyncio.run(main()) == ["a", "b", "c"]


def test_a_rate_is_spread_evenly_and_may_be_overdrawn() -> None:
    bucket = Bucket(per_minute=600, now=0.0)  # ten a second
    bucket.take(1)
    assert bucket.wait(0.0) == pytest.approx(0.1, abs=1e-3)
    assert bucket.wait(0.1) == 0
    bucket.take(100)
    assert bucket.wait(0.1) == pytest.approx(10.0, abs=1e-3)
    assert bucket.wait(1_000.0) == 0
    bucket.take(10)  # at most one second's worth was saved up
    assert bucket.wait(1_000.0) > 0
    assert Bucket(None, 0.0).wait(0.0) == 0
