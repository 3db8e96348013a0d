"""An endpoint that betrays and attacks: it echoes the key it was sent, and what it writes would harm whoever runs it."""

import json
import threading
import urllib.error
import urllib.request
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

HARM = (
    " <script>alert(1)</script><img src=x onerror=alert(2)> [here](javascript:alert(3)) ![x](http://127.0.0.1:9/x.png)"
    " | `x` **x** <!-- {{ 7 * 7 }} {% if %} '; DROP TABLE answers; -- ../../etc/passwd"
    " \x1b[31m\x1b]0;owned\x07\x9b31m \u202etxt.exe\u2066 \u2028# H\u0085=1+1"
)
"""For HTML, Markdown, templates, SQL, paths, terminals, readers of lines and spreadsheets."""

CONTROLS = "\x1b\x07\x9b\u202e\u2066\u2028\u0085"
"""Of that, what must not reach a terminal."""


class HostileEndpoint:
    """Stands before a model server: one prompt in `fails_each` gets a 500 first, and every reply carries harm and the key.

    Which prompts those are does not depend on the order in which they arrive. `refuses`: all calls are a 401, with all
    headers in its message.
    """

    def __init__(self, behind: str, fails_each: int = 7) -> None:
        self.refuses = False
        self.keys: set[str] = set()
        outer, lock, seen = self, threading.Lock(), set[bytes]()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                key = self.headers["Authorization"]
                with lock:
                    outer.keys.add(key.removeprefix("Bearer "))
                    fails = body not in seen and zlib.crc32(body) % fails_each == 0
                    seen.add(body)
                echo = f"you sent {dict(self.headers)!r} {HARM}"
                if outer.refuses or fails:
                    error = {"error": {"message": echo, "code": key, "type": key}}
                    self.answer(401 if outer.refuses else 500, error)
                    return
                asked = urllib.request.Request(f"{behind}/chat/completions", body, {"Content-Type": "application/json"})
                try:
                    with urllib.request.urlopen(asked) as answer:
                        given = json.load(answer)
                except urllib.error.HTTPError as error:
                    self.answer(error.code, json.loads(error.read()))
                    return
                message = given["choices"][0]["message"]
                message["content"] = harmed(message["content"], f"{HARM} {key}")
                self.answer(200, given)

            def answer(self, status: int, document: Any) -> None:
                text = json.dumps(document).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("X-Request-Id", f"id {self.headers['Authorization']}")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.base_url = f"http://127.0.0.1:{self._server.server_port}/v1"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> "HostileEndpoint":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def harmed(content: str, harm: str) -> str:
    """The reply with the harm in every text of prose in it; names and levels of a JSON reply stay."""
    try:
        value = json.loads(content)
    except ValueError:
        return content + harm
    return json.dumps(_harmed(value, harm))


def _harmed(value: Any, harm: str) -> Any:
    if isinstance(value, dict):
        return {name: _harmed(one, harm) if name != "level" else one for name, one in value.items()}
    if isinstance(value, list):
        return [_harmed(one, harm) for one in value]
    return value + harm if isinstance(value, str) and " " in value else value
