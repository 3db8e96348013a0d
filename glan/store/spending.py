"""What has been spent under a budget so far, by the calls on record: correct over kills, resumes and machines."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from glan.errors import InputError
from glan.names import shown
from glan.store import calls
from glan.store.files import Files

Cost = Callable[[str, int, int, int], float | None]
"""(model, prompt tokens, cached tokens, completion tokens) -> US dollars, None if the price is unknown."""

UNKNOWN_CALL = (500, 500)
"""Tokens sent and received by a call that broke off, where no call under the budget is known that it could be like."""

_RATE_LIMITED = 429  # such a call was not taken on
_COLUMNS = ["budget_id", "status", "model", "prompt_tokens", "cached_tokens", "completion_tokens", "cost_usd"]


@dataclass(frozen=True, slots=True)
class Spending:
    """Calls, tokens sent and received together, and US dollars; None: nobody asked for the money."""

    calls: int
    tokens: int
    usd: float | None


def spent(files: Files, budget_id: str, cost: Cost | None = None) -> Spending:
    """What all calls under this id have used; one that the endpoint did not take on, being at its limit, is none.

    Nothing counts as 0 because it is unknown: a call that broke off counts as much as the largest under the budget,
    and a call that was made without a price costs what `cost` says today. Without `cost` no money is counted.

    Raises:
        InputError: a model has no price.
    """
    return _summed(files, lambda ids: pc.equal(ids, budget_id), cost)


def spent_below(files: Files, prefix: str, cost: Cost | None = None) -> Spending:
    """The same of all ids that begin with `prefix`, such as those of all nights."""
    return _summed(files, lambda ids: pc.starts_with(ids, prefix), cost)


@dataclass
class _Sums:
    """What is known of calls, and of which models calls broke off."""

    cost: Cost | None
    calls: int = 0
    tokens: int = 0
    usd: float = 0.0
    largest: tuple[int, int] = (0, 0)
    broken_off: Counter[str] = field(default_factory=Counter)

    def add(self, rows: pa.Table) -> None:
        rows = rows.filter(pc.not_equal(rows["status"], _RATE_LIMITED))
        whole = pc.and_(pc.is_valid(rows["prompt_tokens"]), pc.is_valid(rows["completion_tokens"]))
        known = rows.filter(whole)
        sent, received = known["prompt_tokens"], known["completion_tokens"]
        self.calls += len(rows)
        self.tokens += (pc.sum(sent).as_py() or 0) + (pc.sum(received).as_py() or 0)
        self.largest = (
            max(self.largest[0], pc.max(sent).as_py() or 0),
            max(self.largest[1], pc.max(received).as_py() or 0),
        )
        self.broken_off.update(rows.filter(pc.invert(whole))["model"].to_pylist())
        if self.cost is not None:
            unpriced = known.filter(pc.is_null(known["cost_usd"])).to_pylist()
            self.usd += pc.sum(known["cost_usd"]).as_py() or 0.0
            self.usd += sum(_price(self.cost, row["model"], *_tokens(row)) for row in unpriced)

    def spending(self) -> Spending:
        sent, received = self.largest if any(self.largest) else UNKNOWN_CALL
        tokens = self.tokens + (sent + received) * self.broken_off.total()
        if self.cost is None:
            return Spending(self.calls, tokens, None)
        further = [number * _price(self.cost, model, sent, 0, received) for model, number in self.broken_off.items()]
        return Spending(self.calls, tokens, self.usd + sum(further))


def _summed(files: Files, chosen: Callable[[pa.ChunkedArray], pa.ChunkedArray], cost: Cost | None) -> Spending:
    sums = _Sums(cost)
    for batch in calls.scan(files, columns=_COLUMNS):
        rows = pa.Table.from_batches([batch])
        sums.add(rows.filter(chosen(rows["budget_id"])))
    return sums.spending()


def _tokens(row: Mapping[str, Any]) -> tuple[int, int, int]:
    return row["prompt_tokens"], row["cached_tokens"] or 0, row["completion_tokens"]


def _price(cost: Cost, model: str, sent: int, cached: int, received: int) -> float:
    price = cost(model, sent, cached, received)
    if price is None:
        raise InputError(
            f"budget.usd: calls of model {shown(model, 100)} are on record under this budget and have no price; "
            "add the model to the table that GLAN_PRICES names, or cap tokens or calls"
        )
    return price
