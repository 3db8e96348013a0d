"""Three ways to make the same calls, each in a process of its own: the pipeline, a script by hand, and the bare limit.

python -m bench.clients pipeline|script|bare < ORDER, where ORDER is JSON; prints JSON: `calls` and `cpu_seconds`.
"""

import asyncio
import json
import os
import sys
import time
from collections.abc import Callable, Coroutine, Iterable, Sequence
from functools import partial
from importlib import import_module
from itertools import chain, cycle, islice
from typing import Any

Body = dict[str, Any]
Way = Callable[[Iterable[Body], int, str], Coroutine[Any, Any, None]]


def pipeline(order: dict[str, Any]) -> int:
    """The flow `generate`, everything included: the number of calls that are on record."""
    from flows.generate import generate
    from glan.config import RunConfig
    from tasks import progress

    state = generate(RunConfig(**order["config"]), return_state=True)
    if not state.is_completed():
        raise SystemExit(state.message)
    return progress.latest().total().calls


async def bare(bodies: Iterable[Body], concurrency: int, base_url: str) -> None:
    """aiohttp and nothing else: workers that take the next call as soon as one has ended."""
    import aiohttp

    waiting = iter(bodies)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def work() -> None:
            for body in waiting:
                async with session.post(f"{base_url}/chat/completions", json=body) as response:
                    completion = await response.json()
                    assert completion["choices"][0]["message"]["content"]

        await asyncio.gather(*(work() for _ in range(concurrency)))


async def script(bodies: Iterable[Body], concurrency: int, base_url: str) -> None:
    """The best that is written by hand: the openai SDK on aiohttp, a semaphore, all calls gathered."""
    import httpx2
    import openai

    http = openai.DefaultAioHttpClient(limits=httpx2.Limits(max_connections=0))
    async with openai.AsyncOpenAI(api_key="none", base_url=base_url, http_client=http) as client:
        free = asyncio.Semaphore(concurrency)

        async def ask(body: Body) -> None:
            async with free:
                completion = await client.chat.completions.create(**body)
                assert completion.choices[0].message.content

        await asyncio.gather(*(ask(body) for body in bodies))


def by_hand(way: Way, order: dict[str, Any]) -> int:
    """Question and answer calls in turn, in the very bodies that the pipeline sent."""
    import uvloop

    kinds: Sequence[Sequence[Body]] = order["bodies"]
    bodies = islice(chain.from_iterable(zip(*map(cycle, kinds), strict=False)), order["calls"])
    uvloop.run(way(bodies, order["concurrency"], order["base_url"]))
    return int(order["calls"])


WAYS: dict[str, tuple[str, Callable[[dict[str, Any]], int]]] = {
    "pipeline": ("flows.generate", pipeline),
    "script": ("openai", partial(by_hand, script)),
    "bare": ("aiohttp", partial(by_hand, bare)),
}
"""What each needs imported first, and what it does."""


def main() -> None:
    """Do what is ordered on the core given, and tell the CPU time it took, imports apart."""
    package, work = WAYS[sys.argv[1]]
    order = json.load(sys.stdin)
    os.sched_setaffinity(0, {order["core"]})
    import_module(package)
    before = time.process_time()
    calls = work(order)
    print(json.dumps({"calls": calls, "cpu_seconds": time.process_time() - before}))


if __name__ == "__main__":
    main()
