"""What was spent under a budget, by the calls on record: all of them, once, and nothing as 0 because it is unknown."""

from typing import Any

import pytest
from store_world import a_call, clock

from glan.errors import InputError
from glan.store.calls import CallLog
from glan.store.files import Files
from glan.store.spending import UNKNOWN_CALL, Spending, spent, spent_below

UNKNOWN = {"prompt_tokens": None, "cached_tokens": None, "completion_tokens": None, "cost_usd": None}


def price(model: str, sent: int, cached: int, received: int) -> float | None:
    """A dollar a token sent, two a token received, nothing for a cached one; of one model only."""
    return float(sent - cached + 2 * received) if model == "m" else None


def record(files: Files, *given: dict[str, Any], writer: str = "w1") -> None:
    """Calls of 10 tokens sent and 20 received, with these fields changed."""
    log = CallLog(files, writer=writer, clock=clock)
    for number, fields in enumerate(given):
        log.append(a_call(f"{writer}-{number}", **fields))
    log.close()


def test_all_calls_of_an_id_count_whoever_made_them_and_no_others(store_url: str) -> None:
    files = Files.open(store_url)
    record(files, {"budget_id": "a", "cost_usd": 1.5}, {"budget_id": "b"}, {})
    record(files, {"budget_id": "a", "cost_usd": 2.0, "discipline_id": "law", "understood": False}, writer="w2")
    assert spent(files, "a", price) == Spending(calls=2, tokens=60, usd=3.5)
    assert spent(files, "a") == Spending(calls=2, tokens=60, usd=None)
    assert spent(files, "c", price) == Spending(calls=0, tokens=0, usd=0.0)


def test_a_call_that_the_endpoint_did_not_take_on_is_none(store_url: str) -> None:
    files = Files.open(store_url)
    nothing = {"prompt_tokens": 0, "cached_tokens": 0, "completion_tokens": 0}
    record(files, {"budget_id": "a"}, {"budget_id": "a", "status": 429, **nothing})
    assert spent(files, "a") == Spending(calls=1, tokens=30, usd=None)


def test_nothing_is_spent_in_a_store_without_calls(store_url: str) -> None:
    assert spent(Files.open(store_url), "a", price) == Spending(0, 0, 0.0)


def test_all_nights_count_together(store_url: str) -> None:
    files = Files.open(store_url)
    record(files, *({"budget_id": name} for name in ("expand.2026-11-25", "expand.2026-11-26", "expander", "expand")))
    assert spent_below(files, "expand.").calls == 2
    assert spent(files, "expand.2026-11-25").calls == 1


def test_a_call_without_a_price_costs_what_it_would_today(store_url: str) -> None:
    files = Files.open(store_url)
    record(files, {"budget_id": "a", "cost_usd": 7.0}, {"budget_id": "a", "cached_tokens": 4})
    assert spent(files, "a", price).usd == 7.0 + (6 + 40)


def test_a_call_that_broke_off_counts_as_much_as_the_largest(store_url: str) -> None:
    files = Files.open(store_url)
    large = {"prompt_tokens": 100, "completion_tokens": 50, "cost_usd": 1.0}
    refused = {"prompt_tokens": 0, "cached_tokens": 0, "completion_tokens": 0, "cost_usd": 0.0, "status": 503}
    record(files, *({"budget_id": "a", **fields} for fields in (large, {"cost_usd": 0.1}, refused, UNKNOWN, UNKNOWN)))
    assert spent(files, "a") == Spending(calls=5, tokens=150 + 30 + 2 * 150, usd=None)
    assert spent(files, "a", price).usd == pytest.approx(1.1 + 2 * (100 + 2 * 50))


def test_where_every_call_broke_off_a_usual_one_is_assumed(store_url: str) -> None:
    files = Files.open(store_url)
    record(files, {"budget_id": "a", **UNKNOWN})
    sent, received = UNKNOWN_CALL
    assert spent(files, "a", price) == Spending(calls=1, tokens=sent + received, usd=float(sent + 2 * received))


@pytest.mark.parametrize("fields", [{}, UNKNOWN])
def test_money_is_never_taken_for_nothing_where_no_price_is_known(store_url: str, fields: dict[str, Any]) -> None:
    files = Files.open(store_url)
    record(files, {"budget_id": "a", "model": "odd", **fields})
    with pytest.raises(InputError, match=r"budget\.usd: .*odd.*GLAN_PRICES"):
        spent(files, "a", price)
    assert spent(files, "a").calls == 1
