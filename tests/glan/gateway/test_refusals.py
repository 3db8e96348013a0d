"""What an endpoint refuses: one request alone, or everything."""

from collections.abc import Callable
from typing import Any

import pytest
from gateway_world import KEY, Answer, MemoryLog, SayAnything, ask, completion, error, in_turn, one, run_one

from glan.errors import EndpointRefused
from glan.gateway.gateway import Gateway

Open = Callable[..., Gateway]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (error(400, "maximum context length is 10 tokens", code="context_length_exceeded"), "context_length"),
        (error(413, "too large"), "too_large"),
        (error(400, "flagged", code="content_filter"), "content_filter"),
        (error(422, "odd"), "bad_request"),
    ],
)
def test_a_request_that_the_endpoint_refuses_fails_at_once(
    open_gateway: Open, endpoint: SayAnything, log: MemoryLog, answer: Answer, kind: str
) -> None:
    endpoint.say = in_turn(answer, completion("A good answer."))
    refused, answered = open_gateway(endpoint.base_url, max_concurrency=1).run([one(ask(1)), one(ask(2))])
    assert refused.failure is not None
    assert refused.failure.kind == kind == log.rows[0]["error_kind"]
    assert answered.value == "A good answer."


def test_a_reply_that_the_endpoint_itself_finds_no_json_is_asked_for_again_up_to_the_limit(
    open_gateway: Open, endpoint: SayAnything, log: MemoryLog
) -> None:
    endpoint.say = in_turn(
        error(400, "Generated JSON does not match the expected schema.", code="json_validate_failed")
    )
    gateway = open_gateway(endpoint.base_url)
    failure = run_one(gateway, ask()).failure
    assert failure is not None and (failure.kind, failure.attempts) == ("not_json", 3)
    endpoint.say = in_turn(completion("A good answer."))
    assert run_one(gateway, ask(), log.rows[:3]).failure, "attempts on record count"
    assert run_one(gateway, ask(), log.rows[:2]).value == "A good answer."
    assert len(endpoint.payloads) == 3 + 1


def test_a_bad_prompt_that_is_echoed_fails_alone_whatever_it_is_about(
    open_gateway: Open, endpoint: SayAnything, log: MemoryLog
) -> None:
    about = "Explain what a firm with insufficient funds, out of credit, is to do, item"

    def say(payload: dict[str, Any], nth: int) -> Answer:
        prompt = payload["messages"][-1]["content"]
        return error(400, f"Invalid prompt: {prompt}") if "insufficient" in prompt else completion("A good answer.")

    endpoint.say = say
    outcomes = open_gateway(endpoint.base_url).run([one(ask(0, about)), *(one(ask(i)) for i in range(1, 9))])
    assert [outcome.failure and outcome.failure.kind for outcome in outcomes] == ["bad_request"] + [None] * 8


FINAL = [
    error(401, f"Incorrect API key provided: {KEY[:12]}****. Also {KEY} and Bearer {KEY}."),
    error(402, "pay"),
    error(403, "no"),
    error(404, "no such model"),
    error(429, "quota", code="insufficient_quota"),
    error(429, "quota", type="insufficient_quota"),
    error(400, "The model `teacher` does not exist"),
    error(400, "Unsupported parameter", param="seed", code="unsupported_parameter"),
]


@pytest.mark.parametrize("answer", FINAL)
def test_a_final_refusal_ends_everything_with_one_sentence_and_no_key(
    open_gateway: Open, endpoint: SayAnything, log: MemoryLog, answer: Answer
) -> None:
    endpoint.say = in_turn(answer)
    gateway = open_gateway(endpoint.base_url, max_concurrency=4)
    with pytest.raises(EndpointRefused) as caught:
        gateway.run([one(ask(i)) for i in range(100)])
    assert len(endpoint.payloads) <= 4
    assert "teacher" in str(caught.value)
    assert "127.0.0.1" in str(caught.value)
    assert "\n" not in str(caught.value)
    everything = repr(caught.value) + str(caught.value.__cause__) + repr(log.rows) + repr(vars(gateway))
    assert KEY not in everything
    assert KEY[:12] not in everything
    with pytest.raises(EndpointRefused):
        run_one(gateway, ask())


def test_twenty_requests_in_a_row_that_are_refused_alike_condemn_the_endpoint(
    open_gateway: Open, endpoint: SayAnything
) -> None:
    endpoint.say = lambda payload, nth: error(400, f"request {nth} is odd")
    with pytest.raises(EndpointRefused, match="20 different requests"):
        open_gateway(endpoint.base_url, max_concurrency=1).run([one(ask(i)) for i in range(40)])
    assert len(endpoint.payloads) == 20


def test_refusals_with_successes_between_condemn_nothing(open_gateway: Open, endpoint: SayAnything) -> None:
    endpoint.say = lambda payload, nth: completion("A good answer.") if nth % 10 == 9 else error(400, "odd")
    outcomes = open_gateway(endpoint.base_url, max_concurrency=1).run([one(ask(i)) for i in range(60)])
    assert sum(outcome.failure is not None for outcome in outcomes) == 54
