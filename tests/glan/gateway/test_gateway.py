"""The gateway as its callers see it: conversations, order, concurrency, stopping."""

import json
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from gateway_world import KEY, Answer, MemoryHistory, MemoryLog, SayAnything, ask, completion, error, one

from glan.errors import Cancelled, EndpointRefused, StoreError, StoreWeather
from glan.gateway.gateway import Endpoint, Gateway, Limits
from glan.gateway.prices import Prices
from glan.gateway.requests import Conversation
from glan.models import ModelProfile

Open = Callable[..., Gateway]


def echo(payload: dict[str, Any], nth: int) -> Answer:
    """The question comes back as the answer."""
    return completion("Answer to: " + payload["messages"][0]["content"])


class Turnpike:
    """Holds calls inside the server until they are let go, and says how many are there."""

    def __init__(self, endpoint: SayAnything) -> None:
        self._barrier = threading.Semaphore(0)
        self._arrived = threading.Semaphore(0)
        self._lock = threading.Lock()
        self.inside = self.most = 0
        endpoint.say = self._say

    def _say(self, payload: dict[str, Any], nth: int) -> Answer:
        with self._lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
        self._arrived.release()
        self._barrier.acquire()
        with self._lock:
            self.inside -= 1
        return echo(payload, nth)

    def wait_for(self, calls: int) -> None:
        """Return when that many further calls have arrived."""
        for _ in range(calls):
            assert self._arrived.acquire(timeout=20)

    def let_go(self, calls: int = 10_000) -> None:
        """Answer so many calls."""
        self._barrier.release(calls)


@pytest.fixture
def turnpike(endpoint: SayAnything) -> Iterator[Turnpike]:
    pike = Turnpike(endpoint)
    yield pike
    pike.let_go()


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool


def test_outcomes_come_in_the_order_given_and_no_answer_is_anothers(open_gateway: Open, endpoint: SayAnything) -> None:
    endpoint.say = echo
    outcomes = open_gateway(endpoint.base_url).run([one(ask(i)) for i in range(200)])
    assert [outcome.value for outcome in outcomes] == [f"Answer to: Explain item {i}." for i in range(200)]


def test_a_conversation_carries_on_with_what_it_learnt(open_gateway: Open, endpoint: SayAnything) -> None:
    def two_steps() -> Conversation:
        first = yield ask(1, "First")
        second = yield ask(2, f"Second after <{first.value}>")
        return [first.value, second.value]

    endpoint.say = echo
    [outcome] = open_gateway(endpoint.base_url).run([two_steps()])
    assert outcome.value == ["Answer to: First 1.", "Answer to: Second after <Answer to: First 1.> 2."]
    assert [call.text for call in outcome.calls] == outcome.value


def test_a_conversation_without_calls_has_its_value(open_gateway: Open, endpoint: SayAnything) -> None:
    def nothing() -> Conversation:
        return "nothing to ask"
        yield

    [outcome] = open_gateway(endpoint.base_url).run([nothing()])
    assert (outcome.value, outcome.calls, outcome.failure) == ("nothing to ask", [], None)
    assert open_gateway(endpoint.base_url).run([]) == []


def test_a_failure_ends_its_conversation_only_and_keeps_the_calls_before_it(
    open_gateway: Open, endpoint: SayAnything
) -> None:
    def two_steps(index: int) -> Conversation:
        yield ask(index, "First")
        call = yield ask(index, "Second")
        return call.value

    def say(payload: dict[str, Any], nth: int) -> Answer:
        return completion("") if payload["messages"][0]["content"].startswith("Second 0.") else echo(payload, nth)

    endpoint.say = say
    failed, good = open_gateway(endpoint.base_url).run([two_steps(0), two_steps(1)])
    assert failed.failure is not None
    assert failed.failure.kind == "empty"
    assert [call.text for call in failed.calls] == ["Answer to: First 0."]
    assert good.value == "Answer to: Second 1."


def test_an_error_of_a_conversation_is_raised_and_harms_no_other_run(
    open_gateway: Open, turnpike: Turnpike, endpoint: SayAnything, threads: ThreadPoolExecutor
) -> None:
    def broken() -> Conversation:
        raise KeyError("a fault in a stage")
        yield

    gateway = open_gateway(endpoint.base_url)
    other = threads.submit(gateway.run, [one(ask())])
    turnpike.wait_for(1)
    with pytest.raises(KeyError):
        gateway.run([one(ask(1)), broken()])
    turnpike.let_go()
    assert other.result(20)[0].value == "Answer to: Explain item 0."


def test_runs_that_fail_half_opened_leave_their_places_to_others(
    open_gateway: Open, endpoint: SayAnything, threads: ThreadPoolExecutor
) -> None:
    class Away(MemoryHistory):
        def attempts(self, request_key: str) -> list[dict[str, Any]]:
            raise StoreWeather("the store does not answer")

    gateway = open_gateway(endpoint.base_url, max_concurrency=4)
    asked = [{"request_key": ask(i).key} for i in range(20)]
    failed = [threads.submit(gateway.run, [one(ask(i)) for i in range(20)], Away(asked)) for _ in range(8)]
    for run in failed:
        with pytest.raises(StoreWeather):
            run.result(20)
    others = threads.submit(gateway.run, [one(ask(i)) for i in range(20)])
    assert all(outcome.value for outcome in others.result(20))


def test_calls_of_all_threads_share_one_limit_and_a_new_one_starts_as_one_ends(
    open_gateway: Open, turnpike: Turnpike, endpoint: SayAnything, threads: ThreadPoolExecutor
) -> None:
    gateway = open_gateway(endpoint.base_url, max_concurrency=3)
    runs = [threads.submit(gateway.run, [one(ask(10 * k + i)) for i in range(4)]) for k in range(3)]
    turnpike.wait_for(3)
    for _ in range(9):
        turnpike.let_go(1)
        turnpike.wait_for(1)  # though two slow calls never end
    assert gateway.state.in_flight == 3
    turnpike.let_go()
    assert sum(len(run.result(20)) for run in runs) == 12
    assert turnpike.most == 3


def test_conversations_are_opened_as_there_is_room_not_all_at_once(
    open_gateway: Open, turnpike: Turnpike, endpoint: SayAnything, threads: ThreadPoolExecutor
) -> None:
    opened: list[int] = []

    def noted(index: int) -> Conversation:
        opened.append(index)
        call = yield ask(index)
        return call.value

    gateway = open_gateway(endpoint.base_url, max_concurrency=2)
    run = threads.submit(gateway.run, [noted(i) for i in range(50)])
    turnpike.wait_for(2)
    assert len(opened) <= 4
    turnpike.let_go()
    assert len(run.result(20)) == 50


def test_earlier_runs_go_first(
    open_gateway: Open, turnpike: Turnpike, endpoint: SayAnything, threads: ThreadPoolExecutor
) -> None:
    gateway = open_gateway(endpoint.base_url, max_concurrency=1)
    first = threads.submit(gateway.run, [one(ask(i, "First")) for i in range(5)])
    turnpike.wait_for(1)
    second = threads.submit(gateway.run, [one(ask(i, "Second")) for i in range(5)])
    turnpike.let_go()
    first.result(20), second.result(20)
    order = [payload["messages"][0]["content"].split()[0] for payload in endpoint.payloads]
    assert order.index("Second") >= 3  # those two that were open already may go between
    assert sorted(order) == ["First"] * 5 + ["Second"] * 5


def test_concurrency_can_be_changed_while_running(
    open_gateway: Open, turnpike: Turnpike, endpoint: SayAnything, threads: ThreadPoolExecutor
) -> None:
    gateway = open_gateway(endpoint.base_url, max_concurrency=2)
    run = threads.submit(gateway.run, [one(ask(i)) for i in range(60)])
    turnpike.wait_for(2)
    gateway.set_max_concurrency(6)
    turnpike.let_go(20)
    turnpike.wait_for(24)
    assert turnpike.inside == 6
    gateway.set_max_concurrency(1)
    turnpike.let_go()
    run.result(20)
    assert gateway.state.limit == 1
    assert turnpike.most == 6


def test_a_pause_holds_new_calls_until_it_ends(
    open_gateway: Open, endpoint: SayAnything, threads: ThreadPoolExecutor
) -> None:
    gateway = open_gateway(endpoint.base_url)
    gateway.pause()
    run = threads.submit(gateway.run, [one(ask())])
    gateway.run([])  # the loop has been round since
    assert gateway.state.paused_because == "paused on request"
    assert endpoint.payloads == []
    assert not run.done()
    gateway.resume()
    assert run.result(20)[0].value == "A good answer."


def test_stop_cancels_what_is_in_flight_and_every_run_raises(
    open_gateway: Open, turnpike: Turnpike, endpoint: SayAnything, threads: ThreadPoolExecutor
) -> None:
    gateway = open_gateway(endpoint.base_url, max_concurrency=4)
    runs = [threads.submit(gateway.run, [one(ask(10 * k + i)) for i in range(5)]) for k in range(3)]
    turnpike.wait_for(4)
    gateway.stop(Cancelled("told to stop"))
    for run in runs:
        with pytest.raises(Cancelled, match="told to stop"):
            run.result(5)
    with pytest.raises(Cancelled, match="told to stop"):
        gateway.run([one(ask())])
    gateway.stop(EndpointRefused("later"))
    with pytest.raises(Cancelled, match="told to stop"):
        gateway.run([])
    assert len(endpoint.payloads) == 4


def test_what_is_answered_a_moment_after_a_stop_is_on_record_and_never_asked_again(
    open_gateway: Open, endpoint: SayAnything, log: MemoryLog, threads: ThreadPoolExecutor
) -> None:
    begun = threading.Semaphore(0)

    def say(payload: dict[str, Any], nth: int) -> Answer:
        begun.release()
        time.sleep(0.5)
        return echo(payload, nth)

    endpoint.say = say
    gateway = open_gateway(endpoint.base_url, max_concurrency=4)
    run = threads.submit(gateway.run, [one(ask(i)) for i in range(9)])
    for _ in range(4):
        begun.acquire(timeout=10)
    gateway.stop(Cancelled("told to stop"))
    with pytest.raises(Cancelled):
        run.result(10)
    gateway.close()
    assert log.kinds() == [None] * 4
    assert len(endpoint.payloads) == 4


def test_an_interrupt_ends_the_wait_and_cancels_the_calls(
    open_gateway: Open, turnpike: Turnpike, endpoint: SayAnything, threads: ThreadPoolExecutor
) -> None:
    def interrupt() -> None:
        turnpike.wait_for(2)
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    gateway = open_gateway(endpoint.base_url, max_concurrency=2)
    threads.submit(interrupt)
    with pytest.raises(KeyboardInterrupt):
        gateway.run([one(ask(i)) for i in range(10)])
    turnpike.let_go()
    assert gateway.run([one(ask(99))])[0].value == "Answer to: Explain item 99."
    assert len(endpoint.payloads) == 3


def test_a_final_error_in_one_run_ends_the_others(
    open_gateway: Open, endpoint: SayAnything, threads: ThreadPoolExecutor
) -> None:
    release = threading.Event()

    def say(payload: dict[str, Any], nth: int) -> Answer:
        if payload["messages"][0]["content"].startswith("Bad"):
            return error(401)
        release.wait(20)
        return completion("late")

    endpoint.say = say
    gateway = open_gateway(endpoint.base_url)
    waiting = threads.submit(gateway.run, [one(ask(1))])
    with pytest.raises(EndpointRefused):
        gateway.run([one(ask(0, "Bad"))])
    with pytest.raises(EndpointRefused):
        waiting.result(5)
    release.set()


def test_closing_ends_the_thread_and_may_be_repeated(open_gateway: Open, endpoint: SayAnything) -> None:
    gateway = open_gateway(endpoint.base_url)
    gateway.run([one(ask())])
    gateway.close()
    gateway.close()
    assert "glan-gateway" not in {thread.name for thread in threading.enumerate()}
    with pytest.raises(Cancelled, match="closed"):
        gateway.run([one(ask())])


def test_a_hanging_call_stops_no_other_and_is_tried_again(
    open_gateway: Open, endpoint: SayAnything, log: MemoryLog
) -> None:
    release = threading.Event()

    def say(payload: dict[str, Any], nth: int) -> Answer:
        if nth == 0:
            release.wait(20)
        return echo(payload, nth)

    endpoint.say = say
    outcomes = open_gateway(endpoint.base_url, max_concurrency=2).run(
        [one(ask(i, timeout_seconds=0.3)) for i in range(30)]
    )
    release.set()
    assert [outcome.value for outcome in outcomes] == [f"Answer to: Explain item {i}." for i in range(30)]
    [timed_out] = [row for row in log.rows if not row["understood"]]
    assert (timed_out["error_kind"], timed_out["status"], timed_out["cost_usd"]) == ("timeout", 0, None)


def test_new_calls_wait_while_too_much_is_unwritten(open_gateway: Open, endpoint: SayAnything, log: MemoryLog) -> None:
    log.backlog = 1_000_000
    open_gateway(endpoint.base_url).run([one(ask())])
    assert log.waited.is_set()
    assert log.backlog == 0


@pytest.mark.parametrize(("backlog", "refused"), [(1_000_000, False), (1, True)])
def test_a_log_that_cannot_be_written_ends_the_run(
    open_gateway: Open, endpoint: SayAnything, backlog: int, refused: bool
) -> None:
    class Broken(MemoryLog):
        def wait(self) -> None:
            raise StoreError("the disk is full")

    broken = Broken()
    broken.backlog, broken.refused = backlog, refused
    with pytest.raises(StoreError):
        open_gateway(endpoint.base_url, log=broken).run([one(ask())])
    assert endpoint.payloads == []


def test_a_killed_run_goes_on_from_what_was_written(open_gateway: Open, endpoint: SayAnything, log: MemoryLog) -> None:
    """The calls of two runs together are one pass, wherever the first was cut off."""
    endpoint.say = lambda payload, nth: completion("") if nth % 3 == 0 else echo(payload, nth)
    open_gateway(endpoint.base_url).run([one(ask(i, attempts=20)) for i in range(40)])
    for written in (0, 1, 17, len(log.rows)):
        rows = log.rows[:written]
        done = {row["request_key"] for row in rows if row["understood"]}
        endpoint.payloads.clear()
        again = open_gateway(endpoint.base_url, log=MemoryLog()).run(
            [one(ask(i, attempts=20)) for i in range(40)], MemoryHistory(rows)
        )
        assert [outcome.value.split("\n")[0] for outcome in again] == [
            f"Answer to: Explain item {i}." for i in range(40)
        ]
        asked = {json.dumps(payload["messages"][0]["content"].split("\n")[0]) for payload in endpoint.payloads}
        assert len(asked) == 40 - len(done)


def test_profiles_with_their_own_endpoints_are_called_there(endpoint: SayAnything, log: MemoryLog) -> None:
    other = SayAnything()
    urls = {"teacher": endpoint.base_url, "other": other.base_url}

    def where(profile: ModelProfile) -> Endpoint:
        return Endpoint(urls[profile.model], KEY)

    limits = Limits(max_concurrency=4)
    gateway = Gateway(endpoint=where, log=log, run_id="r", limits=limits, prices=Prices())
    gateway.run([one(ask(i, model=model)) for i in range(5) for model in urls])
    gateway.close()
    other.close()
    assert {payload["model"] for payload in endpoint.payloads} == {"teacher"}
    assert {payload["model"] for payload in other.payloads} == {"other"}


def test_requests_per_minute_are_spread_evenly(open_gateway: Open, endpoint: SayAnything) -> None:
    started = time.monotonic()
    open_gateway(endpoint.base_url, requests_per_minute=1_200).run([one(ask(i)) for i in range(30)])
    allowed = 20 * (time.monotonic() - started) + 20  # one second's worth may come at once
    assert len(endpoint.payloads) == 30 <= allowed + 1


def test_a_cap_that_is_smaller_than_one_call_still_lets_it_pass(open_gateway: Open, endpoint: SayAnything) -> None:
    outcome = open_gateway(endpoint.base_url, tokens_per_minute=10).run([one(ask())])
    assert outcome[0].value == "A good answer."


def test_the_key_shows_nowhere(open_gateway: Open, endpoint: SayAnything, log: MemoryLog) -> None:
    gateway = open_gateway(endpoint.base_url)
    gateway.run([one(ask())])
    lines = list(gateway._lines.items())
    assert KEY not in repr(lines) + repr(log.rows) + repr(gateway.state) + repr(Endpoint("http://x", KEY))
