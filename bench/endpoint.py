"""A model server for measurements: OpenAI-compatible, and so cheap that it is never what a measurement is limited by.

A process of its own, pinned to a core. What it writes suits each call of the pipeline and depends on the call alone.

    with running(latency=0.5, sigma=0.3, core=0) as endpoint: ...              # in a measurement
    python -m bench.endpoint --port 8000 --latency 0.5 --sigma 0.3             # by hand

GET /stats tells what came and when, GET /bodies how questions and answers were asked for; POST /reset forgets both.
"""

import argparse
import asyncio
import json
import math
import os
import random
import subprocess
import sys
import time
import urllib.request
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast

import uvloop
from model_replies import Asked, reply_text
from model_texts import Author
from model_wire import completion

ROOT = Path(__file__).resolve().parent.parent

_POOL = 512  # ready answers, and as many ready questions where nothing else is said
_LATENCIES = 4096
_BODIES = 256  # kept of each kind, for others to send again
_TAIL = 500  # bytes of a body that hold the end of its last message
_WRITES_ITSELF = (b"different subjects, each with", b"Write the syllabus.")


@dataclass
class Stats:
    """What came since the start or the last reset. Times are Unix seconds, in the order in which they happened."""

    kinds: dict[str, int] = field(default_factory=dict)  # question, answer, other: calls that were let in
    received: list[float] = field(default_factory=list)  # when each of them arrived
    answered: list[float] = field(default_factory=list)  # when its answer was sent
    refused: list[float] = field(default_factory=list)  # when a call was over the limit (429)
    in_flight: int = 0
    in_flight_most: int = 0

    def rate(self, first: float = 0.05, last: float = 0.95) -> float:
        """Answers a second, between these shares of all answers: without the start and the tail of a run."""
        begin, end = int(first * len(self.answered)), int(last * len(self.answered)) - 1
        return (end - begin) / (self.answered[end] - self.answered[begin])


@dataclass(frozen=True)
class Endpoint:
    """A running server."""

    base_url: str
    process: int

    def stats(self) -> Stats:
        """What came since the last reset."""
        return Stats(**self._get("stats"))

    def bodies(self, kind: str) -> list[dict[str, Any]]:
        """Some bodies in which a `question` or an `answer` was asked for since the last reset."""
        found: list[dict[str, Any]] = self._get("bodies")[kind]
        return found

    def reset(self) -> None:
        """Forget what came."""
        self._get("reset", b"")

    def _get(self, path: str, body: bytes | None = None) -> Any:
        with urllib.request.urlopen(f"{self.base_url.removesuffix('/v1')}/{path}", body, timeout=60) as answer:
            return json.load(answer)


@contextmanager
def running(
    *,
    latency: float = 0.0,
    sigma: float = 0.0,
    limit: int | None = None,
    rate: float | None = None,
    says_when: bool = False,
    core: int | None = None,
    questions: int = _POOL,
) -> Iterator[Endpoint]:
    """The server in a process of its own while the block runs; see the command's options."""
    options = {
        "latency": latency,
        "sigma": sigma,
        "limit": limit,
        "rate": rate,
        "core": core,
        "questions": questions,
    }
    given = [f"--{name}={value}" for name, value in options.items() if value is not None]
    given += ["--says-when"] if says_when else []
    process = subprocess.Popen([sys.executable, "-m", "bench.endpoint", *given], cwd=ROOT, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        base_url = process.stdout.readline().decode().strip()
        if not base_url:
            raise SystemExit("the endpoint did not start")
        yield Endpoint(base_url, process.pid)
    finally:
        process.kill()
        process.wait()


class Server:
    """All connections together: what is answered, when, and what has come."""

    def __init__(
        self,
        latency: float,
        sigma: float,
        limit: int | None,
        rate: float | None = None,
        says_when: bool = False,
        questions: int = _POOL,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._limit = limit
        self._meter = Meter(rate, self._loop.time()) if rate else None
        self._says_when = says_when
        draw = random.Random(0)
        self._latencies = [draw.lognormvariate(math.log(latency), sigma) if latency else 0.0 for _ in range(_LATENCIES)]
        self._calls = 0
        self._ready = {
            "question": [_ready(Author(f"question {number}").question()) for number in range(questions)],
            "answer": [_ready(Author(f"answer {number}").prose()) for number in range(_POOL)],
        }
        self._forget()

    def _forget(self) -> None:
        self._stats = Stats()
        self._bodies: dict[str, list[bytes]] = {kind: [] for kind in self._ready}

    def take(self, head: bytes, body: bytes, transport: asyncio.Transport) -> None:
        """Answer one HTTP request: at once, or a call when its time has come."""
        target = head[: head.find(b"\r\n")].split(b" ")[1]
        if target == b"/v1/chat/completions":
            self._call(body, transport)
        elif target == b"/stats":
            transport.write(_response(200, json.dumps(asdict(self._stats)).encode()))
        elif target == b"/bodies":
            bodies = {kind: [json.loads(body) for body in kept] for kind, kept in self._bodies.items()}
            transport.write(_response(200, json.dumps(bodies).encode()))
        elif target == b"/reset":
            self._forget()
            transport.write(_response(200, b"{}"))
        else:
            transport.write(_response(404, b'{"error": {"message": "no such address"}}'))

    def _call(self, body: bytes, transport: asyncio.Transport) -> None:
        stats = self._stats
        full = self._limit is not None and stats.in_flight >= self._limit
        wait = self._meter.wait(self._loop.time()) if self._meter and not full else 0.0
        if full or wait:
            stats.refused.append(time.time())
            header = f"Retry-After: {math.ceil(wait)}\r\n" if self._says_when and wait else ""
            transport.write(
                _response(429, b'{"error": {"message": "too many calls", "code": "rate_limit"}}', None, header)
            )
            return
        kind = _kind(body)
        stats.kinds[kind] = stats.kinds.get(kind, 0) + 1
        stats.received.append(time.time())
        stats.in_flight += 1
        stats.in_flight_most = max(stats.in_flight_most, stats.in_flight)
        if kind == "other":
            answer = _written(body)
        else:
            if len(self._bodies[kind]) < _BODIES:
                self._bodies[kind].append(body)
            ready = self._ready[kind]
            answer = ready[zlib.crc32(body) % len(ready)] % (len(body) // 4)
        self._calls += 1
        seconds = self._latencies[self._calls % _LATENCIES]
        self._loop.call_later(seconds, self._answer, stats, answer, transport)

    def _answer(self, stats: Stats, answer: bytes, transport: asyncio.Transport) -> None:
        stats.in_flight -= 1
        stats.answered.append(time.time())
        if not transport.is_closing():
            transport.write(answer)


class Meter:
    """So many calls a second, and a second's worth at once."""

    def __init__(self, rate: float, now: float) -> None:
        self._rate = self._level = rate
        self._seen = now

    def wait(self, now: float) -> float:
        """0 if a call may come now, which is then counted; else seconds until one may."""
        self._level = min(self._rate, self._level + (now - self._seen) * self._rate)
        self._seen = now
        if self._level < 1:
            return (1 - self._level) / self._rate
        self._level -= 1
        return 0.0


class Connection(asyncio.Protocol):
    """One client's connection: just enough of HTTP/1.1 for bodies of a known length, one request after another."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep where answers go."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Take the requests that are whole."""
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            head = self._received[:end]
            stop = end + 4 + _length(head)
            if len(self._received) < stop:
                return
            body, self._received = self._received[end + 4 : stop], self._received[stop:]
            self._server.take(head, body, self._transport)


def _length(head: bytes) -> int:
    _, found, after = head.lower().partition(b"\ncontent-length:")
    return int(after.partition(b"\r")[0]) if found else 0


def _kind(body: bytes) -> str:
    """By the end of the last message; the parameters that follow it are short."""
    if b'"response_format"' in body:
        return "other"
    tail = body[-_TAIL:]
    if b"\\nWrite one question" in tail:
        return "question"
    return "other" if any(words in tail for words in _WRITES_ITSELF) else "answer"


def _written(body: bytes) -> bytes:
    """Subjects, syllabi and whatever a schema asks for, as the test suite's model server writes them."""
    payload = json.loads(body)
    asked = Asked(payload)
    text = reply_text(asked, f"{zlib.crc32(body)}", "0", False)
    return _response(200, completion(payload, asked, text, "stop", f"{zlib.crc32(body)}"))


def _ready(text: str) -> bytes:
    """A whole response in which only the number of prompt tokens is still to be filled in, in as many bytes as any."""
    whole = completion({"model": "bench"}, Asked({}), text, "stop", "bench").replace(b"%", b"%%")
    body = whole.replace(b'"prompt_tokens":1,', b'"prompt_tokens":%7d,', 1)
    return _response(200, body, len(body % 0))


def _response(status: int, body: bytes, length: int | None = None, header: str = "") -> bytes:
    known = len(body) if length is None else length
    head = f"HTTP/1.1 {status} \r\nContent-Type: application/json\r\n{header}Content-Length: {known}\r\n\r\n"
    return head.encode() + body


async def _serve(given: argparse.Namespace) -> None:
    server = Server(given.latency, given.sigma, given.limit, given.rate, given.says_when, given.questions)
    listening = await asyncio.get_running_loop().create_server(
        lambda: Connection(server), "127.0.0.1", given.port, backlog=4096
    )
    print(f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/v1", flush=True)
    await listening.serve_forever()


def main() -> None:
    """Serve until killed."""
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--port", type=int, default=0, help="0: any free one")
    options.add_argument("--latency", type=float, default=0.0, help="median seconds of a call")
    options.add_argument("--sigma", type=float, default=0.0, help="spread of its logarithm")
    options.add_argument("--limit", type=int, help="calls in flight above which it answers 429")
    options.add_argument("--rate", type=float, help="calls a second above which it answers 429")
    options.add_argument("--says-when", action="store_true", help="with Retry-After")
    options.add_argument("--questions", type=int, default=_POOL, help="how many different ones it has ready")
    options.add_argument("--core", type=int, help="the core to run on")
    given = options.parse_args()
    if given.core is not None:
        os.sched_setaffinity(0, {given.core})
    uvloop.run(_serve(given))


if __name__ == "__main__":
    main()
