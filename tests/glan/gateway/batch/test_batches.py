"""Calls by a provider's Batch API: what comes back, what goes again, and what is on record at any moment."""

import asyncio
import datetime
import random
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from gateway_world import KEY, QUICK, MemoryHistory, MemoryLog, ask, one
from model_batches import BatchFaults
from model_faults import Faults
from model_server import ModelServer

from glan.batches import BatchRecord, custom_id
from glan.config import Budget
from glan.errors import BudgetSpent, Cancelled, EndpointDown, EndpointRefused, InputError, StoreWeather
from glan.gateway.batch import provider
from glan.gateway.gateway import Allowance, Batching, Endpoint, Gateway, Limits
from glan.gateway.prices import Price, Prices
from glan.gateway.requests import Outcome
from glan.store.batches import BatchBook
from glan.store.files import Files

OpenGateway = Callable[..., Gateway]


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer(seed=3) as server:
        yield server


@pytest.fixture
def book(tmp_path: Path) -> BatchBook:
    return BatchBook(Files.open(str(tmp_path / "store")), now)


@pytest.fixture
def open_gateway(server: ModelServer, book: BatchBook, log: MemoryLog, notices: list[str]) -> Iterator[OpenGateway]:
    """A gateway whose calls go by batches; another one is another process."""
    opened: list[Gateway] = []

    def build(most_requests: int = 1_000, log: Any = log, allowance: Allowance | None = None, **given: Any) -> Gateway:
        gateway = Gateway(
            endpoint=lambda profile: Endpoint(server.base_url, KEY, batch=True), log=log, run_id="run",
            limits=Limits(max_concurrency=4, patience_seconds=given.pop("patience", 20.0)),
            prices=given.pop("prices", Prices()), notify=notices.append, allowance=allowance,
            randomness=random.Random(0), pace=QUICK, batching=Batching(book, 0.05, most_requests, 0.1), **given,
        )  # fmt: skip
        opened.append(gateway)
        return gateway

    yield build
    for gateway in opened:
        gateway.close()


def now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def run(gateway: Gateway, count: int, history: Any = None, **profile: Any) -> list[Outcome]:
    return gateway.run([one(ask(index, **profile)) for index in range(count)], history)


def paid(server: ModelServer) -> Counter[str]:
    return server.count_by_payload(200)


def kinds(server: ModelServer) -> list[int]:
    return [len(batch.lines) for batch in server.batches.all]


def plan(*named: str | None) -> BatchFaults:
    """The first batches meet these, those that follow nothing."""
    return BatchFaults(plan=lambda nth, lines: named[nth] if nth < len(named) else None)


def test_every_request_gets_its_own_reply_whatever_the_order(
    server: ModelServer, open_gateway: OpenGateway, log: MemoryLog, book: BatchBook
) -> None:
    outcomes = run(open_gateway(), 40)
    by_digest = {call.payload["messages"][0]["content"]: call.reply_text for call in server.calls}
    assert [outcome.value for outcome in outcomes] == [by_digest[f"Explain item {index}."] for index in range(40)]
    assert kinds(server) == [40]
    assert {row["batch_id"] for row in log.rows} == {server.batches.all[0].id}
    assert all(row["understood"] and row["completion_tokens"] and row["status"] == 200 for row in log.rows)
    assert {row["provider_request_id"] for row in log.rows} == {f"req-{index}" for index in range(40)}


def test_a_batch_is_done_with_once_all_its_replies_are_written(open_gateway: OpenGateway, book: BatchBook) -> None:
    gateway = open_gateway()
    run(gateway, 3)
    gateway.close()
    assert book.unfinished() == []


def test_requests_go_in_files_within_the_limit_and_of_one_model_each(
    server: ModelServer, open_gateway: OpenGateway
) -> None:
    gateway = open_gateway(most_requests=10)
    conversations = [one(ask(index, model=f"model-{index % 2}")) for index in range(30)]
    outcomes = gateway.run(conversations)
    assert all(outcome.value for outcome in outcomes)
    assert max(kinds(server)) == 10 and sum(kinds(server)) == 30


@pytest.mark.parametrize("kind", ["expire_half", "cancel_half", "lose_half", "strangers", "fail", "expire_all"])
def test_what_came_is_kept_and_the_rest_is_asked_again(
    server: ModelServer, open_gateway: OpenGateway, log: MemoryLog, kind: str
) -> None:
    server.batches.faults = plan(kind)
    outcomes = run(open_gateway(), 20)
    assert all(outcome.value for outcome in outcomes)
    assert len(log.rows) == 20 and all(row["attempt"] == 1 for row in log.rows)
    again = {"expire_half": [10], "cancel_half": [10], "lose_half": [10], "strangers": []}.get(kind, [20])
    assert kinds(server) == [20, *again]
    assert "not to be believed" not in " ".join(outcome.value for outcome in outcomes)
    assert max(paid(server).values()) == (2 if kind == "lose_half" else 1)


def test_a_line_that_fails_alone_is_the_only_one_that_suffers(
    server: ModelServer, open_gateway: OpenGateway, log: MemoryLog
) -> None:
    server.batches.faults = BatchFaults(lines=lambda payload: 400 if "item 3." in str(payload["messages"]) else None)
    outcomes = run(open_gateway(), 6)
    assert [outcome.failure.kind if outcome.failure else None for outcome in outcomes].index("context_length") == 3
    assert sum(outcome.failure is not None for outcome in outcomes) == 1
    assert kinds(server) == [6]


def test_an_invalid_line_is_the_only_one_that_suffers(server: ModelServer, open_gateway: OpenGateway) -> None:
    server.batches.faults = plan("fail_line")
    outcomes = run(open_gateway(), 6)
    assert [outcome.failure.kind for outcome in outcomes if outcome.failure] == ["bad_request"]
    assert kinds(server) == [6, 5]


@pytest.mark.parametrize("status", [429, 500])
def test_a_line_at_its_limit_or_in_bad_weather_goes_with_the_next_batch(
    server: ModelServer, open_gateway: OpenGateway, log: MemoryLog, status: int
) -> None:
    struck: list[str] = []

    def once(payload: dict[str, Any]) -> int | None:
        said = str(payload["messages"])
        if "item 2." in said and not struck:
            struck.append(said)
            return status
        return None

    server.batches.faults = BatchFaults(lines=once)
    outcomes = run(open_gateway(), 5)
    assert all(outcome.value for outcome in outcomes)
    assert kinds(server) == [5, 1]
    assert sorted(row["attempt"] for row in log.rows) == [1, 1, 1, 1, 1, 2]


def test_a_line_that_always_fails_is_given_up(server: ModelServer, open_gateway: OpenGateway) -> None:
    server.batches.faults = BatchFaults(lines=lambda payload: 500 if "item 1." in str(payload["messages"]) else None)
    gateway = open_gateway()
    gateway.run([one(ask(0))])
    outcomes = gateway.run([one(ask(index)) for index in (1, *range(10, 40))])
    assert outcomes[0].failure and outcomes[0].failure.kind == "weather"


def test_a_reply_that_is_no_use_is_asked_again_as_the_next_attempt(
    server: ModelServer, open_gateway: OpenGateway, log: MemoryLog
) -> None:
    bad = {"empty": 0}
    server.faults = Faults(
        when=lambda payload, nth: "empty" if "item 2." in str(payload) and not bad["empty"] else None
    )

    def stop(payload: dict[str, Any]) -> None:
        bad["empty"] = len(server.batches.all) > 1

    server.batches.faults = BatchFaults(lines=stop)
    outcomes = run(open_gateway(), 5)
    assert all(outcome.value for outcome in outcomes)
    assert kinds(server) == [5, 1]
    [again] = [row for row in log.rows if row["attempt"] == 2]
    assert again["understood"] and again["batch_id"] == server.batches.all[1].id
    assert server.batches.all[1].lines[0]["custom_id"].endswith("-1")


def test_a_full_queue_is_waited_for_with_smaller_files(
    server: ModelServer, open_gateway: OpenGateway, notices: list[str]
) -> None:
    server.batches.faults = BatchFaults(most_enqueued=6, delay=0.1)
    outcomes = run(open_gateway(), 24)
    assert all(outcome.value for outcome in outcomes)
    assert set(paid(server).values()) == {1}
    assert sum("no room" in notice for notice in notices) == 1


def test_creations_that_fail_or_lose_their_answer_make_one_batch(
    server: ModelServer, open_gateway: OpenGateway
) -> None:
    server.batches.faults = BatchFaults(create_errors=[429, 500, 429], lose_answers=1)
    outcomes = run(open_gateway(), 7)
    assert all(outcome.value for outcome in outcomes)
    assert kinds(server) == [7]


@pytest.mark.parametrize("late", [{"unlisted": 2}, {"keeps_metadata": False}])
def test_a_batch_whose_creation_was_not_answered_is_looked_for_before_a_second(
    server: ModelServer, open_gateway: OpenGateway, late: dict[str, Any]
) -> None:
    server.batches.faults = BatchFaults(lose_answers=1, **late)
    assert all(outcome.value for outcome in run(open_gateway(), 7))
    assert kinds(server) == [7]


@pytest.mark.parametrize("status", [429, 503])
def test_a_wait_that_the_provider_asks_for_is_no_longer_than_patience(
    server: ModelServer, open_gateway: OpenGateway, status: int
) -> None:
    server.batches.faults = BatchFaults(create_errors=[status] * 1_000, retry_after="86400")
    with pytest.raises(EndpointDown, match="gave up after"):
        run(open_gateway(patience=0.5), 3)
    assert not server.batches.all


def test_a_download_that_breaks_off_is_gone_on_with(
    server: ModelServer, open_gateway: OpenGateway, log: MemoryLog
) -> None:
    server.batches.faults = BatchFaults(break_off=2)
    outcomes = run(open_gateway(), 30)
    assert all(outcome.value for outcome in outcomes)
    assert len(log.rows) == 30 and kinds(server) == [30]


def test_another_process_takes_the_batch_up_and_pays_nothing_twice(
    server: ModelServer, open_gateway: OpenGateway, log: MemoryLog, notices: list[str]
) -> None:
    server.batches.faults = BatchFaults(delay=0.6)
    first = open_gateway(log=MemoryLog())
    stopped(first, server)
    assert any("left there" in notice for notice in notices)
    outcomes = run(open_gateway(), 12)
    assert all(outcome.value for outcome in outcomes)
    assert kinds(server) == [12] and set(paid(server).values()) == {1}
    assert {row["batch_id"] for row in log.rows} == {server.batches.all[0].id}


def test_a_batch_whose_id_was_not_yet_on_record_is_found_by_its_name(
    server: ModelServer, open_gateway: OpenGateway, book: BatchBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.batches.faults = BatchFaults(delay=0.5)
    with monkeypatch.context() as patch:
        patch.setattr(BatchBook, "keep_id", lambda self, name, batch_id: time.sleep(0.2))
        stopped(open_gateway(log=MemoryLog()), server)
    assert [kept.batch_id for kept in book.unfinished()] == [None]
    others = open_gateway(log=MemoryLog())  # others of the same account, so that the listing has several pages
    run(others, 1, temperature=0.1)
    run(others, 1, temperature=0.2)
    outcomes = run(open_gateway(), 12)
    assert all(outcome.value for outcome in outcomes)
    assert kinds(server) == [12, 1, 1] and set(paid(server).values()) == {1}


def test_a_store_that_fails_at_the_wrong_moment_costs_no_second_batch(
    server: ModelServer, open_gateway: OpenGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: BatchBook, name: str, batch_id: str) -> None:
        raise StoreWeather("the store does not answer")

    gateway = open_gateway()
    with monkeypatch.context() as patch, pytest.raises(StoreWeather):
        patch.setattr(BatchBook, "keep_id", fail)
        run(gateway, 5)
    assert all(outcome.value for outcome in run(gateway, 5))
    assert kinds(server) == [5]


def test_a_batch_that_was_never_created_hinders_nobody(
    server: ModelServer, open_gateway: OpenGateway, book: BatchBook
) -> None:
    server.batches.faults = BatchFaults(create_errors=[401])
    with pytest.raises(EndpointRefused, match="OPENAI_API_KEY"):
        run(open_gateway(log=MemoryLog()), 5)
    assert len(book.unfinished()) == 1
    assert all(outcome.value for outcome in run(open_gateway(), 5))
    assert kinds(server) == [5]


def test_results_that_nobody_asked_for_yet_are_there_for_those_who_ask_later(
    server: ModelServer, open_gateway: OpenGateway, book: BatchBook
) -> None:
    server.batches.faults = BatchFaults(delay=0.3)
    stopped(open_gateway(log=MemoryLog()), server)
    second = open_gateway()
    assert all(outcome.value for outcome in run(second, 4))
    assert len(book.unfinished()) == 1
    assert all(outcome.value for outcome in second.run([one(ask(index)) for index in range(4, 12)]))
    second.close()
    assert book.unfinished() == []
    assert kinds(server) == [12] and set(paid(server).values()) == {1}


def test_a_request_that_is_asked_while_its_batch_is_read_gets_its_reply(
    server: ModelServer, open_gateway: OpenGateway
) -> None:
    released = threading.Event()
    server.batches.faults = BatchFaults(delay=0.3, held=released)
    stopped(open_gateway(log=MemoryLog()), server)
    first, last = ends_of_results(server)
    gateway, outcomes = open_gateway(), list[Outcome]()

    def asked(index: int) -> threading.Thread:
        thread = threading.Thread(target=lambda: outcomes.extend(gateway.run([one(ask(index))])), daemon=True)
        thread.start()
        return thread

    threads = [asked(last)]
    assert server.batches.halfway.wait(20)
    threads.append(asked(first))  # whose line has passed
    time.sleep(0.5)
    released.set()
    for thread in threads:
        thread.join(10)
    assert len(outcomes) == 2 and all(outcome.value for outcome in outcomes)
    assert kinds(server) == [12] and set(paid(server).values()) == {1}


def test_a_batch_that_the_provider_has_forgotten_is_sent_again(
    server: ModelServer, open_gateway: OpenGateway, notices: list[str]
) -> None:
    server.batches.faults = plan("never")
    stopped(open_gateway(log=MemoryLog()), server)
    server.batches.all.clear()
    server.batches.faults = BatchFaults()
    assert all(outcome.value for outcome in run(open_gateway(), 12))
    assert any("does not know batch" in notice for notice in notices)


@pytest.mark.parametrize("fault", ["unseen", "unread"])
def test_a_batch_or_a_file_that_is_not_there_for_a_moment_is_waited_for(
    server: ModelServer, open_gateway: OpenGateway, fault: str
) -> None:
    server.batches.faults = BatchFaults(**{fault: 3})
    assert all(outcome.value for outcome in run(open_gateway(), 6))
    assert kinds(server) == [6] and set(paid(server).values()) == {1}


def test_a_batch_that_is_listed_is_known(server: ModelServer, open_gateway: OpenGateway) -> None:
    server.batches.faults = BatchFaults(unseen=1_000)
    assert all(outcome.value for outcome in run(open_gateway(), 6))
    assert kinds(server) == [6] and set(paid(server).values()) == {1}


@pytest.mark.parametrize(("hours", "left"), [(1, 1), (25, 0)])
def test_a_batch_that_is_unknown_stays_on_record_for_a_day(
    server: ModelServer, open_gateway: OpenGateway, book: BatchBook, hours: int, left: int
) -> None:
    asked, sent = ask(0), now() - datetime.timedelta(hours=hours)
    address = Endpoint(server.base_url, KEY).address
    record = BatchRecord(
        name="gone", endpoint=address, model="teacher", run_id="earlier", created_at=sent,
        disciplines=["physics"], requests=[custom_id(asked.key, 0)],
    )  # fmt: skip
    book.keep(record)
    book.keep_id("gone", "batch_gone")
    gateway = open_gateway()
    assert all(outcome.value for outcome in gateway.run([one(asked)]))
    gateway.close()
    assert [kept.record.name for kept in book.unfinished()] == ["gone"] * left


def test_what_is_on_record_is_not_asked_again(server: ModelServer, open_gateway: OpenGateway, log: MemoryLog) -> None:
    run(open_gateway(), 8)
    outcomes = run(open_gateway(log=MemoryLog()), 10, MemoryHistory(log.rows))
    assert all(outcome.value for outcome in outcomes)
    assert kinds(server) == [8, 2]


@pytest.mark.parametrize("kind", ["expire_all", "lose_all"])
def test_a_provider_that_carries_nothing_out_ends_the_run_for_now(
    server: ModelServer, open_gateway: OpenGateway, log: MemoryLog, kind: str
) -> None:
    server.batches.faults = BatchFaults(plan=lambda nth, lines: kind)
    gateway = open_gateway()
    with pytest.raises(EndpointDown, match="nothing of 3 batches in a row"):
        run(gateway, 2)
    server.batches.faults = BatchFaults()
    assert all(outcome.value for outcome in run(gateway, 2))
    assert kinds(server) == [2, 2, 2, 2] and len(log.rows) == 2


def test_a_line_that_is_at_its_limit_every_time_ends_the_run_for_now(
    server: ModelServer, open_gateway: OpenGateway
) -> None:
    server.batches.faults = BatchFaults(lines=lambda payload: 429 if "item 1." in str(payload["messages"]) else None)
    with pytest.raises(EndpointDown, match=r"at its limit \(429\).*in 5 batches; run again later"):
        run(open_gateway(), 2)
    assert kinds(server) == [2, 1, 1, 1, 1]


def test_a_request_that_is_lost_every_time_is_given_up(server: ModelServer, open_gateway: OpenGateway) -> None:
    server.batches.faults = BatchFaults(lines=lambda payload: 0 if "item 1." in str(payload["messages"]) else None)
    outcomes = run(open_gateway(), 3)
    assert [outcome.failure.kind if outcome.failure else None for outcome in outcomes] == [None, "weather", None]


def test_a_provider_that_takes_no_batch_ends_the_run_with_a_sentence(
    server: ModelServer, open_gateway: OpenGateway
) -> None:
    server.batches.faults = BatchFaults(plan=lambda nth, lines: "fail")
    with pytest.raises(EndpointRefused, match="refuses every batch: The batch could not be read"):
        run(open_gateway(), 2)
    assert kinds(server) == [2, 2, 2]


def test_an_endpoint_without_a_batch_api_is_said_to_have_none(server: ModelServer, open_gateway: OpenGateway) -> None:
    server.batches.faults = BatchFaults(no_api=True)
    with pytest.raises(EndpointRefused, match="has no Batch API"):
        run(open_gateway(), 2)
    with pytest.raises(InputError, match="GLAN_MODE"):
        asyncio.run(provider.check(Endpoint(server.base_url, KEY, batch=True)))


def test_a_budget_holds_before_anything_is_sent(server: ModelServer, open_gateway: OpenGateway, log: MemoryLog) -> None:
    gateway = open_gateway(allowance=Allowance(Budget(calls=7)))
    with pytest.raises(BudgetSpent, match="7 of 7 calls"):
        run(gateway, 20)
    assert server.count == len(log.rows) == 7


def test_the_ledger_takes_the_price_of_batches(open_gateway: OpenGateway, log: MemoryLog) -> None:
    half = Prices({"teacher": Price(input=2.0, output=8.0, batch=0.5)})
    run(open_gateway(prices=half), 2)
    for row in log.rows:
        usual = half.cost("teacher", row["prompt_tokens"], row["cached_tokens"], row["completion_tokens"])
        assert usual and row["cost_usd"] == pytest.approx(usual / 2)


def test_nothing_is_sent_while_paused(server: ModelServer, open_gateway: OpenGateway) -> None:
    gateway = open_gateway()
    gateway.pause()
    outcomes: list[Outcome] = []
    thread = threading.Thread(target=lambda: outcomes.extend(run(gateway, 3)))
    thread.start()
    thread.join(0.5)
    assert thread.is_alive() and not server.batches.all
    gateway.resume()
    thread.join(20)
    assert len(outcomes) == 3


def stopped(gateway: Gateway, server: ModelServer, count: int = 12) -> None:
    """A run of so many requests that is told to stop as soon as its batch is at the provider."""

    def stop() -> None:
        until = time.monotonic() + 20
        while time.monotonic() < until and not (server.batches.all and gateway.state.at_provider):
            time.sleep(0.01)
        gateway.stop(Cancelled("the run was told to stop"))

    thread = threading.Thread(target=stop)
    thread.start()
    with pytest.raises(Cancelled):
        run(gateway, count)
    thread.join()
    gateway.close()


def ends_of_results(server: ModelServer) -> tuple[int, int]:
    """Which of the requests of the first batch have the first and the last line of its results."""
    [batch] = server.batches.all
    until = time.monotonic() + 20
    while time.monotonic() < until and not batch.over:
        listing = urllib.request.Request(f"{server.base_url}/batches", headers={"Authorization": f"Bearer {KEY}"})
        urllib.request.urlopen(listing).close()
        time.sleep(0.02)
    index = {custom_id(ask(number).key, 0): number for number in range(len(batch.lines))}
    names = server.batches.results(batch)
    return index[names[0]], index[names[-1]]
