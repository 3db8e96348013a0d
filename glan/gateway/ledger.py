"""One row of the calls table per attempt, appended before anything is made of the reply; and the running totals."""

import datetime
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from glan.clock import Clock
from glan.costs import Spent
from glan.gateway.answers import Fault, Reply
from glan.gateway.prices import Prices
from glan.gateway.requests import Request

RATE_LIMITED = 429
"""The status of a call that was not taken on: it costs nothing and counts for no budget."""


class Log(Protocol):
    """The write-ahead log as the gateway needs it (`store.calls.CallLog`)."""

    def append(self, row: dict[str, Any]) -> None: ...
    def wait(self) -> None: ...
    @property
    def backlog(self) -> int: ...
    @property
    def refused(self) -> bool: ...


@dataclass(slots=True)
class Totals:
    """What this process has spent so far."""

    spent: Spent = field(default_factory=Spent)
    rate_limited: int = 0
    weather: int = 0


@dataclass(frozen=True, slots=True)
class Usage:
    """What one attempt used; None is unknown, never zero. A call that the endpoint did not take on is none."""

    prompt_tokens: int | None
    cached_tokens: int | None
    completion_tokens: int | None
    cost_usd: float | None
    calls: int = 1

    def spent(self, *, understood: bool) -> Spent:
        """The same as a part of a sum. One that took no token cost nothing, at whatever price."""
        took_none = self.prompt_tokens == 0 and self.completion_tokens == 0
        return Spent(
            calls=1,
            understood=int(understood),
            prompt_tokens=self.prompt_tokens or 0,
            cached_tokens=self.cached_tokens or 0,
            completion_tokens=self.completion_tokens or 0,
            cost_usd=self.cost_usd or 0.0,
            unpriced=int(self.cost_usd is None and not took_none),
        )


OnCall = Callable[[str, str, Spent], None]
"""Told of each attempt on record: its discipline, its stage, what it took."""


class Ledger:
    """Writes the rows of this process's calls."""

    def __init__(
        self,
        log: Log,
        run_id: str,
        budget_id: str,
        prices: Prices,
        clock: Clock,
        on_call: OnCall = lambda discipline_id, stage, spent: None,
    ) -> None:
        self.log = log
        self.totals = Totals()
        self.run_id = run_id
        self.clock = clock
        self._budget_id = budget_id
        self.prices = prices
        self._on_call = on_call

    def usage(self, model: str, answer: Reply | Fault, *, batch: bool = False) -> Usage:
        """Tokens and money of an answer. An HTTP error used nothing; what a broken-off call used nobody knows."""
        cost = self.prices.batch_cost if batch else self.prices.cost
        if isinstance(answer, Fault):
            if answer.status < 400:
                return Usage(None, None, None, None)
            return Usage(0, 0, 0, cost(model, 0, 0, 0), calls=0 if answer.status == RATE_LIMITED else 1)
        prompt, cached, completion = answer.prompt_tokens, answer.cached_tokens, answer.completion_tokens
        if prompt is None or completion is None:
            return Usage(None, None, None, None)
        return Usage(prompt, cached, completion, cost(model, prompt, cached or 0, completion))

    def record(
        self,
        request: Request,
        answer: Reply | Fault,
        usage: Usage,
        *,
        attempt: int,
        started_at: datetime.datetime,
        finished_at: datetime.datetime,
        error_kind: str | None,
        reply: str | None,
        batch_id: str | None = None,
    ) -> None:
        """Append the attempt; `error_kind` None means that its reply was understood."""
        spent = usage.spent(understood=error_kind is None)
        self.totals.spent += spent
        self._on_call(request.discipline_id, request.stage, spent)
        self.log.append(
            {
                "request_key": request.key,
                "attempt": attempt,
                "unit": request.unit,
                "stage": request.stage,
                "discipline_id": request.discipline_id,
                "model": request.profile.model,
                "run_id": self.run_id,
                "budget_id": self._budget_id,
                "started_at": started_at,
                "finished_at": finished_at,
                "status": answer.status,
                "error_kind": error_kind,
                "understood": error_kind is None,
                "finish_reason": answer.finish_reason if isinstance(answer, Reply) else None,
                "prompt_tokens": usage.prompt_tokens,
                "cached_tokens": usage.cached_tokens,
                "completion_tokens": usage.completion_tokens,
                "cost_usd": usage.cost_usd,
                "price_source": None if usage.cost_usd is None else self.prices.source(request.profile.model),
                "batch_id": batch_id,
                "provider_request_id": answer.request_id,
                "reply": reply,
                "unit_key": request.unit_key,
                "edition": request.edition,
                "created_at": finished_at,
            }
        )
