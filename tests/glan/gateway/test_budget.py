"""The budget: never more calls than allowed, never more tokens or money than what was in flight, and nothing is cut."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from gateway_world import Answer, MemoryHistory, MemoryLog, SayAnything, ask, completion, error, one
from model_server import Faults, ModelServer

from glan.config import Budget
from glan.errors import BudgetSpent, InputError
from glan.gateway.gateway import Allowance, Gateway
from glan.gateway.requests import Conversation, Outcome
from glan.gateway.terms import Amount

Open = Callable[..., Gateway]
AT_ONCE = 24
PASSING = Faults(rate_limit=0.05, error_500=0.05, error_503=0.05, drop_before=0.05, drop_inside=0.05, empty=0.05)


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer(seed=3, latency=0.02, latency_sigma=0.8) as running:
        yield running


def caps(before: Amount = Amount(), **given: Any) -> Allowance:
    return Allowance(Budget(**given), before)


def price(model: str, sent: int, cached: int, received: int) -> float:
    """Two dollars a million tokens sent, eight a million received."""
    return (2 * sent + 8 * received) / 1_000_000


def runs_of(gateway: Gateway, number: int, each: int, **profile: Any) -> list[list[Outcome] | BudgetSpent]:
    """So many runs of so many calls at the same time: the outcomes of each, or how the budget ended it."""

    def run(nth: int) -> list[Outcome] | BudgetSpent:
        try:
            return gateway.run([one(ask(each * nth + i, **profile)) for i in range(each)])
        except BudgetSpent as error:
            return error

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(run, range(number)))


def tokens_of(row: dict[str, Any]) -> int:
    return int((row["prompt_tokens"] or 0) + (row["completion_tokens"] or 0))


@pytest.mark.parametrize("faults", [Faults(), PASSING], ids=["well", "faults"])
@pytest.mark.parametrize("cap", [1, 17, 100])
def test_not_one_call_more_is_made_than_allowed(
    open_gateway: Open, server: ModelServer, log: MemoryLog, cap: int, faults: Faults
) -> None:
    server.faults = faults
    gateway = open_gateway(server.base_url, max_concurrency=AT_ONCE, allowance=caps(calls=cap))
    ended = runs_of(gateway, 20, 10)
    assert sum(row["status"] != 429 for row in log.rows) == cap
    assert server.count == len(log.rows)
    spent = [run for run in ended if isinstance(run, BudgetSpent)]
    assert {str(run) for run in spent} == {f"the budget is spent: {cap} of {cap} calls"}
    with pytest.raises(BudgetSpent):
        gateway.run([one(ask(10_000))])
    assert server.count == len(log.rows)


def test_a_call_that_the_endpoint_did_not_take_on_counts_for_nothing(open_gateway: Open, log: MemoryLog) -> None:
    with ModelServer(faults=Faults(when=lambda payload, nth: "rate_limit" if nth < 3 else None)) as server:
        gateway = open_gateway(server.base_url, allowance=caps(calls=2))
        assert [outcome.failure for outcome in gateway.run([one(ask(0)), one(ask(1))])] == [None, None]
        assert server.count == 8
        with pytest.raises(BudgetSpent, match="2 of 2 calls"):
            gateway.run([one(ask(2))])


def test_asking_again_for_a_reply_that_could_not_be_used_counts(open_gateway: Open, endpoint: SayAnything) -> None:
    endpoint.say = lambda payload, nth: completion("" if nth < 2 else "A good answer.")
    gateway = open_gateway(endpoint.base_url, allowance=caps(calls=3))
    assert gateway.run([one(ask(attempts=3))])[0].value == "A good answer."
    with pytest.raises(BudgetSpent, match="3 of 3 calls"):
        gateway.run([one(ask(1))])


@pytest.mark.parametrize("faults", [Faults(), PASSING], ids=["well", "faults"])
@pytest.mark.parametrize("max_tokens", [None, 400])
def test_tokens_are_overdrawn_by_no_more_than_was_in_flight(
    open_gateway: Open, server: ModelServer, log: MemoryLog, max_tokens: int | None, faults: Faults
) -> None:
    server.faults = faults
    cap = 12_000
    gateway = open_gateway(server.base_url, max_concurrency=AT_ONCE, allowance=caps(tokens=cap))
    ended = runs_of(gateway, 20, 10, max_tokens=max_tokens)
    used, largest = sum(map(tokens_of, log.rows)), max(map(tokens_of, log.rows))
    assert any(isinstance(run, BudgetSpent) for run in ended)
    assert used <= cap + AT_ONCE * largest
    if max_tokens:  # a bound that the endpoint keeps is a bound of the budget too
        assert used <= cap
    if faults == Faults():
        assert used > cap - 2 * (max_tokens or largest)  # and it is not given up long before
    assert "tokens, and the next call may use" in str(next(run for run in ended if isinstance(run, BudgetSpent)))


@pytest.mark.parametrize("faults", [Faults(), PASSING], ids=["well", "faults"])
def test_money_is_overdrawn_by_no_more_than_was_in_flight(
    open_gateway: Open, server: ModelServer, log: MemoryLog, faults: Faults
) -> None:
    server.faults = faults
    gateway = open_gateway(server.base_url, max_concurrency=AT_ONCE, cost=price, allowance=caps(usd=0.05))
    ended = runs_of(gateway, 20, 10, max_tokens=None)
    costs = [row["cost_usd"] or 0.0 for row in log.rows]
    assert 0.02 < sum(costs) <= 0.05 + AT_ONCE * max(costs)
    assert "of $0.05, and the next call may cost $0.0" in str(
        next(run for run in ended if isinstance(run, BudgetSpent))
    )


def test_whichever_cap_is_reached_first_ends_the_run(open_gateway: Open, server: ModelServer) -> None:
    gateway = open_gateway(server.base_url, allowance=caps(calls=30, tokens=1_000_000, usd=100), cost=price)
    with pytest.raises(BudgetSpent, match="30 of 30 calls"):
        gateway.run([one(ask(i)) for i in range(60)])


def test_what_was_spent_before_counts(open_gateway: Open, server: ModelServer) -> None:
    gateway = open_gateway(server.base_url, allowance=caps(Amount(calls=25), calls=30))
    with pytest.raises(BudgetSpent, match="30 of 30 calls"):
        gateway.run([one(ask(i)) for i in range(60)])
    assert server.count == 5
    with pytest.raises(BudgetSpent, match="31 of 30 calls"):
        open_gateway(server.base_url, allowance=caps(Amount(calls=31), calls=30)).run([one(ask())])
    assert server.count == 5


def test_calls_wait_for_those_in_flight_that_may_use_less_than_was_set_aside(
    open_gateway: Open, server: ModelServer, log: MemoryLog
) -> None:
    gateway = open_gateway(server.base_url, max_concurrency=AT_ONCE, allowance=caps(tokens=60_000))
    outcomes = gateway.run([one(ask(i, max_tokens=20_000)) for i in range(40)])
    assert all(outcome.failure is None for outcome in outcomes)
    assert server.in_flight_max == 2
    assert sum(map(tokens_of, log.rows)) < 60_000


def test_a_run_whose_replies_are_all_there_is_not_cut(open_gateway: Open, endpoint: SayAnything) -> None:
    arrived, release = threading.Barrier(5, timeout=20), threading.Event()

    def say(payload: dict[str, Any], nth: int) -> Answer:
        arrived.wait()
        release.wait(20)
        return completion("word " * 6_000 + "end.")  # so long that it is read in a thread

    endpoint.say = say
    gateway = open_gateway(endpoint.base_url, allowance=caps(calls=4))
    with ThreadPoolExecutor(4) as pool:
        paid = [pool.submit(gateway.run, [one(ask(2 * k)), one(ask(2 * k + 1))]) for k in range(2)]
        arrived.wait()
        unpaid = [pool.submit(gateway.run, [one(ask(10 + k))]) for k in range(2)]
        time.sleep(0.2)  # they wait: nothing says that they may not go on later
        assert not any(run.done() for run in unpaid)
        release.set()
        assert [outcome.failure for run in paid for outcome in run.result(20)] == [None] * 4
        for run in unpaid:
            with pytest.raises(BudgetSpent):
                run.result(20)
    assert len(endpoint.payloads) == 4


def test_whatever_waits_to_be_sent_again_ends_at_once(
    open_gateway: Open, endpoint: SayAnything, log: MemoryLog
) -> None:
    def say(payload: dict[str, Any], nth: int) -> Answer:
        bad = payload["messages"][0]["content"].startswith("Bad")
        return error(500, headers={"Retry-After": "100"}) if bad else completion("A good answer.")

    endpoint.say = say
    gateway = open_gateway(endpoint.base_url, allowance=caps(calls=3))
    with ThreadPoolExecutor(1) as pool:
        resting = pool.submit(gateway.run, [one(ask(0, "Bad"))])
        while not log.rows:
            time.sleep(0.01)
        with pytest.raises(BudgetSpent):
            gateway.run([one(ask(i)) for i in range(1, 9)])
        with pytest.raises(BudgetSpent):
            resting.result(20)
    assert len(endpoint.payloads) == 3


def test_a_second_step_that_is_not_paid_for_ends_its_conversation_and_the_first_stays_on_record(
    open_gateway: Open, endpoint: SayAnything, log: MemoryLog
) -> None:
    def two_steps(index: int) -> Conversation:
        yield ask(index, "First")
        call = yield ask(index, "Second")
        return call.value

    with pytest.raises(BudgetSpent):
        open_gateway(endpoint.base_url, max_concurrency=2, allowance=caps(calls=5)).run(
            [two_steps(i) for i in range(8)]
        )
    assert sum(row["understood"] for row in log.rows) == 5
    again = open_gateway(endpoint.base_url, allowance=caps(calls=11)).run(
        [two_steps(i) for i in range(8)], MemoryHistory(list(log.rows))
    )
    assert [outcome.value for outcome in again] == ["A good answer."] * 8
    assert len(endpoint.payloads) == 16


def test_replies_on_record_need_no_budget(open_gateway: Open, endpoint: SayAnything, log: MemoryLog) -> None:
    open_gateway(endpoint.base_url).run([one(ask(i)) for i in range(5)])
    spent = open_gateway(endpoint.base_url, allowance=caps(Amount(calls=5), calls=5))
    outcomes = spent.run([one(ask(i)) for i in range(5)], MemoryHistory(list(log.rows)))
    assert [outcome.value for outcome in outcomes] == ["A good answer."] * 5
    assert len(endpoint.payloads) == 5


def test_a_call_that_breaks_off_keeps_what_was_set_aside_for_it(open_gateway: Open) -> None:
    with ModelServer(faults=Faults(hang=3.0)) as server:
        gateway = open_gateway(server.base_url, allowance=caps(tokens=2_000))
        with pytest.raises(BudgetSpent, match="of 2,000 tokens, and the next call may use 404"):
            gateway.run([one(ask(0, max_tokens=400, timeout_seconds=0.5))])
        assert server.count == 4


def test_a_refusal_by_http_costs_a_call_and_no_tokens(open_gateway: Open) -> None:
    faults = Faults(when=lambda payload, nth: "error_503" if nth < 3 else None)
    with ModelServer(faults=faults) as server:
        [outcome] = open_gateway(server.base_url, allowance=caps(tokens=500)).run([one(ask(max_tokens=400))])
        assert outcome.failure is None
        with pytest.raises(BudgetSpent, match="3 of 3 calls"):
            open_gateway(server.base_url, allowance=caps(calls=3)).run([one(ask(1))])


def test_an_endpoint_that_does_not_count_is_taken_to_use_what_was_set_aside(
    open_gateway: Open, endpoint: SayAnything, notices: list[str]
) -> None:
    endpoint.say = lambda payload, nth: completion("A good answer.", usage=None)
    with pytest.raises(BudgetSpent):
        open_gateway(endpoint.base_url, allowance=caps(tokens=4_100)).run([one(ask(i)) for i in range(50)])
    assert len(endpoint.payloads) == 10
    assert [notice for notice in notices if "does not count tokens; the budget goes by" in notice] == notices
    assert len(notices) == 1


def test_money_cannot_be_capped_where_the_price_is_unknown(open_gateway: Open, server: ModelServer) -> None:
    with pytest.raises(InputError, match=r"budget\.usd: model teacher has no price.*GLAN_PRICES"):
        open_gateway(server.base_url, allowance=caps(usd=1)).run([one(ask())])
    assert server.count == 0


def test_calls_that_an_interrupt_cut_off_count_and_those_that_waited_do_not(
    open_gateway: Open, endpoint: SayAnything
) -> None:
    arrived, release = threading.Barrier(4, timeout=20), threading.Event()

    def say(payload: dict[str, Any], nth: int) -> Answer:
        arrived.wait()
        release.wait(20)
        return completion("A good answer.")

    def interrupt() -> None:
        arrived.wait()
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    endpoint.say = say
    gateway = open_gateway(endpoint.base_url, allowance=caps(calls=3))
    with ThreadPoolExecutor(1) as pool:
        pool.submit(interrupt)
        with pytest.raises(KeyboardInterrupt):
            gateway.run([one(ask(i)) for i in range(5)])
        release.set()
    with pytest.raises(BudgetSpent, match="3 of 3 calls"):
        gateway.run([one(ask(9))])
    assert len(endpoint.payloads) == 3
