"""A model server for tests and benches: OpenAI-compatible over real HTTP, plausible texts, faults on order.

Every reply is a pure function of the server's seed and the payload; if the temperature is above zero and the payload
has no `seed`, also of how often that payload was asked. It never depends on the order in which calls arrive.
Like a real one it cuts off at `max_tokens` (a token is four characters) with finish_reason `length`.

    with ModelServer(faults=Faults(rate_limit=0.1)) as server: ...          # in a test
    python tests/support/model_server.py --port 8000 --latency 0.5 --fault error_500=0.01
"""

import argparse
import asyncio
import hashlib
import math
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import orjson
import uvloop
from aiohttp import web
from model_batches import Batches, Carried
from model_delivery import UNDELIVERED, delivered
from model_faults import ERRORS, RATED, Faults, error_of, spoiled
from model_mangled import mangled
from model_replies import Asked, Payload, asks_question, reply_text
from model_wire import completion, error_body, within_limit

STRUCTURES = frozenset({"json_schema", "json_object"})


@dataclass(frozen=True, slots=True)
class Received:
    """A call, and what the server decided to do with it. Status 0: no answer, or none that is whole."""

    index: int
    payload: Payload
    digest: str
    nth: int
    headers: dict[str, str]  # authorization only as matched, other or missing
    fault: str | None
    status: int
    reply_text: str
    at: float  # Unix time


@dataclass(frozen=True, slots=True)
class _Answer:
    fault: str | None
    status: int
    body: bytes
    text: str = ""
    headers: Mapping[str, str] | None = None


def payload_digest(payload: Payload) -> str:
    """What identifies a payload in `count_by_payload`."""
    return hashlib.sha256(orjson.dumps(payload, option=orjson.OPT_SORT_KEYS)).hexdigest()


class ModelServer:
    """Runs in its own thread with its own event loop while the context is open.

    `limit`: calls in flight above which it answers 429. `structures`: the kinds of response_format it takes; others
    get a 400. `api_key`: the only one it takes (None: any). `latency`: median seconds per call, log-normally spread by
    `latency_sigma`. `record=False` keeps counts but no payloads, for long benches. `says`: what it answers to a payload,
    where that is not None.
    """

    def __init__(
        self, *, seed: int = 0, faults: Faults | None = None, latency: float = 0.0, latency_sigma: float = 0.0,
        limit: int | None = None, structures: Iterable[str] = STRUCTURES, api_key: str | None = None,
        model: str = "test-model", port: int = 0, record: bool = True, says: Callable[[Payload], str | None] | None = None,
    ) -> None:  # fmt: skip
        self.faults = faults or Faults()
        self.says = says
        self.latency = latency
        self.latency_sigma = latency_sigma
        self.limit = limit
        self.structures = frozenset(structures)
        self.batches = Batches(self._carry_out, seed)
        self.in_flight = 0
        self.in_flight_max = 0
        self.count = 0
        self._seed = seed
        self._api_key = api_key
        self._model = model
        self._port = port
        self._record = record
        self._changed = threading.Condition()
        self._calls: list[Received] = []
        self._seen: Counter[str] = Counter()  # by payload: calls that were judged, so not those over the limit
        self._statuses: dict[int, Counter[str]] = {}
        self._started: Future[int] = Future()
        self._thread = threading.Thread(target=self._run, name="model-server", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._port = self._started.result()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._port}/v1"

    @property
    def calls(self) -> list[Received]:
        """All calls so far, in order of arrival."""
        with self._changed:
            return list(self._calls)

    def count_by_payload(self, status: int | None = None) -> Counter[str]:
        """Calls by payload digest: all of them, or those of one status (200: what was paid for).

        A call whose caller left before the answer counts with the status it was to get.
        """
        with self._changed:
            chosen = self._statuses.items() if status is None else [(status, self._statuses.get(status, Counter()))]
            return sum((counts for _, counts in chosen), Counter())

    def wait_for_calls(self, count: int, timeout: float = 30.0) -> None:
        """Wait until so many calls have arrived.

        Raises:
            TimeoutError: they have not.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self.count >= count, timeout):
                raise TimeoutError(f"{self.count} calls arrived within {timeout:g} s, not {count}")

    def calls_after_a_kill(self, quiet: float = 0.5) -> list[Received]:
        """All calls, once those have arrived that a killed caller had already put on the wire.

        Whether any is left nobody can know: it waits until none has arrived for `quiet` seconds.
        """
        with self._changed:
            while self._changed.wait(quiet):
                pass
            return list(self._calls)

    def reset(self) -> None:
        """Forget all calls, as if the server had just started."""
        with self._changed:
            self._calls.clear()
            self._seen.clear()
            self._statuses.clear()
            self.count = 0
            self.in_flight_max = self.in_flight

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            try:
                runner.run(self._serve())
            except BaseException as error:  # a port that is taken concerns whoever opens the context
                if self._started.done():
                    raise
                self._started.set_exception(error)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        server = web.Server(self._handle, handler_cancellation=True)
        runner = web.ServerRunner(server, shutdown_timeout=0.01, access_log=None)  # 0 would wait for calls that hang
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", self._port, backlog=4096).start()
            self._started.set_result(runner.addresses[0][1])
            await self._stop.wait()
        finally:
            await runner.cleanup()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path == "/v1/models" and request.method == "GET":
            return _json(200, orjson.dumps({"object": "list", "data": [{"id": self._model, "object": "model"}]}))
        if self.batches.concerns(request.path):
            return await self._answer_batches(request)
        if request.path != "/v1/chat/completions" or request.method != "POST":
            return _json(404, error_body({"message": f"no such address: {request.method} {request.path}"}))
        try:
            payload = orjson.loads(await request.content.read())  # request.read() refuses more than 1 MB
        except orjson.JSONDecodeError:
            return _json(400, error_body({"message": "the body is not JSON"}))
        self.in_flight += 1
        try:
            return await self._respond(request, payload)
        finally:
            self.in_flight -= 1

    async def _answer_batches(self, request: web.BaseRequest) -> web.StreamResponse:
        if self._api_key is not None and self._authorization(request.headers) != "matched":
            return _json(401, self._error("unauthorized").body)
        return await self.batches.answer(request)

    def _carry_out(self, payload: Payload, headers: Mapping[str, str]) -> Carried:
        """A call that came in a batch."""
        received, answer = self._receive(payload, headers)
        return answer.status or 500, answer.body, f"req-{received.index}"

    async def _respond(self, request: web.BaseRequest, payload: Payload) -> web.StreamResponse:
        received, answer = self._receive(payload, request.headers)
        if answer.fault != "limit" and self.latency:
            await asyncio.sleep(self._latency_of(received))
        headers = {"x-request-id": f"req-{received.index}", **(answer.headers or {})}
        return await delivered(
            request, answer.fault, answer.status, answer.body, headers, seconds=self.faults.hang_seconds
        )

    def _receive(self, payload: Payload, headers: Mapping[str, str]) -> tuple[Received, _Answer]:
        """Decide at arrival, so that what happens meanwhile cannot change the answer."""
        digest = payload_digest(payload)
        with self._changed:
            self.in_flight_max = max(self.in_flight_max, self.in_flight)
            nth = self._seen[digest]
            answer = self._decide(payload, digest, nth, self._authorization(headers))
            if answer.fault != "limit":
                self._seen[digest] += 1
            seen_headers = {name: headers.get(name, "") for name in ("user-agent", "x-stainless-retry-count")}
            seen_headers["authorization"] = self._authorization(headers)
            received = Received(
                self.count, payload, digest, nth, seen_headers, answer.fault, answer.status, answer.text, time.time()
            )
            if self._record:
                self._calls.append(received)
            self._statuses.setdefault(answer.status, Counter())[digest] += 1
            self.count += 1
            self._changed.notify_all()
        return received, answer

    def _authorization(self, headers: Mapping[str, str]) -> str:
        given = headers.get("Authorization")
        if given is None:
            return "missing"
        return "matched" if self._api_key is None or given == f"Bearer {self._api_key}" else "other"

    def _decide(self, payload: Payload, digest: str, nth: int, authorization: str) -> _Answer:
        if self.limit is not None and self.in_flight > self.limit:
            return self._error("limit")
        if self._api_key is not None and authorization != "matched":
            return self._error("unauthorized")
        refused = self._refused_parameter(payload)
        if refused:
            message = f"{refused} is not supported by this server."
            fields = {"message": message, "type": "invalid_request_error", "param": refused.split()[0], "code": None}
            return _Answer(None, 400, error_body(fields))
        try:
            return self._reply(payload, digest, nth)
        except Exception as error:  # of a script, or a payload that makes no sense: say so at once, as no weather
            fields = {"message": f"the model server cannot answer this: {error!r}", "type": "forbidden", "code": None}
            return _Answer(None, 403, error_body(fields))

    def _refused_parameter(self, payload: Payload) -> str | None:
        kind = (payload.get("response_format") or {}).get("type", "text")
        if kind != "text" and kind not in self.structures:
            return f"response_format of type {kind}"
        return "stream" if payload.get("stream") else None

    def _reply(self, payload: Payload, digest: str, nth: int) -> _Answer:
        kind = self.faults.kind(payload, nth, f"fault {self._seed} {digest} {nth}")
        if kind in ERRORS:
            return self._error(kind)
        asked = Asked(payload)
        if kind == "duplicate" and not asks_question(asked):
            kind = None
        if kind in ("truncated_json", "wrong_schema") and asked.schema is None:
            kind = None
        draws = payload.get("seed") is None and payload.get("temperature", 1) != 0
        scripted = self.says(payload) if self.says else None
        seed = f"{self._seed} {digest} {nth if draws else 0}"
        text = reply_text(asked, seed, f"{self._seed}", kind == "duplicate") if scripted is None else scripted
        text, finish = spoiled(text, kind, digest)
        text, finish = within_limit(text, finish, payload)
        sent = mangled(kind, completion(payload, asked, text, finish, f"{digest[:24]}-{nth}"))
        return _Answer(kind, 0 if kind in UNDELIVERED else sent.status, sent.body, text, sent.headers)

    def _error(self, kind: str) -> _Answer:
        status, fields = error_of(kind, self.faults)
        headers = {"Retry-After": self.faults.retry_after} if kind == "rate_limit_after" else None
        return _Answer(kind, status, error_body(fields), headers=headers)

    def _latency_of(self, received: Received) -> float:
        spread = random.Random(f"latency {self._seed} {received.digest} {received.nth}")
        return spread.lognormvariate(math.log(self.latency), self.latency_sigma)


def _json(status: int, body: bytes, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.Response(status=status, body=body, content_type="application/json", headers=headers)


def _main() -> None:
    parser = argparse.ArgumentParser(description="An OpenAI-compatible model server that invents its replies.")
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--latency", type=float, default=0.0, help="median seconds per call")
    parser.add_argument("--latency-sigma", type=float, default=0.0, help="spread of its logarithm")
    parser.add_argument("--limit", type=int, default=None, help="calls in flight above which it answers 429")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--fault", action="append", default=[], metavar="KIND=RATE", help=", ".join(RATED))
    parser.add_argument("--retry-after", default="1", help="seconds or an HTTP date, for rate_limit_after")
    parser.add_argument("--hang-seconds", type=float, default=3600.0)
    options = parser.parse_args()
    rates: dict[str, Any] = {}
    for kind, _, rate in (given.partition("=") for given in options.fault):
        if kind not in RATED:
            parser.error(f"--fault {kind}: there are {', '.join(RATED)}")
        rates[kind] = float(rate)
    faults = Faults(**rates, retry_after=options.retry_after, hang_seconds=options.hang_seconds)
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    with ModelServer(
        seed=options.seed, faults=faults, latency=options.latency, latency_sigma=options.latency_sigma,
        limit=options.limit, port=options.port, record=False,
    ) as server:  # fmt: skip
        print(server.base_url, flush=True)
        ended.wait()


if __name__ == "__main__":
    _main()
