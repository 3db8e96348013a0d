"""The call gateway of a process: one event loop thread through which every model call goes.

Any number of threads hand in conversations; a new call starts the moment one ends, across all of them. At most twice
`max_concurrency` conversations are under way, so memory follows the calls in flight, not the rows. Where an endpoint is
used by its Batch API, many more are: each holds one line of a file.
"""

import asyncio
import itertools
import logging
import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from glan.clock import Clock, now
from glan.costs import Spent
from glan.errors import BudgetSpent, Cancelled, EndpointDown, EndpointRefused, GlanError
from glan.gateway.asking import Asking, Desk, copied
from glan.gateway.batch.asking import BatchAsking
from glan.gateway.batch.courier import Batching, Courier, Office
from glan.gateway.budget import Purse
from glan.gateway.gate import Gate
from glan.gateway.ledger import Ledger, Log, OnCall
from glan.gateway.line import Line
from glan.gateway.prices import Prices
from glan.gateway.recall import Progress, recall
from glan.gateway.requests import Call, Conversation, Failure, Outcome, Request
from glan.gateway.terms import Allowance, Endpoint, Limits, Pace
from glan.gateway.turnstile import Turnstile
from glan.models import ModelProfile

__all__ = ["Allowance", "Batching", "Endpoint", "Gateway", "GatewayState", "History", "Limits", "Log", "Pace"]

_logger = logging.getLogger(__name__)

_IN_BATCHES = 100_000
"""Conversations that may be under way by batches, in addition to those at once: two of the largest files."""


class History(Protocol):
    """Earlier attempts on record (`store.calls.CallHistory`)."""

    def __contains__(self, request_key: str) -> bool: ...
    def attempts(self, request_key: str) -> list[dict[str, Any]]: ...


@dataclass(frozen=True, slots=True)
class GatewayState:
    """A moment's view. `at_provider` says what waits there in batches, and since when."""

    in_flight: int
    limit: int
    paused_because: str | None
    at_provider: str | None
    spent: Spent
    rate_limited: int
    weather: int


class Gateway:
    """One per process. Safe to use from many threads at once; `close` it at the end."""

    def __init__(
        self,
        *,
        endpoint: Callable[[ModelProfile], Endpoint],
        log: Log,
        run_id: str,
        limits: Limits,
        prices: Prices,
        budget_id: str = "",
        allowance: Allowance | None = None,
        notify: Callable[[str], None] = _logger.warning,
        clock: Clock = now,
        randomness: random.Random | None = None,
        pace: Pace | None = None,
        batching: Batching | None = None,
        on_call: OnCall = lambda discipline_id, stage, spent: None,
    ) -> None:
        """Start the loop thread; no call is made yet.

        `endpoint` says where a profile's calls go; every attempt is appended to `log`; `notify` is told once when an
        endpoint is down and once when it is back. With an `allowance` the process spends no more than is left of it.
        Endpoints that are used by their Batch API need `batching`. `on_call` is told of every attempt on record.
        """
        self._endpoint = endpoint
        self._limits = limits
        self._notify = notify
        self._randomness = randomness or random.Random()
        self._pace = pace or Pace()
        self._ledger = Ledger(log, run_id, budget_id, prices, clock, on_call)
        self._gate = Gate(limits)
        purse = Purse(allowance, prices.cost, notify) if allowance is not None else None
        self._desk = Desk(self._gate, self._ledger, self._pace, limits.patience_seconds, self._randomness, purse)
        self._batching = batching
        self._in_batches = _IN_BATCHES if batching else 0
        self._open = Turnstile(2 * limits.max_concurrency + self._in_batches)
        self._most = limits.max_concurrency
        self._lines: dict[Endpoint, Line] = {}
        self._ranks = itertools.count()
        self._running: dict[asyncio.Task[Any], GlanError | None] = {}
        self._asking: set[asyncio.Task[Any]] = set()
        self._stopped = threading.Event()
        self._loop = _new_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="glan-gateway", daemon=True)
        self._thread.start()

    def run(self, conversations: Sequence[Conversation], history: History | None = None) -> list[Outcome]:
        """Carry all conversations to their ends, in parallel; outcomes in the order given. Blocks, on any thread.

        Requests that `history` has an understood reply for cost no call. A failure ends only its conversation.

        Raises:
            EndpointRefused: the endpoint is condemned; the gateway is stopped.
            EndpointDown: the endpoint stayed away for longer than the patience set; a later run may succeed.
            BudgetSpent: it needs a further call, which would go beyond the allowance; the gateway is stopped.
            GlanError: what `stop` was called with, or what the log or the history raised.
        """
        self._desk.check()
        work = asyncio.run_coroutine_threadsafe(self._run(conversations, history), self._loop)
        try:
            return work.result()
        except BaseException:  # a KeyboardInterrupt ends the wait, not the work
            work.cancel()
            raise

    def set_max_concurrency(self, n: int) -> None:
        """Change the most calls in flight, from now on."""
        self._most = n
        self._soon(self._apply_max_concurrency, n)

    def pause(self) -> None:
        """Send nothing new until `resume`; calls in flight go on."""
        self._soon(self._gate.set_paused, True)

    def resume(self) -> None:
        """Send again."""
        self._soon(self._gate.set_paused, False)

    def stop(self, error: GlanError) -> None:
        """Cancel everything in flight; every `run`, present and later, raises `error`. The first stop counts."""
        self._desk.end(error)
        self._stopped.set()
        self._soon(self._end_runs, error)

    def rest(self, seconds: float) -> None:
        """Wait on the calling thread, but not beyond the moment the gateway is stopped.

        Raises:
            GlanError: what `stop` was called with.
        """
        if self._stopped.wait(seconds):
            self._desk.check()

    @property
    def ended_by(self) -> GlanError | None:
        """Why nothing more can be asked; None while it can."""
        return self._desk.ended_by

    @property
    def down(self) -> frozenset[str]:
        """Hosts that have not answered since they counted as down."""
        return frozenset(line.host for line in list(self._lines.values()) if line.breaker.down)

    def close(self) -> None:
        """Stop, close the connections and end the thread. May be called again."""
        self.stop(Cancelled("the gateway is closed"))
        if self._loop.is_closed():
            return
        asyncio.run_coroutine_threadsafe(self._hang_up(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def state(self) -> GatewayState:
        """How things stand."""
        totals = self._ledger.totals
        limit = sum(line.limiter.capacity for line in list(self._lines.values()))
        return GatewayState(
            in_flight=self._gate.inside + sum(courier.on_the_way for courier in self._couriers()),
            limit=min(limit, self._most) if limit else self._most,
            paused_because=self._paused_because(),
            at_provider="; ".join(filter(None, (courier.waiting for courier in self._couriers()))) or None,
            spent=totals.spent,
            rate_limited=totals.rate_limited,
            weather=totals.weather,
        )

    def _couriers(self) -> list[Courier]:
        return [line.courier for line in list(self._lines.values()) if line.courier is not None]

    def _paused_because(self) -> str | None:
        if self._gate.paused:
            return "paused on request"
        if self._desk.log_is_full:
            return "waiting for the call log to be written"
        for line in list(self._lines.values()):
            if line.breaker.open:
                return f"{line.host} is down"
            if line.limiter.held_seconds > 0:
                return f"{line.host} is at its limit; next call in {line.limiter.held_seconds:.0f} s"
        return None

    # Everything below runs on the loop thread.

    async def _run(self, conversations: Sequence[Conversation], history: History | None) -> list[Outcome]:
        task = asyncio.current_task()
        assert task is not None
        self._running[task] = None
        try:
            self._desk.check()
            return await self._carry(conversations, history)
        except asyncio.CancelledError:
            if error := self._running[task]:
                raise copied(error) from None
            raise
        except BaseExceptionGroup as group:
            raise _first(group) from None
        finally:
            del self._running[task]

    async def _carry(self, conversations: Sequence[Conversation], history: History | None) -> list[Outcome]:
        rank = next(self._ranks)  # earlier runs first, so that units finish one after another
        tasks = []
        async with asyncio.TaskGroup() as group:
            for conversation in conversations:
                await self._open.enter(rank)
                tasks.append(group.create_task(self._converse(conversation, history, rank)))
                # By the task's end: one that is cancelled before its first step comes to no `finally`.
                tasks[-1].add_done_callback(lambda _: self._open.leave())
        return [task.result() for task in tasks]

    async def _converse(self, conversation: Conversation, history: History | None, rank: int) -> Outcome:
        calls: list[Call] = []
        try:
            request = next(conversation)
            while True:
                answer = await self._ask(request, history, rank)
                if isinstance(answer, Failure):
                    return Outcome(failure=answer, calls=calls)
                calls.append(answer)
                request = conversation.send(answer)
        except StopIteration as end:
            return Outcome(value=end.value, calls=calls)
        except EndpointRefused as error:
            self.stop(error)
            raise
        except EndpointDown as error:
            self._end_runs(error)
            raise
        except BudgetSpent as error:
            self._end_asking(error)
            raise
        finally:
            conversation.close()

    async def _ask(self, request: Request, history: History | None, rank: int) -> Call | Failure:
        progress: Call | Progress = Progress()
        if history is not None and request.key in history:
            progress = await asyncio.to_thread(lambda: recall(request, history.attempts(request.key)))
        if isinstance(progress, Call):
            return progress
        line = self._line(request.profile)
        if line.courier is not None:
            return await self._answered(BatchAsking(self._desk, line, line.courier, request, progress))
        asking = Asking(self._desk, line, request, progress, rank)
        return await self._answered(asking)

    async def _answered(self, asking: Asking) -> Call | Failure:
        task = asyncio.current_task()
        assert task is not None
        self._asking.add(task)
        try:
            return await asking.answer()
        except asyncio.CancelledError:
            if isinstance(self._desk.ended_by, BudgetSpent):
                raise copied(self._desk.ended_by) from None
            raise
        finally:
            self._asking.discard(task)

    def _line(self, profile: ModelProfile) -> Line:
        endpoint = self._endpoint(profile)
        line = self._lines.get(endpoint)
        if line is None:
            limits = Limits(max_concurrency=self._most, patience_seconds=self._limits.patience_seconds)
            line = self._lines[endpoint] = Line(endpoint, limits, self._pace, self._notify, self._randomness)
            if endpoint.batch:
                assert self._batching is not None
                line.open_batches(self._batching, self._office())
        return line

    def _office(self) -> Office:
        ledger = self._ledger
        return Office(
            ledger.run_id,
            ledger.clock,
            self._notify,
            lambda: self._gate.paused,
            ledger.log.wait,
            self._desk.room_in_log,
        )

    def _end_runs(self, error: GlanError) -> None:
        for task in self._running:
            if self._running[task] is None:
                self._running[task] = error
                task.cancel()

    def _end_asking(self, error: BudgetSpent) -> None:
        """Nothing is in flight any more: end whatever waits to be sent, but no run whose replies are all there."""
        self._desk.end(error)
        for task in self._asking:
            task.cancel()

    def _apply_max_concurrency(self, n: int) -> None:
        self._open.capacity = 2 * n + self._in_batches
        self._open.wake()
        for line in self._lines.values():
            line.limiter.set_most(n)
        self._gate.set_capacity(n)

    async def _hang_up(self) -> None:
        while self._running:
            await asyncio.wait(list(self._running))
        for line in self._lines.values():
            await line.close()
        await self._loop.shutdown_default_executor()

    # On any thread again.

    def _soon(self, action: Callable[..., object], *arguments: Any) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(action, *arguments)


def _new_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop
    except ImportError:  # not on every platform
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The error to show for many: one of ours if there is one."""
    errors = [error for error in group.exceptions if isinstance(error, GlanError)]
    return copied(errors[0]) if errors else group.exceptions[0]
