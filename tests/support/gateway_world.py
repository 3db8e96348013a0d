"""What the gateway's tests share: requests, a log in memory, and a server that says anything."""

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from glan.gateway.gateway import Gateway, Pace
from glan.gateway.prices import Cost, Prices
from glan.gateway.reading import prose
from glan.gateway.requests import Conversation, Outcome, Reader, Request
from glan.models import ModelProfile
from glan.prompts import PromptStamp
from glan.records import SCHEMAS

KEY = "sk-test-0123456789abcdef"
QUICK = Pace(first_wait_seconds=0.002, longest_wait_seconds=0.02)


def ask(
    index: int = 0, text: str = "Explain item", read: Reader | None = None, schema: Any = None, **profile: Any
) -> Request:
    """A request that differs from others by `index`."""
    return Request(
        stage="answers", discipline_id="physics", unit="physics.heat.0-20", unit_key="f" * 64, node="physics/heat 0-20",
        prompt=PromptStamp("answer", 1, "d" * 64), messages=[{"role": "user", "content": f"{text} {index}."}],
        profile=ModelProfile(**{"model": "teacher", "max_tokens": 400} | profile), read=read or prose(),
        sample_index=index, seed=1_000 + index, schema=schema,
    )  # fmt: skip


def one(request: Request) -> Conversation:
    """A conversation of one call, whose value is the call's."""
    call = yield request
    return call.value


class MemoryLog:
    """The call log's part in the tests: rows are checked to be rows of the calls table."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self.backlog = 0
        self.refused = False
        self.waited = threading.Event()
        self._lock = threading.Lock()

    def append(self, row: dict[str, Any]) -> None:
        assert row.keys() == set(SCHEMAS["calls"].names) - {"writer"}
        with self._lock:
            self.rows.append(row)

    def wait(self) -> None:
        self.backlog = 0
        self.refused = False
        self.waited.set()

    def kinds(self) -> list[str | None]:
        return [row["error_kind"] for row in self.rows]


class PricesOf(Prices):
    """Prices by a function, for whatever model."""

    def __init__(self, cost: Cost) -> None:
        super().__init__()
        self.cost = self.batch_cost = cost  # type: ignore[method-assign]

    def source(self, model: str) -> str | None:
        return "test"


class MemoryHistory:
    """What an earlier process left behind."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self._rows = rows

    def __contains__(self, request_key: str) -> bool:
        return any(row["request_key"] == request_key for row in self._rows)

    def attempts(self, request_key: str) -> list[dict[str, Any]]:
        return [{**row, "writer": "w"} for row in self._rows if row["request_key"] == request_key]


Answer = tuple[int, dict[str, str], bytes]
HANGS_UP: Answer = (0, {}, b"")
"""The connection is closed before any answer."""


class SayAnything:
    """A real HTTP server that answers with whatever `say(payload, nth)` returns; nth counts all calls from 0."""

    def __init__(self) -> None:
        self.say: Callable[[dict[str, Any], int], Answer] = lambda payload, nth: completion("A good answer.")
        self.payloads: list[dict[str, Any]] = []
        self._lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # headers and body in one packet

            def do_POST(self) -> None:
                payload = json.loads(self.rfile.read(int(self.headers["content-length"])))
                with outer._lock:
                    nth = len(outer.payloads)
                    outer.payloads.append(payload)
                status, headers, content = outer.say(payload, nth)
                if not status:
                    self.close_connection = True
                    return
                self.send_response(status)
                usual = {"content-type": "application/json", "x-request-id": f"req-{nth}"}
                for name, value in (usual | headers).items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            def handle_error(self, request: Any, client_address: Any) -> None:
                """A client that hangs up is no news."""

            daemon_threads = True
            request_queue_size = 256

        self._server = Server(("127.0.0.1", 0), Handler)
        self.base_url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def completion(content: Any, finish_reason: str | None = "stop", usage: Any = "counted", **message: Any) -> Answer:
    """A chat completion around `content`."""
    body: dict[str, Any] = {
        "id": "c", "object": "chat.completion", "model": "teacher",
        "choices": [{"index": 0, "finish_reason": finish_reason, "message": {"role": "assistant", "content": content} | message}],
    }  # fmt: skip
    if usage == "counted":
        usage = {"prompt_tokens": 100, "completion_tokens": 50, "prompt_tokens_details": {"cached_tokens": 40}}
    return 200, {}, json.dumps(body | ({"usage": usage} if usage else {})).encode()


def error(status: int, message: str = "no", headers: dict[str, str] | None = None, **fields: Any) -> Answer:
    """An error as OpenAI words it."""
    return status, headers or {}, json.dumps({"error": {"message": message} | fields}).encode()


def in_turn(*answers: Answer) -> Callable[[dict[str, Any], int], Answer]:
    """The answers one after another, then the last for ever."""
    return lambda payload, nth: answers[min(nth, len(answers) - 1)]


def run_one(gateway: Gateway, request: Request, rows: list[dict[str, Any]] | None = None) -> Outcome:
    """What becomes of one request, with these rows on record."""
    return gateway.run([one(request)], MemoryHistory(rows) if rows is not None else None)[0]
