"""Ways to make the same calls, each in a process of its own: the pipeline, with Prefect and without, by hand, bare.

python -m bench.clients pipeline|plain|script|bare < ORDER, where ORDER is JSON; prints JSON: `calls`, `cpu_seconds`,
`peak_mb`.
"""

import asyncio
import json
import os
import resource
import sys
import time
from collections.abc import Callable, Coroutine, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from functools import partial
from importlib import import_module
from itertools import chain, cycle, islice
from typing import Any
from uuid import uuid4

DISCIPLINES_AT_ONCE, OPEN_UNITS = 3, 64  # as in flows/disciplines.py and tasks/runner.py

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
    return progress.latest().total().spent.calls


def plain(order: dict[str, Any]) -> int:
    """The same units by the same core, in threads of this process that no Prefect watches over."""
    from glan.clock import now
    from glan.config import RunConfig
    from glan.planning.publishing import publish_snapshot, publish_units
    from glan.planning.scope import walks
    from glan.planning.walk import Walk
    from glan.stages import answers, instructions, questions, subjects, syllabi
    from glan.store import taxonomies
    from glan.units import Receipt, Unit
    from tasks import wiring
    from tasks.preparation import prepare

    stages = {module.__name__.rpartition(".")[2]: module for module in (subjects, syllabi, questions, answers)}
    begun = prepare(RunConfig(**order["config"]), str(uuid4()))
    run, made = wiring.effects(begun), wiring.recipe(begun)

    def make(walk: Walk, unit: Unit) -> Receipt:
        return walk.done(unit) or stages.get(unit.stage, instructions).run(unit, made, run)

    def discipline(walk: Walk) -> None:
        open_units: dict[Future[Receipt], Unit] = {}
        receipts = []
        with ThreadPoolExecutor(OPEN_UNITS) as pool:
            todo = walk.first()
            while todo or open_units:
                open_units |= {pool.submit(make, walk, unit): unit for unit in todo}
                ended = wait(open_units, return_when=FIRST_COMPLETED).done
                todo = []
                for future in ended:
                    receipts.append(future.result())
                    todo += walk.after(open_units.pop(future), receipts[-1])
        name = walk.discipline.discipline_id
        publish_units(run.store, name, receipts, begun.run_id, now)
        publish_snapshot(run.store, [name], begun.run_id, now)

    chosen = taxonomies.current(run.store).select(**made.config.selectors())
    with ThreadPoolExecutor(DISCIPLINES_AT_ONCE) as pool:
        list(pool.map(discipline, walks(run.store, chosen, made)))
    calls = run.gateway.state.spent.calls
    wiring.close(begun)
    return calls


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
    "plain": ("tasks.preparation", plain),
    "script": ("openai", partial(by_hand, script)),
    "bare": ("aiohttp", partial(by_hand, bare)),
}
"""What each needs imported first, and what it does."""


def main() -> None:
    """Do what is ordered on the cores given, and tell the CPU time it took, imports apart."""
    package, work = WAYS[sys.argv[1]]
    order = json.load(sys.stdin)
    os.sched_setaffinity(0, order["cores"])
    import_module(package)
    before = time.process_time()
    calls = work(order)
    told = {"calls": calls, "cpu_seconds": time.process_time() - before}
    print(json.dumps({**told, "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))


if __name__ == "__main__":
    main()
