"""The model server itself, driven by the real openai client; its faults and its texts have tests of their own."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import openai
import pytest
from model_caller import KEY, ask, client, payload, question_payload, text
from model_faults import Faults
from model_replies import Payload
from model_server import ModelServer, payload_digest

from glan.replies import SubjectList


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer(api_key=KEY) as running:
        yield running


# --- the protocol


def test_an_answer_is_a_whole_chat_completion_with_usage_and_request_id(server: ModelServer) -> None:
    raw = client(server).chat.completions.with_raw_response.create(**payload("x" * 8_000))
    completion = raw.parse()
    assert raw.headers["x-request-id"] == "req-0"
    assert completion.choices[0].finish_reason == "stop"
    assert completion.usage.prompt_tokens == pytest.approx(2_000, abs=5)
    assert 0 < completion.usage.prompt_tokens_details.cached_tokens < completion.usage.prompt_tokens
    assert completion.usage.completion_tokens > 20


def test_models_are_listed(server: ModelServer) -> None:
    assert [model.id for model in client(server).models.list()] == ["test-model"]


def test_a_large_prompt_is_taken(server: ModelServer) -> None:
    assert text(server, payload("word " * 600_000))


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_a_reply_is_cut_at_the_token_limit(server: ModelServer, name: str) -> None:
    choice = ask(server, payload("Why is the sky blue?", **{name: 10})).choices[0]
    assert (choice.finish_reason, len(choice.message.content)) == ("length", 40)


def test_a_response_format_that_is_not_taken_is_named() -> None:
    body = payload("Go", schema=SubjectList)
    with ModelServer(structures={"json_object"}) as server:
        with pytest.raises(openai.BadRequestError, match="response_format") as caught:
            ask(server, body)
        assert caught.value.param == "response_format"
        assert json.loads(text(server, {**body, "response_format": {"type": "json_object"}}))


def test_streaming_is_refused_by_name(server: ModelServer) -> None:
    with pytest.raises(openai.BadRequestError, match="stream"):
        ask(server, payload("Go", stream=True))


# --- what is recorded


def test_calls_are_recorded_without_the_key(server: ModelServer) -> None:
    body = payload("Why?")
    said = text(server, body)
    with pytest.raises(openai.AuthenticationError):
        ask(server, body, key="sk-another-key-0123456789")
    first, second = server.calls
    assert (first.index, first.payload, first.fault, first.status, first.reply_text) == (0, body, None, 200, said)
    assert (first.headers["authorization"], second.headers["authorization"]) == ("matched", "other")
    assert second.status == 401
    assert "sk-" not in repr(server.calls)


def test_calls_are_counted_by_payload_and_status(server: ModelServer) -> None:
    one, other = payload("one"), payload("other")
    server.faults = Faults(when=lambda body, nth: "error_500" if body == one and nth == 0 else None)
    with pytest.raises(openai.InternalServerError):
        ask(server, one)
    ask(server, one)
    ask(server, other)
    assert server.count == 3
    assert server.count_by_payload() == {payload_digest(one): 2, payload_digest(other): 1}
    assert server.count_by_payload(status=200) == {payload_digest(one): 1, payload_digest(other): 1}


def test_reset_forgets_everything(server: ModelServer) -> None:
    body = payload("Why?", seed=None)
    first, second = text(server, body), text(server, body)
    server.reset()
    assert (server.count, server.calls, server.count_by_payload()) == (0, [], {})
    assert text(server, body) == first != second


def test_waiting_for_calls_ends_with_the_call_or_the_time(server: ModelServer) -> None:
    caller = threading.Thread(target=ask, args=(server, payload("Why?")))
    caller.start()
    server.wait_for_calls(1, timeout=20)
    caller.join()
    with pytest.raises(TimeoutError, match="1 calls arrived"):
        server.wait_for_calls(2, timeout=0.01)


def test_calls_above_the_limit_are_turned_away_and_change_no_later_reply() -> None:
    body = payload("Why?", seed=None)
    with ModelServer() as plain:
        expected = text(plain, body)
    with ModelServer(limit=1, faults=Faults(when=_hang_on_held, hang_seconds=60)) as server:
        held = threading.Thread(target=_expect_break, args=(server, payload("held")))
        held.start()
        server.wait_for_calls(1)
        with pytest.raises(openai.RateLimitError):
            ask(server, body)
        assert (server.in_flight_max, server.calls[1].fault, server.calls[1].status) == (2, "limit", 429)
        server.limit = None
        assert text(server, body) == expected
    held.join(10)
    assert not held.is_alive()


def _hang_on_held(body: Payload, nth: int) -> str | None:
    return "hang" if body["messages"][0]["content"] == "held" else None


def _expect_break(server: ModelServer, body: Payload) -> None:
    with pytest.raises(openai.APIConnectionError):
        ask(server, body)


# --- sameness


def test_a_payload_with_a_seed_always_gets_the_same_reply_in_any_order() -> None:
    bodies = [question_payload(index) for index in range(12)]
    with ModelServer(seed=3) as server:
        forwards = [text(server, body) for body in bodies]
        again = [text(server, body) for body in bodies]
    with ModelServer(seed=3) as server, ThreadPoolExecutor(6) as threads:
        backwards = list(threads.map(lambda body: text(server, body), reversed(bodies)))
    with ModelServer(seed=4) as server:
        elsewhere = text(server, bodies[0])
    assert forwards == again == backwards[::-1]
    assert elsewhere != forwards[0]


def test_without_a_seed_each_asking_draws_anew_unless_the_temperature_is_zero(server: ModelServer) -> None:
    warm, cold = payload("Why?", seed=None), payload("Why?", seed=None, temperature=0)
    assert text(server, warm) != text(server, warm)
    assert text(server, cold) == text(server, cold)


def test_rates_strike_the_same_calls_whatever_their_order() -> None:
    bodies = [payload(f"Explain item {index}.") for index in range(120)]
    faults = Faults(rate_limit=0.1, error_503=0.1, empty=0.1, refusal=0.1)

    def struck(order: list[Payload]) -> dict[str, str | None]:
        with ModelServer(seed=1, faults=faults) as server:
            for body in order:
                with suppress(openai.APIStatusError):
                    ask(server, body)
            return {call.digest: call.fault for call in server.calls}

    first = struck(bodies)
    assert first == struck(bodies[::-1])
    assert set(first.values()) == {None, "rate_limit", "error_503", "empty", "refusal"}
    assert 25 <= sum(fault is not None for fault in first.values()) <= 75


# --- as a process


def test_as_a_process_it_serves_until_it_is_told_to_stop() -> None:
    script = Path(__file__).parent / "support" / "model_server.py"
    command = [sys.executable, str(script), "--latency", "0.001", "--latency-sigma", "0.5", "--fault", "error_500=1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        with (
            pytest.raises(openai.InternalServerError),
            openai.OpenAI(api_key="k", base_url=url, max_retries=0) as caller,
        ):
            caller.chat.completions.create(**payload("Why?"))
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


def test_a_port_that_is_taken_is_an_error(server: ModelServer) -> None:
    port = int(server.base_url.split(":")[2].split("/")[0])
    with pytest.raises(OSError), ModelServer(port=port):
        pass
