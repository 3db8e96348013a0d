"""The life of one request: recalled or sent, classified, repaired, recorded."""

import asyncio
import datetime
import random
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from typing import Any, NoReturn

from glan.errors import EndpointDown, EndpointRefused, GlanError
from glan.gateway.answers import Fault, Reply
from glan.gateway.body import body
from glan.gateway.budget import Purse
from glan.gateway.gate import Gate
from glan.gateway.ledger import Ledger, Usage
from glan.gateway.line import Line
from glan.gateway.recall import Progress
from glan.gateway.requests import Call, Failure, Problem, Request, Understood
from glan.gateway.structure import Mode
from glan.gateway.terms import Amount, Pace
from glan.gateway.trouble import Trouble, Way, classify

_LONG_REPLY = 20_000  # characters, beyond which a reply is read in a thread so that no other call waits for it
_LAST_MOMENT = 2.0  # seconds that a call under way still gets when its run is stopped: its reply is paid for
_LEAST_PATIENCE = 60.0  # seconds: even an impatient run waits for an ordinary rate limit to pass


@dataclass(slots=True)
class Desk:
    """What all askings of a process share."""

    gate: Gate
    ledger: Ledger
    pace: Pace
    patience_seconds: float
    randomness: random.Random
    purse: Purse | None = None
    log_is_full: bool = False
    ended_by: GlanError | None = None

    def end(self, error: GlanError) -> None:
        """No further call may be sent. The first error counts."""
        self.ended_by = self.ended_by or error

    def check(self) -> None:
        """Raise what ended everything, if something did."""
        if self.ended_by:
            raise copied(self.ended_by)

    async def room_in_log(self) -> None:
        """Wait while too many finished replies are unwritten. Raises what the log raises if it cannot be written."""
        while self.ledger.log.refused or self.ledger.log.backlog > self.pace.backlog_rows:
            self.log_is_full = True
            try:
                await asyncio.to_thread(self.ledger.log.wait)
            finally:
                self.log_is_full = False

    async def rest(self, seconds: float, at_least: float | None = None) -> None:
        """Sleep before the next try, with jitter so that many don't wake at once."""
        await asyncio.sleep(max(at_least or 0.0, seconds * (1 + self.randomness.random()) / 2))


@dataclass(frozen=True, slots=True)
class Exchange:
    """One attempt as it went."""

    answer: Reply | Fault
    trouble: Trouble | None
    mode: Mode | None
    started_at: datetime.datetime
    finished_at: datetime.datetime
    batch_id: str | None = None


class Asking:
    """One request on its way to its value or its failure."""

    def __init__(self, desk: Desk, line: Line, request: Request, progress: Progress, rank: int) -> None:
        self._desk = desk
        self._line = line
        self._request = request
        self._progress = progress
        self._rank = rank
        self._told_to_stop = False
        self._rate_limited = 0
        self._weather = 0
        self._reserved: Amount | None = None  # of the budget, for the attempt that is under way
        self._before_weather = (0, 0)  # answers and failures of the endpoint when this request first met weather

    async def answer(self) -> Call | Failure:
        """Ask until understood, or until it may not be asked again.

        Raises:
            EndpointRefused: the endpoint is condemned.
            EndpointDown: it stayed away for longer than the patience set.
            BudgetSpent: a further attempt would go beyond the budget.
        """
        try:
            while (failure := self._progress.failure(self._request)) is None:
                exchange = await self._exchange()
                attempt = self._progress.attempts + 1
                self._progress.attempted(attempt, self._desk.ledger.run_id, exchange.finished_at)
                if isinstance(exchange.answer, Reply):
                    ended: Call | Failure | None = await self._read(exchange, exchange.answer)
                else:
                    ended = await self._bear(exchange, exchange.answer)
                self._stop_if_told()
                if ended:
                    return ended
            return failure
        finally:
            self._settle(None)  # an attempt that was broken off: nobody knows what it used

    async def _exchange(self) -> Exchange:
        """Send once, when limits and health allow, and tell the line how it went."""
        line, desk = self._line, self._desk
        desk.check()
        if line.limiter.held_seconds > self._patience:
            raise EndpointDown(self._beyond_patience(f"{line.host} is at its limit and asks to wait"))
        await line.limiter.enter(self._rank)
        burst = line.limiter.bursts
        try:
            await line.breaker.pass_through(self._request.key)
            await desk.room_in_log()
            mode = line.structures.mode(self._request)
            answer, started_at = await self._send(mode)
            trouble = self._trouble(answer, mode) if isinstance(answer, Fault) else None
            if trouble is None or trouble.way not in (Way.WEATHER, Way.CAPACITY):
                line.limiter.answered(burst)
            elif trouble.way is Way.CAPACITY and isinstance(answer, Fault):
                line.limiter.limited(burst, answer.retry_after)
            if trouble is None or trouble.way is not Way.WEATHER:
                line.breaker.answered()
            return Exchange(answer, trouble, mode, started_at, desk.ledger.clock())
        finally:
            line.breaker.release(self._request.key)
            line.limiter.leave()

    async def _send(self, mode: Mode | None) -> tuple[Reply | Fault, datetime.datetime]:
        request, progress, gate = self._request, self._progress, self._desk.gate
        sent = body(request, mode, progress.seeds_used, progress.problem, progress.bad_reply)
        characters = sum(len(message["content"]) for message in sent["messages"])
        expected = gate.expected_tokens(characters)
        await gate.enter(self._rank, expected)
        used = (0, 0)
        try:
            if self._desk.purse is not None:
                self._reserved = await self._desk.purse.reserve(characters, request.profile)
            self._desk.check()
            started_at = self._desk.ledger.clock()
            answer = await self._to_its_end(self._line.client.ask(sent, request.profile.timeout_seconds))
            if isinstance(answer, Reply):
                used = (answer.prompt_tokens or int(expected), answer.completion_tokens or 0)
            return answer, started_at
        finally:
            gate.leave()
            gate.settle(expected, *used)

    async def _to_its_end(self, call: Coroutine[Any, Any, Reply | Fault]) -> Reply | Fault:
        """The answer of a call. When the run is stopped meanwhile, one that comes soon is still taken, to be recorded."""
        under_way = asyncio.ensure_future(call)
        try:
            return await asyncio.shield(under_way)
        except asyncio.CancelledError:
            await asyncio.wait([under_way], timeout=_LAST_MOMENT)
            if not under_way.done():
                raise
            self._told_to_stop = True
            return under_way.result()
        finally:
            under_way.cancel()

    def _stop_if_told(self) -> None:
        if self._told_to_stop:
            raise asyncio.CancelledError

    def _trouble(self, fault: Fault, mode: Mode | None) -> Trouble:
        profile = self._request.profile
        sent = " ".join(message["content"] for message in self._request.messages)
        trouble = classify(fault, profile, self._line.host, sent)
        if trouble.way is not Way.STRUCTURE or self._line.structures.step_down(self._request, mode):
            return trouble
        if mode is None or profile.structure in ("auto", "text"):  # nothing of the kind was sent
            message = f"{self._line.host} refuses the request: {fault.message}"
            return replace(trouble, way=Way.CONTENT, kind="bad_request", message=message)
        return replace(trouble, way=Way.FINAL)

    async def _read(self, exchange: Exchange, reply: Reply) -> Call | None:
        self._line.refusals.answered()
        read, text = self._request.read, reply.text
        try:
            if len(text) > _LONG_REPLY:
                result = await asyncio.to_thread(read, text, reply.finish_reason)
            else:
                result = read(text, reply.finish_reason)
        except Exception:  # a fault in a reader is ours; the reply is paid for and stays on record all the same
            self._record(exchange, "reader_error", text)
            raise
        result = self._progress.judged(result, text)
        if isinstance(result, Problem):
            self._record(exchange, result.kind, text)
            self._progress.note(result, text)
            return None
        return self._understood(exchange, reply, result)

    def _understood(self, exchange: Exchange, reply: Reply, result: Understood) -> Call:
        cost = self._record(exchange, None, reply.text)
        return Call(
            request=self._request,
            value=result.value,
            repaired=result.repaired,
            text=reply.text,
            finish_reason=reply.finish_reason,
            run_id=self._desk.ledger.run_id,
            finished_at=exchange.finished_at,
            attempts=self._progress.attempts,
            prompt_tokens=reply.prompt_tokens or 0,
            completion_tokens=reply.completion_tokens or 0,
            cost_usd=cost,
        )

    async def _bear(self, exchange: Exchange, fault: Fault) -> Failure | None:
        """Go on after a fault: wait, note it, or raise what ends everything."""
        trouble = exchange.trouble
        assert trouble is not None  # every fault is classified
        self._record(exchange, trouble.kind, trouble.message if trouble.way in (Way.CONTENT, Way.WEATHER) else None)
        self._stop_if_told()
        if trouble.way is Way.CAPACITY:
            await self._bear_capacity(trouble, fault)
        elif trouble.way is Way.WEATHER:
            return await self._bear_weather(trouble, fault)
        elif trouble.way is Way.CONTENT:
            self._bear_refusal(trouble)
        elif trouble.way is Way.FINAL:
            self._condemn(trouble.message)
        return None

    @property
    def _patience(self) -> float:
        return max(self._desk.patience_seconds, _LEAST_PATIENCE)

    def _beyond_patience(self, what: str) -> str:
        return f"{what}; longer than the patience of {self._patience:.0f} s; run again later"

    async def _bear_capacity(self, trouble: Trouble, fault: Fault) -> None:
        self._desk.ledger.totals.rate_limited += 1
        waiting = max(self._line.limiter.unanswered_seconds, fault.retry_after or 0.0)
        if waiting > self._patience:
            raise EndpointDown(self._beyond_patience(trouble.message))
        await self._desk.rest(self._desk.pace.capacity_wait(self._rate_limited))
        self._rate_limited += 1

    async def _bear_weather(self, trouble: Trouble, fault: Fault) -> Failure | None:
        self._desk.ledger.totals.weather += 1
        breaker = self._line.breaker
        if self._weather == 0:
            self._before_weather = (breaker.answers, breaker.failures)
        given_up = breaker.failed(self._request.key, trouble)
        self._weather += 1
        if given_up or (self._weather >= self._desk.pace.weather_attempts and self._is_its_own_fault(trouble)):
            return self._progress.failed(self._request, "weather", trouble.message)
        asked_to_wait = min(fault.retry_after or 0.0, self._desk.patience_seconds)
        await self._desk.rest(self._desk.pace.wait(self._weather - 1), asked_to_wait)
        return None

    def _is_its_own_fault(self, trouble: Trouble) -> bool:
        """Whether it is this request that the endpoint fails on, while it answers most others (or there are none)."""
        breaker = self._line.breaker
        answers, failures = self._before_weather
        if breaker.answers - answers > breaker.failures - failures:
            return True
        return breaker.alone(self._request.key) and not trouble.outage

    def _bear_refusal(self, trouble: Trouble) -> None:
        if self._line.refusals.refused(self._request.key, trouble.kind, trouble.message):
            alike = self._desk.pace.same_refusals
            self._condemn(f"{alike} different requests in a row were refused alike: {trouble.message}")
        self._progress.refused(trouble.kind, trouble.message)

    def _condemn(self, message: str) -> NoReturn:
        error = EndpointRefused(message)
        self._desk.end(error)  # at once: those next in the queue must not send
        raise error

    def _record(self, exchange: Exchange, error_kind: str | None, reply: str | None) -> float | None:
        ledger = self._desk.ledger
        usage = ledger.usage(self._request.profile.model, exchange.answer, batch=exchange.batch_id is not None)
        ledger.record(
            self._request,
            exchange.answer,
            usage,
            attempt=self._progress.attempts,
            started_at=exchange.started_at,
            finished_at=exchange.finished_at,
            error_kind=error_kind,
            reply=reply,
            batch_id=exchange.batch_id,
        )
        if self._desk.purse and isinstance(exchange.answer, Reply) and usage.prompt_tokens is None:
            self._desk.purse.not_counted(self._line.host)
        self._settle(usage)
        return usage.cost_usd

    def _settle(self, usage: Usage | None) -> None:
        """Count what the attempt under way has used, once it is on record: until then the budget leaves it time."""
        if self._reserved is not None and self._desk.purse is not None:
            reserved, self._reserved = self._reserved, None
            self._desk.purse.settle(reserved, usage)


def copied(error: GlanError) -> GlanError:
    """The same error anew: a raised one collects the traceback of its thread."""
    return type(error)(str(error))
