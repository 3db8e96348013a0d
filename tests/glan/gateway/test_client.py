"""Small matters of the adapter: plain functions, and one connection to a server of three lines."""

import asyncio
import datetime
import json
import re
from typing import Any

import pytest
from model_server import ModelServer

from glan.gateway.answers import Fault, Reply
from glan.gateway.client import Client, retry_after
from glan.gateway.terms import Endpoint, Pace

NOW = datetime.datetime(2026, 11, 23, 12, 0, tzinfo=datetime.UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "12"}, 12.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after-ms": "250", "retry-after": "12"}, 0.25),
        ({"retry-after": "Mon, 23 Nov 2026 12:00:30 GMT"}, 30.0),
        ({"retry-after": "Mon, 23 Nov 2026 11:00:00 GMT"}, 0.0),
        ({"retry-after": "Mon, 23 Nov 2026 12:00:30 -0000"}, 30.0),
        ({"retry-after": "Mon, 23 Nov 2026 13:00:30 GMT", "date": "Mon, 23 Nov 2026 13:00:10 GMT"}, 20.0),
        ({"retry-after": "Mon, 23 Nov 2026 12:00:30 GMT", "date": "today"}, 30.0),
        ({"retry-after": "-3"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "Thu, 01 Jan 99999999999999999999 00:00:00 GMT"}, None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers, NOW) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "Incorrect API key provided: sk-proj-abc***xyz9.",
        "Bearer abcdefgh is wrong",
        "the key azure0123456789key is wrong",
        "gsk_0123456789abcdef",
        "AIzaSyA0123456789",
    ],
)
def test_a_message_loses_whatever_looks_like_a_key(text: str) -> None:
    scrubbed = Client(Endpoint("http://127.0.0.1:1/v1", "azure0123456789key")).scrubbed(text)
    assert "[key]" in scrubbed
    assert not any(secret in scrubbed for secret in ("abc", "0123456789", "abcdefgh"))


def test_a_message_is_one_short_line() -> None:
    scrubbed = Client(Endpoint("http://127.0.0.1:1/v1", "")).scrubbed("a\nb " * 10_000)
    assert "\n" not in scrubbed
    assert len(scrubbed) <= 300


def test_the_host_is_shown_without_credentials() -> None:
    assert Endpoint("https://user:secret@example.org:8000/v1", "k").host == "example.org:8000"


def test_waits_double_up_to_the_longest() -> None:
    pace = Pace(first_wait_seconds=1, longest_wait_seconds=10)
    assert [pace.wait(n) for n in (0, 1, 2, 3, 4, 10_000)] == [1, 2, 4, 8, 10, 10]


@pytest.mark.parametrize(
    ("sent", "received", "counted"),
    [
        (12, 5, (12, 5)),
        (12.0, "5", (12, 5)),  # proxies that pass through what they do not know
        (0, 0, (0, 0)),
        (-1, 5, (None, None)),
        (12.5, 5, (None, None)),
        (True, 5, (None, None)),
        ("12 tokens", 5, (None, None)),
        ("9" * 400, 5, (None, None)),
        (None, 5, (None, None)),
    ],
)
def test_tokens_count_as_soon_as_they_are_whole_numbers(
    sent: Any, received: Any, counted: tuple[int | None, int | None]
) -> None:
    message = {"role": "assistant", "content": "Yes."}
    given = {
        "choices": [{"message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": sent, "completion_tokens": received},
    }
    reply = Client(Endpoint("http://127.0.0.1:1/v1", "")).read(given, 200, {})
    assert isinstance(reply, Reply)
    assert (reply.prompt_tokens, reply.completion_tokens) == counted


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (400, [{"error": {"code": 400, "message": "API key not valid."}}], (400, "API key not valid.")),  # Gemini
        (200, {"error": {"code": 429, "message": "Slow down."}}, (429, "Slow down.")),
        (200, {"error": {"code": "429", "message": "Slow down."}}, (429, "Slow down.")),
        (200, {"error": {"code": "4290", "message": "Slow down."}}, (200, "Slow down.")),
    ],
)
def test_an_error_is_found_however_it_is_wrapped(status: int, body: Any, expected: tuple[int, str]) -> None:
    fault = Client(Endpoint("http://127.0.0.1:1/v1", "")).read(body, status, {})
    assert isinstance(fault, Fault)
    assert (fault.status, fault.message) == expected


def test_what_arrives_on_an_idle_connection_is_not_taken_for_the_next_answer() -> None:
    said_again = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while request := await _request(reader):
            text = request["messages"][0]["content"]
            writer.write(_response(text))
            await asyncio.sleep(0.05)
            writer.write(_response(text))
            said_again.set()

    async def two_questions() -> list[Reply | Fault]:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        client = Client(Endpoint(f"http://127.0.0.1:{port}/v1", "k"))
        replies = []
        for text in ("one", "two"):
            replies.append(await client.ask({"messages": [{"role": "user", "content": text}]}, 20.0))
            await said_again.wait()
            await asyncio.sleep(0.05)  # until it has arrived
        await client.close()
        server.close()
        return replies

    replies = asyncio.run(two_questions())
    assert [reply.text for reply in replies if isinstance(reply, Reply)] == ["one", "two"]


def test_an_answer_without_end_is_given_up_before_it_fills_the_memory() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"%x\r\n%s\r\n" % (1 << 20, b" " * (1 << 20)))
            await writer.drain()

    async def asked() -> Reply | Fault:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        client = Client(Endpoint(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", "k"))
        answer = await client.ask({"messages": [{"role": "user", "content": "Why?"}]}, 60.0)
        await client.close()
        server.close()
        return answer

    answer = asyncio.run(asked())
    assert isinstance(answer, Fault)
    assert answer.message == "an answer of more than 32 MB"


def test_a_line_without_end_costs_none_of_those_before_it() -> None:
    good = b'{"custom_id": "1"}\n{"custom_id": "2"}\n'

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        body = good + b" " * (33 << 20)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))

    async def fetched() -> list[bytes | Fault]:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        client = Client(Endpoint(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", "k"))
        lines = [line async for line in client.lines("/files/f/content", 60.0)]
        await client.close()
        server.close()
        return lines

    *lines, last = asyncio.run(fetched())
    assert lines == good.splitlines()
    assert isinstance(last, Fault)
    assert last.message == "a line of more than 32 MB"


async def _request(reader: asyncio.StreamReader) -> Any:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    length = int(re.search(rb"content-length: (\d+)", head.lower())[1])  # type: ignore[index]
    return json.loads(await reader.readexactly(length))


def _response(text: str) -> bytes:
    body = json.dumps({"choices": [{"message": {"content": text}, "finish_reason": "stop"}]}).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


@pytest.mark.parametrize(("exempt", "answered"), [("", True), ("nowhere.invalid", False)])
def test_calls_go_through_the_proxy_of_the_environment(
    exempt: str, answered: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def through(proxy: str) -> Reply | Fault:
        monkeypatch.setenv("http_proxy", proxy)
        monkeypatch.setenv("no_proxy", exempt)
        client = Client(Endpoint("http://nowhere.invalid/v1", ""))
        try:
            return await client.ask({"model": "teacher", "messages": [{"role": "user", "content": "Why?"}]}, 10)
        finally:
            await client.close()

    with ModelServer() as server:
        reply = asyncio.run(through(server.base_url.removesuffix("/v1")))
        assert isinstance(reply, Reply) == answered
        assert server.count == answered
