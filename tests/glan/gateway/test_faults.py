"""The gateway against the model server and everything that it can do wrong."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from gateway_world import KEY, MemoryHistory, MemoryLog, ask, one
from model_faults import HARMLESS, RATED, UNREADABLE
from model_server import Faults, ModelServer
from pydantic import BaseModel, Field

from glan.errors import EndpointRefused
from glan.gateway.gateway import Gateway
from glan.gateway.reading import structured
from glan.gateway.requests import Outcome, Request
from glan.records import table

Open = Callable[..., Gateway]


class Session(BaseModel):
    title: str = Field(max_length=80)
    key_concepts: list[str] = Field(min_length=2, max_length=4)


class Syllabus(BaseModel):
    sessions: list[Session] = Field(min_length=2, max_length=4)


CONTENT = UNREADABLE - {"aborted"}
PASSING = sorted(set(RATED) - CONTENT - HARMLESS - {"bad_request"})
MIX = Faults(
    rate_limit=0.02, error_500=0.02, error_503=0.02, drop_before=0.02, drop_inside=0.02, truncated_json=0.02,
    wrong_schema=0.02, empty=0.02, refusal=0.02, length=0.02, content_filter=0.01, bad_request=0.01,
)  # fmt: skip


def syllabus(index: int, **profile: Any) -> Request:
    return ask(index, "Write a syllabus for subject", structured(Syllabus), Syllabus, **profile)


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer(seed=3) as running:
        yield running


def every_answer_is_its_own(server: ModelServer, outcomes: list[Outcome]) -> None:
    """Each text came from the server in reply to the very request it is now attached to."""
    given = {(call.payload["messages"][0]["content"].split("\n")[0], call.reply_text) for call in server.calls}
    for outcome in outcomes:
        for call in outcome.calls:
            assert (call.request.messages[0]["content"], call.text) in given


@pytest.mark.parametrize("structured_too", [False, True])
def test_a_mix_of_all_faults_ends_with_everything_answered_or_failed(
    open_gateway: Open, server: ModelServer, log: MemoryLog, structured_too: bool
) -> None:
    server.faults = MIX
    make = syllabus if structured_too else ask
    outcomes = open_gateway(server.base_url, max_concurrency=32).run([one(make(i)) for i in range(400)])
    assert all((outcome.failure is None) == (outcome.value is not None) for outcome in outcomes)
    every_answer_is_its_own(server, outcomes)
    assert len(log.rows) == server.count
    assert sum(row["understood"] for row in log.rows) == sum(outcome.failure is None for outcome in outcomes)
    replies = Counter(row["request_key"] for row in log.rows if row["status"] == 200 and row["reply"] is not None)
    assert max(replies.values()) <= 3
    for outcome in outcomes:
        if outcome.failure and outcome.failure.kind not in ("context_length", "weather"):
            assert replies[outcome.failure.request.key] == 3


@pytest.mark.parametrize("fault", PASSING)
def test_a_passing_fault_costs_no_attempt(open_gateway: Open, server: ModelServer, fault: str) -> None:
    server.faults = Faults(when=lambda payload, nth: fault if nth < 2 else None, retry_after="0.05", hang_seconds=20)
    requests = [ask(i, attempts=1, timeout_seconds=0.5) for i in range(5)]
    outcomes = open_gateway(server.base_url).run([one(request) for request in requests])
    assert all(outcome.failure is None for outcome in outcomes)
    assert server.count == 15


@pytest.mark.parametrize("fault", sorted(HARMLESS))
def test_what_is_only_odd_is_understood_at_once(
    open_gateway: Open, server: ModelServer, log: MemoryLog, fault: str
) -> None:
    server.faults = Faults(when=lambda payload, nth: fault)
    gateway = open_gateway(server.base_url, max_concurrency=4)
    outcomes = [outcome for i in range(5) for outcome in gateway.run([one(ask(j)) for j in range(4 * i, 4 * i + 4)])]
    assert all(outcome.failure is None for outcome in outcomes)
    every_answer_is_its_own(server, outcomes)
    assert server.count == 20
    assert table("calls", [{**row, "writer": "w"} for row in log.rows]).num_rows == 20, "what cannot be put on record"


@pytest.mark.parametrize("fault", sorted(CONTENT))
def test_a_bad_reply_is_asked_again_and_given_up_after_the_attempts(
    open_gateway: Open, server: ModelServer, fault: str
) -> None:
    server.faults = Faults(when=lambda payload, nth: fault)
    [outcome] = open_gateway(server.base_url).run([one(syllabus(1, attempts=3))])
    if outcome.failure is None:  # cut JSON that json-repair could mend is understood, and flagged
        assert fault == "truncated_json"
        assert outcome.calls[0].repaired
    else:
        assert server.count == 3


@pytest.mark.parametrize(
    "fault", ["unauthorized", "insufficient_quota", "model_not_found", "unsupported_parameter", "billing"]
)
def test_a_final_fault_ends_the_run_after_at_most_what_was_in_flight(
    open_gateway: Open, server: ModelServer, log: MemoryLog, fault: str
) -> None:
    gateway = open_gateway(server.base_url, max_concurrency=8)
    gateway.run([one(ask(i)) for i in range(20)])
    server.reset()
    server.faults = Faults(when=lambda payload, nth: fault)
    with pytest.raises(EndpointRefused) as caught:
        gateway.run([one(ask(i)) for i in range(100, 300)])
    assert server.count <= 8
    assert KEY not in str(caught.value) + repr(log.rows)


def test_one_prompt_that_the_endpoint_refuses_stops_nothing(open_gateway: Open, server: ModelServer) -> None:
    def when(payload: dict[str, Any], nth: int) -> str | None:
        return "bad_request" if payload["messages"][0]["content"].startswith("Explain item 7.") else None

    server.faults = Faults(when=when)
    outcomes = open_gateway(server.base_url).run([one(ask(i)) for i in range(30)])
    assert [i for i, outcome in enumerate(outcomes) if outcome.failure] == [7]
    assert outcomes[7].failure is not None
    assert outcomes[7].failure.kind == "context_length"
    assert server.count == 30


@pytest.mark.parametrize("structures", [{"json_schema", "json_object"}, {"json_object"}, set()])
def test_structured_replies_are_had_from_any_endpoint(open_gateway: Open, structures: set[str], log: MemoryLog) -> None:
    with ModelServer(seed=3, structures=structures) as server:
        gateway = open_gateway(server.base_url, max_concurrency=1)
        outcomes = gateway.run([one(syllabus(i)) for i in range(4)])
        refused = [call for call in server.calls if call.status == 400]
    assert len(refused) == 2 - len(structures)
    if structures:
        assert all(isinstance(outcome.value, Syllabus) for outcome in outcomes)


def test_the_key_is_sent_and_shown_nowhere(open_gateway: Open, log: MemoryLog) -> None:
    with ModelServer(api_key=KEY) as server:
        outcomes = open_gateway(server.base_url).run([one(ask())])
        assert outcomes[0].failure is None
        assert KEY not in repr(log.rows) + repr(server.calls) + repr(outcomes)


def test_a_wrong_key_is_named_by_its_variable_only(open_gateway: Open, log: MemoryLog) -> None:
    with ModelServer(api_key="sk-another") as server:
        with pytest.raises(EndpointRefused, match="set TEACHER_KEY to a valid key") as caught:
            open_gateway(server.base_url).run([one(ask(api_key_env="TEACHER_KEY"))])
        assert KEY not in str(caught.value) + repr(log.rows)


def test_a_limit_on_calls_in_flight_is_found_with_few_refusals(open_gateway: Open) -> None:
    with ModelServer(seed=3, latency=0.1, limit=16) as server:  # longer than calls are on the way on a busy machine
        gateway = open_gateway(server.base_url, max_concurrency=64)
        gateway.run([one(ask(i)) for i in range(300)])
        before = gateway.state.rate_limited
        gateway.run([one(ask(i)) for i in range(1_000, 2_000)])
        assert gateway.state.rate_limited - before <= 30
        assert server.in_flight_max >= 14


def test_two_runs_over_a_cut_make_one_pass(open_gateway: Open, server: ModelServer, log: MemoryLog) -> None:
    server.faults = MIX
    requests = [syllabus(i) for i in range(100)]
    undisturbed = open_gateway(server.base_url).run([one(request) for request in requests])
    rows, made = list(log.rows), server.count
    server.reset()
    cut = rows[: made // 2]
    resumed = open_gateway(server.base_url, log=MemoryLog()).run(
        [one(request) for request in requests], MemoryHistory(cut)
    )
    answered = {row["request_key"] for row in cut if row["understood"]}
    for request, before, after in zip(requests, undisturbed, resumed, strict=True):
        if request.key in answered:
            assert after.value == before.value
    asked = {call.payload["messages"][0]["content"].split("\n")[0] for call in server.calls}
    assert asked.isdisjoint(request.messages[0]["content"] for request in requests if request.key in answered)
