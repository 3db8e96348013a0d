"""How the number of calls in flight finds the endpoint's limit, and what a person's own caps do."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable

import pytest

from glan.gateway.gate import Bucket
from glan.gateway.limiter import Limiter
from glan.gateway.terms import Pace
from glan.gateway.turnstile import Turnstile

QUICK = Pace(first_wait_seconds=0.001, longest_wait_seconds=0.002)


class Busy:
    """An endpoint that takes `limit` calls at once and answers 429 to the rest, as seen by limiters."""

    def __init__(self, limit: int, seed: int) -> None:
        self.limit = limit
        self.inside = 0
        self._random = random.Random(seed)

    async def call(self) -> bool:
        if self.inside >= self.limit:
            await asyncio.sleep(0)
            return False
        self.inside += 1
        for _ in range(self._random.randint(4, 12)):
            await asyncio.sleep(0)
        self.inside -= 1
        return True

    async def think(self) -> None:
        """What a process does between an answer and its next call: now and then another comes first."""
        for _ in range(self._random.randint(0, 1)):
            await asyncio.sleep(0)


async def worker(limiter: Limiter, endpoint: Busy, seen: list[bool], enough: Callable[[], bool], callers: int) -> None:
    """A process that always has more to ask, until there is enough."""

    async def caller() -> None:
        while not enough():
            await limiter.enter()
            burst = limiter.bursts
            try:
                answered = await endpoint.call()
                seen.append(answered)
                if answered:
                    limiter.answered()
                else:
                    limiter.limited(burst, None)
            finally:
                limiter.leave()
            await endpoint.think()

    await asyncio.gather(*(caller() for _ in range(callers)))


def alone(limit: int, calls: int) -> tuple[list[bool], int]:
    """What one process sees of an endpoint, and the limit it ends with."""

    async def main() -> tuple[list[bool], int]:
        limiter, seen = Limiter(256, QUICK, random.Random(1)), list[bool]()
        await worker(limiter, Busy(limit, 1), seen, lambda: len(seen) >= calls, callers=256)
        return seen, limiter.capacity

    return asyncio.run(main())


def share(seen: list[bool]) -> float:
    """The share of 429s."""
    return Counter(seen)[False] / len(seen)


@pytest.mark.parametrize("limit", [8, 40, 100])
def test_the_limit_of_the_endpoint_is_found_with_few_refusals(limit: int) -> None:
    seen, capacity = alone(limit, calls=20_000)
    assert share(seen[3_000:]) < 0.01
    assert limit * 0.7 <= capacity <= limit * 1.1


def test_an_endpoint_without_a_limit_is_used_to_the_full_and_soon() -> None:
    assert alone(10_000, calls=1_500)[1] > 230


@pytest.mark.parametrize(("processes", "limit"), [(2, 64), (4, 64), (2, 16)])
@pytest.mark.parametrize("head_start", [0, 3_000])
def test_processes_share_a_limit_without_starving_or_storming(processes: int, limit: int, head_start: int) -> None:
    async def main() -> list[list[bool]]:
        endpoint = Busy(limit, 2)
        seen: list[list[bool]] = [[] for _ in range(processes)]

        def enough() -> bool:
            return sum(map(len, seen)) >= 40_000

        async def process(number: int) -> None:
            while number and len(seen[0]) < head_start:
                await asyncio.sleep(0)
            await worker(Limiter(64, QUICK, random.Random(number)), endpoint, seen[number], enough, callers=64)

        await asyncio.gather(*(process(number) for number in range(processes)))
        return seen

    shares = asyncio.run(main())
    for seen in shares:
        assert share(seen[len(seen) // 2 :]) < 0.01
        assert len(seen) > 40_000 / processes / 3


def test_a_burst_of_refusals_cuts_once() -> None:
    async def main() -> tuple[int, int]:
        limiter = Limiter(20, QUICK, random.Random(1))
        for _ in range(20):
            await limiter.enter()
        burst = limiter.bursts
        for _ in range(20):
            limiter.limited(burst, None)
        return limiter.capacity, limiter.bursts

    assert asyncio.run(main()) == (15, 1)


def test_the_limit_never_falls_below_one() -> None:
    async def main() -> int:
        limiter = Limiter(20, QUICK, random.Random(1))
        for _ in range(50):
            await limiter.enter()
            limiter.limited(limiter.bursts, None)
            limiter.leave()
        return limiter.capacity

    assert asyncio.run(main()) == 1


def test_retry_after_holds_every_call() -> None:
    async def main() -> bool:
        limiter = Limiter(20, QUICK, random.Random(1))
        await limiter.enter()
        limiter.limited(limiter.bursts, 3_600.0)
        entering = asyncio.create_task(limiter.enter())
        await asyncio.sleep(0)
        held = not entering.done() and 3_600 <= limiter.held_seconds + 1 <= 3_600 * 1.1 + 1
        entering.cancel()
        return held

    assert asyncio.run(main())


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
