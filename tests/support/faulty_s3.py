"""A proxy before an S3 server that does to single requests what stores, networks and clouds do on bad days.

with FaultyS3(server.port) as proxy:
    proxy.when = lambda request: "busy" if request.method == "PUT" else None
"""

import http.client
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_ERRORS = {
    "busy": (503, "SlowDown"),
    "failing": (500, "InternalError"),
    "expired": (400, "ExpiredToken"),
    "denied": (403, "AccessDenied"),
    "full": (507, "XMinioStorageFull"),
}
_HOP_BY_HOP = frozenset({"connection", "transfer-encoding", "content-length", "date", "server"})


@dataclass(frozen=True, slots=True)
class Asked:
    """A request on its way to the server; `key` is the object's, without the bucket."""

    number: int
    method: str
    key: str
    lists: bool


@dataclass(slots=True)
class _Answer:
    status: int
    reason: str
    headers: list[tuple[str, str]]
    body: bytes


class FaultyS3:
    """`when(request)` names what happens to a request, or None. Called from many threads, one at a time.

    busy, failing, expired, denied, full: an error instead of the answer. astray: the 404 of a proxy. refused: the connection is closed at once.
    lost: carried out, and the connection closed instead of an answer. late: carried out, and answered after
    `slow_seconds`. slow: carried out after `slow_seconds`. cut: half of the body, then the connection is closed.
    old: of a listing, what it said `lag` listings before, or nothing at first.
    """

    def __init__(self, port: int, slow_seconds: float = 0.3) -> None:
        self.when: Callable[[Asked], str | None] = lambda request: None
        self.struck: Counter[str] = Counter()
        self.slow_seconds = slow_seconds
        self._lock = threading.Lock()
        self._count = 0
        self._listings: dict[str, _Answer] = {}
        self._server = _Server(self, port)
        self.port: int = self._server.server_address[1]

    def __enter__(self) -> "FaultyS3":
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def fault(self, method: str, path: str) -> str | None:
        """What is to happen to the next request."""
        key, _, query = path.partition("?")
        with self._lock:
            asked = Asked(self._count, method, key.lstrip("/").partition("/")[2], "list-type=2" in query)
            self._count += 1
            kind = self.when(asked)
            if kind is not None:
                self.struck[kind] += 1
            return kind

    def older(self, path: str, answer: _Answer) -> _Answer:
        """What this listing said the last time that it was not an old one; the first time, that there is nothing."""
        with self._lock:
            return self._listings.get(path) or _Answer(200, "OK", answer.headers, _EMPTY)

    def remember(self, path: str, answer: _Answer) -> None:
        """The answer of a listing, for one that is to be old."""
        with self._lock:
            self._listings[path] = answer


_EMPTY = (
    b'<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
    b"<KeyCount>0</KeyCount><MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated></ListBucketResult>"
)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, proxy: FaultyS3, behind: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.proxy, self.behind = proxy, behind  # the port of the server proper

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no news."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # headers and body in one packet

    def handle_expect_100(self) -> bool:
        super().handle_expect_100()
        self.wfile.flush()
        return True

    def _relay(self) -> None:
        proxy = self.server.proxy
        kind = proxy.fault(self.command, self.path)
        if kind == "refused":
            self.close_connection = True
            return
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        if kind in _ERRORS:
            self._say(_error(*_ERRORS[kind]))
            return
        if kind == "astray":
            self._say(_Answer(404, "Not Found", [("Content-Type", "text/plain")], b"404 page not found\n"))
            return
        if kind == "slow":
            time.sleep(proxy.slow_seconds)
        answer = self._carried_out(body)
        if "list-type=2" in self.path:
            if kind == "old":
                answer = proxy.older(self.path, answer)
            else:
                proxy.remember(self.path, answer)
        if kind == "late":
            time.sleep(proxy.slow_seconds)
        if kind == "lost":
            self.close_connection = True
        else:
            self._say(answer, cut=kind == "cut")

    do_GET = do_PUT = do_HEAD = do_DELETE = do_POST = _relay

    def _carried_out(self, body: bytes) -> _Answer:
        server = http.client.HTTPConnection("127.0.0.1", self.server.behind, timeout=60)
        server.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() not in ("expect", "connection"):
                server.putheader(name, value)
        server.endheaders(body or None)
        given = server.getresponse()
        headers = [(name, value) for name, value in given.getheaders() if name.lower() not in _HOP_BY_HOP]
        if self.command == "HEAD":
            headers.append(("Content-Length", given.getheader("content-length") or "0"))
        answer = _Answer(given.status, given.reason, headers, given.read())
        server.close()
        return answer

    def _say(self, answer: _Answer, cut: bool = False) -> None:
        self.send_response(answer.status, answer.reason)
        for name, value in answer.headers:
            self.send_header(name, value)
        if self.command != "HEAD" and answer.status != 204:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body[: len(answer.body) // 2] if cut else answer.body)
        self.close_connection |= cut

    def log_message(self, format: str, *args: Any) -> None:
        pass


def _error(status: int, code: str) -> _Answer:
    body = f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code><Message>no</Message></Error>'
    return _Answer(status, "no", [("Content-Type", "application/xml")], body.encode())
