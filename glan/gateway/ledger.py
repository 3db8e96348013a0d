"""One row of the calls table per attempt, appended before anything is made of the reply; and the running totals."""

import datetime
from dataclasses import dataclass
from typing import Any, Protocol

from glan.clock import Clock
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

    calls: int = 0
    understood: int = 0
    rate_limited: int = 0
    weather: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float | None = 0.0


@dataclass(frozen=True, slots=True)
class Spent:
    """What one attempt used; None is unknown, never zero. A call that the endpoint did not take on is none."""

    prompt_tokens: int | None
    cached_tokens: int | None
    completion_tokens: int | None
    cost_usd: float | None
    calls: int = 1


class Ledger:
    """Writes the rows of this process's calls."""

    def __init__(self, log: Log, run_id: str, budget_id: str, prices: Prices, clock: Clock) -> None:
        self.log = log
        self.totals = Totals()
        self.run_id = run_id
        self.clock = clock
        self._budget_id = budget_id
        self.prices = prices

    def spent(self, model: str, answer: Reply | Fault, *, batch: bool = False) -> Spent:
        """Tokens and money of an answer. An HTTP error used nothing; what a broken-off call used nobody knows."""
        cost = self.prices.batch_cost if batch else self.prices.cost
        if isinstance(answer, Fault):
            if answer.status < 400:
                return Spent(None, None, None, None)
            return Spent(0, 0, 0, cost(model, 0, 0, 0), calls=0 if answer.status == RATE_LIMITED else 1)
        prompt, cached, completion = answer.prompt_tokens, answer.cached_tokens, answer.completion_tokens
        if prompt is None or completion is None:
            return Spent(None, None, None, None)
        return Spent(prompt, cached, completion, cost(model, prompt, cached or 0, completion))

    def record(
        self,
        request: Request,
        answer: Reply | Fault,
        spent: Spent,
        *,
        attempt: int,
        started_at: datetime.datetime,
        finished_at: datetime.datetime,
        error_kind: str | None,
        reply: str | None,
        batch_id: str | None = None,
    ) -> None:
        """Append the attempt; `error_kind` None means that its reply was understood."""
        self._add(spent, understood=error_kind is None)
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
                "prompt_tokens": spent.prompt_tokens,
                "cached_tokens": spent.cached_tokens,
                "completion_tokens": spent.completion_tokens,
                "cost_usd": spent.cost_usd,
                "price_source": None if spent.cost_usd is None else self.prices.source(request.profile.model),
                "batch_id": batch_id,
                "provider_request_id": answer.request_id,
                "reply": reply,
                "unit_key": request.unit_key,
                "edition": request.edition,
                "created_at": finished_at,
            }
        )

    def _add(self, spent: Spent, *, understood: bool) -> None:
        totals = self.totals
        totals.calls += 1
        totals.understood += understood
        totals.prompt_tokens += spent.prompt_tokens or 0
        totals.completion_tokens += spent.completion_tokens or 0
        known = totals.cost_usd is not None and spent.cost_usd is not None
        totals.cost_usd = totals.cost_usd + spent.cost_usd if known else None  # type: ignore[operator]
