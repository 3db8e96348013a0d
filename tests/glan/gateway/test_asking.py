"""The life of one request: what is asked again, how often, with what words, and what is kept on record."""

import datetime
import json
from collections.abc import Callable
from email.utils import format_datetime
from typing import Any

import pytest
from gateway_world import (
    HANGS_UP,
    KEY,
    QUICK,
    Answer,
    MemoryLog,
    SayAnything,
    ask,
    completion,
    error,
    in_turn,
    one,
    run_one,
)
from pydantic import BaseModel

from glan.errors import EndpointDown, EndpointRefused, InputError
from glan.gateway.gateway import Gateway, Pace
from glan.gateway.reading import prose, structured
from glan.gateway.requests import Problem, Request
from glan.gateway.trouble import WEATHER_KINDS

Open = Callable[..., Gateway]


class Subject(BaseModel):
    name: str


GOOD = json.dumps({"name": "Algebra"})
BAD = json.dumps({"title": "Algebra"})


def subject(index: int = 0, **profile: Any) -> Request:
    return ask(index, "Name a subject for", structured(Subject), Subject, **profile)


def test_an_understood_reply_is_a_call_and_one_row(open_gateway: Open, endpoint: SayAnything, log: MemoryLog) -> None:
    gateway = open_gateway(endpoint.base_url, cost=lambda model, prompt, cached, completion: prompt + cached / 10)
    outcome = run_one(gateway, ask(3))
    [call], [row] = outcome.calls, log.rows
    assert outcome.value == call.value == call.text == row["reply"] == "A good answer."
    assert (call.prompt_tokens, call.completion_tokens, call.cost_usd, call.attempts) == (100, 50, 104.0, 1)
    assert (row["prompt_tokens"], row["cached_tokens"], row["completion_tokens"], row["cost_usd"]) == (
        100,
        40,
        50,
        104.0,
    )
    assert (row["understood"], row["error_kind"], row["status"], row["attempt"]) == (True, None, 200, 1)
    assert (row["request_key"], row["provider_request_id"]) == (ask(3).key, "req-0")
    assert call.finished_at == row["finished_at"] == row["created_at"] >= row["started_at"]
    assert endpoint.payloads[0]["seed"] == 1_003


def test_a_reply_that_does_not_fit_is_quoted_and_asked_again(
    open_gateway: Open, endpoint: SayAnything, log: MemoryLog
) -> None:
    endpoint.say = in_turn(completion(BAD), completion(GOOD))
    outcome = run_one(open_gateway(endpoint.base_url), subject())
    assert outcome.value == Subject(name="Algebra")
    assert outcome.calls[0].attempts == 2
    assert log.kinds() == ["schema", None]
    assert log.rows[0]["reply"] == BAD
    assert endpoint.payloads[1]["messages"][1] == {"role": "assistant", "content": BAD}
    assert "`name`" in endpoint.payloads[1]["messages"][2]["content"]
    assert endpoint.payloads[1]["seed"] != endpoint.payloads[0]["seed"]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (completion(BAD), "schema"),
        (completion("no JSON here, sorry to say"), "malformed"),
        (completion('{"name": "Alg', "length"), "truncated"),
        (completion("", "content_filter"), "filtered"),
        (completion(None), "empty"),
        (completion([]), "empty"),
        (completion(None, reasoning_content="a long thought"), "empty"),
        (completion(None, refusal="I can't help with that."), "refused"),
        (completion("I'm sorry, I can't assist with that."), "refused"),
    ],
)
def test_content_is_asked_for_as_often_as_the_profile_says_and_no_more(
    open_gateway: Open, endpoint: SayAnything, log: MemoryLog, answer: Answer, kind: str
) -> None:
    endpoint.say = in_turn(answer)
    outcome = run_one(open_gateway(endpoint.base_url), subject(attempts=4))
    assert outcome.failure is not None
    assert (outcome.failure.kind, outcome.failure.attempts) == (kind, 4)
    assert outcome.failure.raw_text == log.rows[-1]["reply"]
    assert log.kinds() == [kind] * 4
    assert [row["attempt"] for row in log.rows] == [1, 2, 3, 4]
    assert len({payload["seed"] for payload in endpoint.payloads}) == 4


def test_a_reply_that_hands_back_what_was_said_of_the_last_one_is_none(
    open_gateway: Open, endpoint: SayAnything, log: MemoryLog
) -> None:
    cut = "The answer was cut off at the length limit. Answer again, complete but shorter."
    endpoint.say = in_turn(completion("Half an", "length"), completion(cut), completion("A whole answer."))
    outcome = run_one(open_gateway(endpoint.base_url), ask())
    assert outcome.value == "A whole answer."
    assert log.kinds() == ["truncated", "echo", None]
    again = run_one(open_gateway(endpoint.base_url), ask(), log.rows)
    assert again.value == "A whole answer."
    assert len(endpoint.payloads) == 3


def test_a_problem_that_asking_cannot_cure_is_not_asked_again(open_gateway: Open, endpoint: SayAnything) -> None:
    hopeless = prose(lambda text: Problem("hopeless", "Never mind.", ask_again=False))
    outcome = run_one(open_gateway(endpoint.base_url), ask(read=hopeless))
    assert outcome.failure is not None
    assert len(endpoint.payloads) == 1


@pytest.mark.parametrize(
    "content",
    [
        "A good answer.",
        [{"type": "text", "text": "A good "}, {"type": "text", "text": "answer."}],
        ["A good ", "answer."],
    ],
)
def test_a_content_of_parts_is_read_as_text(open_gateway: Open, endpoint: SayAnything, content: Any) -> None:
    endpoint.say = in_turn(completion(content, reasoning_content="ignored"))
    assert run_one(open_gateway(endpoint.base_url), ask()).value == "A good answer."


def test_without_usage_tokens_and_money_are_unknown(open_gateway: Open, endpoint: SayAnything, log: MemoryLog) -> None:
    endpoint.say = in_turn(completion("Fine.", usage=None))
    gateway = open_gateway(endpoint.base_url, cost=lambda *call: 1.0)
    [call] = run_one(gateway, ask()).calls
    assert (call.prompt_tokens, call.completion_tokens, call.cost_usd) == (0, 0, None)
    assert (log.rows[0]["prompt_tokens"], log.rows[0]["cost_usd"]) == (None, None)
    assert gateway.state.spent.unpriced == 1


@pytest.mark.parametrize(
    "answer",
    [
        (200, {"content-type": "text/html"}, b"<html>Welcome to nginx</html>"),
        (200, {}, b""),
        (200, {}, b"[]"),
        (200, {}, b'{"choices": []}'),
        (200, {}, b'{"choices": [null]}'),
        (200, {}, b'{"choices": [{"message": "text"}]}'),
        (200, {}, b'{"choices": 3}'),
        (200, {}, b'data: {"choices": []}\n\n'),
        (200, {}, b'{"error": {"message": "upstream overloaded", "code": 503}}'),
        (200, {}, b'{"error": "upstream overloaded"}'),
        completion("Half an ans", "error"),
        (500, {}, b"<html>Bad day</html>"),
        (500, {}, b'{"detail": ["a", "b"]}'),
        (502, {}, b""),
        (503, {"retry-after": "0"}, b"{}"),
        (529, {}, b'"overloaded"'),
    ],
)
def test_weather_is_tried_again_and_never_counts_as_an_attempt(
    open_gateway: Open, endpoint: SayAnything, log: MemoryLog, answer: Answer
) -> None:
    endpoint.say = in_turn(answer, answer, answer, completion("A good answer."))
    outcome = run_one(open_gateway(endpoint.base_url), ask(attempts=1))
    assert outcome.value == "A good answer."
    assert outcome.calls[0].attempts == 4
    assert all(row["error_kind"] in WEATHER_KINDS and not row["understood"] for row in log.rows[:3])
    assert len({payload["seed"] for payload in endpoint.payloads}) == 1


def test_a_fault_that_asks_for_a_day_is_tried_again_within_the_patience(
    open_gateway: Open, endpoint: SayAnything
) -> None:
    endpoint.say = in_turn(error(503, headers={"retry-after": "86400"}), completion("A good answer."))
    [outcome] = open_gateway(endpoint.base_url, patience_seconds=0.1).run([one(ask())])
    assert outcome.value is not None and len(endpoint.payloads) == 2


@pytest.mark.parametrize("headers", [{}, {"retry-after": "0.01"}, {"retry-after-ms": "5"}, {"retry-after": "soon"}])
def test_capacity_never_counts(
    open_gateway: Open, endpoint: SayAnything, log: MemoryLog, headers: dict[str, str]
) -> None:
    endpoint.say = in_turn(*[error(429, headers=headers)] * 12, completion("A good answer."))
    gateway = open_gateway(endpoint.base_url)
    assert run_one(gateway, ask(attempts=1)).value == "A good answer."
    assert log.kinds() == ["rate_limit"] * 12 + [None]
    assert gateway.state.rate_limited == 12


def test_an_endpoint_that_asks_to_wait_beyond_all_patience_ends_the_run(
    open_gateway: Open, endpoint: SayAnything
) -> None:
    later = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=1)
    endpoint.say = in_turn(error(429, headers={"retry-after": format_datetime(later, usegmt=True)}))
    gateway = open_gateway(endpoint.base_url)
    for _ in range(2):  # the second time, nothing is sent
        with pytest.raises(EndpointDown, match="run again later"):
            run_one(gateway, ask())
    assert len(endpoint.payloads) == 1


def test_structure_steps_down_to_what_the_endpoint_takes_and_is_remembered(
    open_gateway: Open, endpoint: SayAnything, log: MemoryLog
) -> None:
    def say(payload: dict[str, Any], nth: int) -> Answer:
        if "response_format" in payload:
            return error(400, f"response_format.type {payload['response_format']['type']} is not supported")
        return completion(GOOD)

    endpoint.say = say
    gateway = open_gateway(endpoint.base_url)
    assert run_one(gateway, subject(1, attempts=1)).value == Subject(name="Algebra")
    assert log.kinds() == ["structure", "structure", None]
    assert run_one(gateway, subject(2)).value == Subject(name="Algebra")
    assert len(endpoint.payloads) == 4
    assert '"name"' in endpoint.payloads[-1]["messages"][-1]["content"]


def test_a_schema_whose_keywords_the_endpoint_does_not_know_steps_down_too(
    open_gateway: Open, endpoint: SayAnything
) -> None:
    def say(payload: dict[str, Any], nth: int) -> Answer:
        if payload["response_format"]["type"] == "json_schema":
            return error(400, "Invalid schema for response_format 'Subject': 'minItems' is not permitted.")
        return completion(GOOD)

    endpoint.say = say
    assert run_one(open_gateway(endpoint.base_url), subject()).value == Subject(name="Algebra")


def test_a_chosen_structure_that_the_endpoint_refuses_is_final(open_gateway: Open, endpoint: SayAnything) -> None:
    endpoint.say = in_turn(error(400, "json_schema is not supported", param="response_format"))
    with pytest.raises(EndpointRefused, match='structure = "auto"'):
        run_one(open_gateway(endpoint.base_url), subject(structure="json_schema"))


def test_a_recorded_reply_is_read_again_without_a_call(
    open_gateway: Open, endpoint: SayAnything, log: MemoryLog
) -> None:
    endpoint.say = in_turn(error(500), completion(BAD), completion(GOOD))
    first = run_one(open_gateway(endpoint.base_url, run_id="first", cost=lambda *call: 2.0), subject())
    rows = list(log.rows)
    second = run_one(open_gateway(endpoint.base_url, run_id="second"), subject(), rows)
    assert len(endpoint.payloads) == 3
    assert [vars_of(call) for call in second.calls] == [vars_of(call) for call in first.calls]
    assert second.calls[0].run_id == "first"


def vars_of(call: Any) -> tuple[Any, ...]:
    return tuple(getattr(call, name) for name in type(call).__slots__ if name != "request")


@pytest.mark.parametrize("made", [0, 1, 2, 3])
def test_attempts_on_record_count_so_the_limit_holds_over_kills(
    open_gateway: Open, endpoint: SayAnything, made: int
) -> None:
    endpoint.say = in_turn(completion(BAD))
    before = MemoryLog()
    run_one(open_gateway(endpoint.base_url, log=before), subject())
    uninterrupted = list(endpoint.payloads)
    endpoint.payloads.clear()
    after = MemoryLog()
    outcome = run_one(open_gateway(endpoint.base_url, log=after), subject(), before.rows[:made])
    assert outcome.failure is not None
    assert (outcome.failure.kind, outcome.failure.attempts, outcome.failure.raw_text) == ("schema", 3, BAD)
    assert endpoint.payloads == uninterrupted[made:]  # what a killed run still asks is what it would have asked
    assert [row["attempt"] for row in after.rows] == [1, 2, 3][made:]


def test_a_recorded_refusal_of_this_request_is_not_asked_again(
    open_gateway: Open, endpoint: SayAnything, log: MemoryLog
) -> None:
    endpoint.say = in_turn(error(413, "too large"))
    first = run_one(open_gateway(endpoint.base_url), ask())
    second = run_one(open_gateway(endpoint.base_url), ask(), list(log.rows))
    assert first.failure is not None
    assert second.failure is not None
    assert (second.failure.kind, second.failure.message) == (first.failure.kind, first.failure.message)
    assert len(endpoint.payloads) == 1


def test_recorded_weather_does_not_count(open_gateway: Open, endpoint: SayAnything, log: MemoryLog) -> None:
    endpoint.say = in_turn(error(500), error(429), completion("A good answer."))
    run_one(open_gateway(endpoint.base_url), ask(attempts=1))
    outcome = run_one(open_gateway(endpoint.base_url), ask(attempts=1), log.rows[:2])
    assert outcome.value == "A good answer."
    assert outcome.calls[0].attempts == 3


def test_a_request_that_meets_weather_while_others_are_answered_is_given_up(
    open_gateway: Open, endpoint: SayAnything
) -> None:
    def say(payload: dict[str, Any], nth: int) -> Answer:
        return error(503) if payload["messages"][0]["content"] == "Explain item 0." else completion("A good answer.")

    endpoint.say = say
    slowly = Pace(first_wait_seconds=0.01, longest_wait_seconds=0.05)
    outcomes = open_gateway(endpoint.base_url, max_concurrency=4, pace=slowly).run([one(ask(i)) for i in range(200)])
    assert outcomes[0].failure is not None
    assert outcomes[0].failure.kind == "weather"
    assert all(outcome.value for outcome in outcomes[1:])


def test_a_lone_request_that_breaks_the_server_is_given_up_too(open_gateway: Open, endpoint: SayAnything) -> None:
    endpoint.say = in_turn(error(500))
    outcome = run_one(open_gateway(endpoint.base_url), ask())
    assert outcome.failure is not None
    assert outcome.failure.kind == "weather"
    assert len(endpoint.payloads) == QUICK.weather_attempts


@pytest.mark.parametrize("answer", [error(504), HANGS_UP])
def test_a_last_request_that_is_never_answered_ends_with_the_patience_and_not_the_run(
    open_gateway: Open, endpoint: SayAnything, answer: Answer
) -> None:
    def say(payload: dict[str, Any], nth: int) -> Answer:
        return answer if payload["messages"][0]["content"] == "Explain item 1." else completion("A good answer.")

    endpoint.say = say
    gateway = open_gateway(endpoint.base_url, patience_seconds=0.2)
    assert run_one(gateway, ask(0)).value == "A good answer."
    failure = run_one(gateway, ask(1)).failure
    assert failure is not None and failure.kind == "weather"
    with pytest.raises(EndpointDown):  # nothing was answered since
        run_one(gateway, ask(1))
    assert run_one(gateway, ask(2)).value == "A good answer."


def test_an_outage_is_waited_for_and_said_once(open_gateway: Open, endpoint: SayAnything, notices: list[str]) -> None:
    endpoint.say = lambda payload, nth: error(503) if nth < 40 else completion("A good answer.")
    outcomes = open_gateway(endpoint.base_url, max_concurrency=8).run([one(ask(i)) for i in range(30)])
    assert all(outcome.value for outcome in outcomes)
    assert len(notices) == 2
    assert "waiting up to 20 s" in notices[0]
    assert "answers again" in notices[1]


def test_patience_ends_and_a_later_run_may_succeed(open_gateway: Open, endpoint: SayAnything) -> None:
    endpoint.say = in_turn(error(503))
    gateway = open_gateway(endpoint.base_url, patience_seconds=0.1)
    with pytest.raises(EndpointDown, match="run again later"):
        gateway.run([one(ask(i)) for i in range(10)])
    endpoint.say = in_turn(completion("A good answer."))
    assert run_one(gateway, ask()).value == "A good answer."


def test_an_unreachable_endpoint_is_down(open_gateway: Open, endpoint: SayAnything) -> None:
    endpoint.close()
    with pytest.raises(EndpointDown, match="cannot be reached"):
        run_one(open_gateway(endpoint.base_url, patience_seconds=0.05), ask())


def test_an_address_that_is_no_url_is_bad_input(open_gateway: Open) -> None:
    with pytest.raises(InputError, match="OPENAI_BASE_URL"):
        run_one(open_gateway("localhost:8000"), ask())


def test_a_fault_in_a_reader_ends_the_run_but_the_reply_stays_on_record(
    open_gateway: Open, endpoint: SayAnything, log: MemoryLog
) -> None:
    def broken(text: str) -> Problem | None:
        raise ZeroDivisionError

    gateway = open_gateway(endpoint.base_url)
    with pytest.raises(ZeroDivisionError):
        run_one(gateway, ask(read=prose(broken)))
    assert log.rows[0]["reply"] == "A good answer."
    assert run_one(gateway, ask()).value == "A good answer."
    assert run_one(gateway, ask(), log.rows[:1]).calls[0].attempts == 1


def test_half_a_surrogate_pair_and_an_echoed_key_are_not_stored(
    open_gateway: Open, endpoint: SayAnything, log: MemoryLog
) -> None:
    endpoint.say = in_turn(completion(f"Half \ud83d of {KEY}."))
    text = run_one(open_gateway(endpoint.base_url), ask()).value
    assert text == log.rows[0]["reply"] == "Half ? of [key]."
