"""The Batch API of the model server: files and batches over real HTTP, and everything that can go wrong with them.

A batch is carried out `delay` seconds after it was created, each line as the very call that it stands for: counted,
recorded and answered by the server as a call made at once, so that what was paid for is known from one place.
"""

import asyncio
import itertools
import json
import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp import web
from model_wire import error_body

Payload = dict[str, Any]
Carried = tuple[int, bytes, str]
"""What one line came to: status, body, request id."""

KINDS = frozenset(
    {
        "expire_half",  # half of the lines are answered, the others not begun
        "expire_all",
        "cancel_half",
        "fail",  # not valid as a whole, without a reason that helps
        "fail_line",  # the first line is not valid
        "token_limit",  # too many tokens are enqueued
        "lose_half",  # half of the lines are answered and not in the files
        "lose_all",
        "strangers",  # lines of nobody, lines twice, a line that is no JSON
        "never",  # it is never carried out
    }
)


@dataclass
class BatchFaults:
    """What happens to batches. `plan(nth, lines)` names the kind of the nth batch that is created, from 0, or None."""

    plan: Callable[[int, int], str | None] = lambda nth, lines: None
    delay: float = 0.0
    most_enqueued: int | None = None  # lines in all batches that are not over, above which one fails
    create_errors: list[int] = field(default_factory=list)  # statuses of the next creations, which create nothing
    retry_after: str | None = None  # said with these errors
    lose_answers: int = 0  # of the next creations: they create, but the connection is closed
    unlisted: int = 0  # of the next listings: they show no batch yet
    keeps_metadata: bool = True
    unseen: int = 0  # of the next looks at a batch: 404
    unread: int = 0  # of the next downloads: 404
    break_off: int = 0  # of the next downloads: they end in the middle
    held: threading.Event | None = None  # a download stops in the middle until this is set
    no_api: bool = False
    lines: Callable[[Payload], int | None] = lambda payload: None  # status of a line's error; 0: it is in no file


@dataclass
class Batch:
    """A batch as the server knows it."""

    nth: int
    id: str
    lines: list[dict[str, Any]]
    metadata: dict[str, str]
    kind: str | None
    created_at: float
    input_file_id: str
    status: str = "validating"
    output: str | None = None
    errors: str | None = None
    failures: list[dict[str, Any]] = field(default_factory=list)
    answered: int = 0

    @property
    def over(self) -> bool:
        return self.status in ("completed", "failed", "expired", "cancelled")

    def shown(self) -> dict[str, Any]:
        counts = {"total": len(self.lines), "completed": self.answered, "failed": 0}
        return {
            "id": self.id, "object": "batch", "endpoint": "/v1/chat/completions", "status": self.status,
            "input_file_id": self.input_file_id, "output_file_id": self.output, "error_file_id": self.errors,
            "errors": {"object": "list", "data": self.failures} if self.failures else None,
            "created_at": int(self.created_at), "metadata": self.metadata, "request_counts": counts,
        }  # fmt: skip


class Batches:
    """Answers for /v1/files and /v1/batches. `carry_out(payload, headers)` is a call of the model server."""

    def __init__(self, carry_out: Callable[[Payload, Mapping[str, str]], Carried], seed: int) -> None:
        self.faults = BatchFaults()
        self.all: list[Batch] = []
        self.halfway = threading.Event()  # a download that is held has come to its middle
        self._carry_out = carry_out
        self._seed = seed
        self._files: dict[str, bytes] = {}
        self._names = itertools.count(1)

    def concerns(self, path: str) -> bool:
        return not self.faults.no_api and path.startswith(("/v1/files", "/v1/batches"))

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        for batch in self.all:
            self._advance(batch, request.headers)
        parts = request.path.removeprefix("/v1/").split("/")
        match (request.method, *parts):
            case ("POST", "files"):
                return await self._upload(request)
            case ("GET", "files", name, "content"):
                return await self._content(request, name)
            case ("POST", "batches"):
                return await self._create(request)
            case ("GET", "batches"):
                return self._listed(request)
            case ("GET", "batches", name):
                return self._shown(name)
            case ("POST", "batches", name, "cancel"):
                for batch in self.all:
                    if batch.id == name and not batch.over:
                        batch.status = "cancelled"
                return self._shown(name)
        return _error(404, f"no such address: {request.method} {request.path}")

    async def _upload(self, request: web.BaseRequest) -> web.StreamResponse:
        content = b""
        async for part in await request.multipart():
            if part.name == "file":
                content = bytes(await part.read())
            elif part.name == "purpose":
                assert await part.text() == "batch"
        name = f"file-{next(self._names)}"
        self._files[name] = content
        return _json({"id": name, "object": "file", "purpose": "batch", "bytes": len(content)})

    async def _content(self, request: web.BaseRequest, name: str) -> web.StreamResponse:
        content = self._files.get(name)
        if self.faults.unread:
            self.faults.unread -= 1
            content = None
        if content is None:
            return _error(404, f"No such File object: {name}")
        if self.faults.break_off:
            self.faults.break_off -= 1
            response = web.StreamResponse()
            response.content_length = len(content)
            await response.prepare(request)
            await response.write(content[: len(content) // 2])
            return _hung_up(request, response)
        if self.faults.held is not None:
            return await self._held(request, content, self.faults.held)
        return web.Response(body=content, content_type="application/octet-stream")

    async def _held(self, request: web.BaseRequest, content: bytes, until: threading.Event) -> web.StreamResponse:
        lines = content.splitlines(keepends=True)
        response = web.StreamResponse()
        response.content_length = len(content)
        await response.prepare(request)
        await response.write(b"".join(lines[: len(lines) // 2]))
        self.halfway.set()
        while not until.is_set():
            await asyncio.sleep(0.01)
        await response.write(b"".join(lines[len(lines) // 2 :]))
        return response

    async def _create(self, request: web.BaseRequest) -> web.StreamResponse:
        given = json.loads(await request.content.read())
        if self.faults.create_errors:
            status = self.faults.create_errors.pop(0)
            said = "Rate limit reached for batches." if status == 429 else "The server had an error."
            return _error(status, said, self.faults.retry_after)
        assert given["completion_window"] == "24h" and given["endpoint"] == "/v1/chat/completions", given
        lines = [json.loads(line) for line in self._files[given["input_file_id"]].splitlines()]
        kind = self.faults.plan(len(self.all), len(lines))
        assert kind is None or kind in KINDS, kind
        metadata = given["metadata"] if self.faults.keeps_metadata else {}
        batch = Batch(
            len(self.all), f"batch_{next(self._names)}", lines, metadata, kind, time.time(),
            given["input_file_id"],
        )  # fmt: skip
        self.all.append(batch)
        self._validate(batch)
        if self.faults.lose_answers:
            self.faults.lose_answers -= 1
            return _hung_up(request, web.Response())
        return _json(batch.shown())

    def _validate(self, batch: Batch) -> None:
        ids = [line["custom_id"] for line in batch.lines]
        models = {line["body"]["model"] for line in batch.lines}
        assert len(set(ids)) == len(ids) <= 50_000 and len(models) == 1, "no batch that a provider takes"
        assert all(len(name) <= 64 for name in ids)
        waiting = sum(len(other.lines) for other in self.all if not other.over)
        crowded = self.faults.most_enqueued is not None and waiting > self.faults.most_enqueued
        if batch.kind == "token_limit" or crowded:
            said = "Enqueued token limit reached for teacher in organization org-x. Limit: 90,000 enqueued tokens."
            self._fail(batch, code="token_limit_exceeded", message=said)
        elif batch.kind == "fail":
            self._fail(batch, code="internal_error", message="The batch could not be read.")
        elif batch.kind == "fail_line":
            self._fail(batch, code="invalid_request", message="This line is not valid.", line=1)

    def _fail(self, batch: Batch, **error: Any) -> None:
        batch.status = "failed"
        batch.failures = [{"line": None, "param": None, **error}]

    def _advance(self, batch: Batch, headers: Mapping[str, str]) -> None:
        if batch.over or batch.kind == "never":
            return
        batch.status = "in_progress"
        if time.time() - batch.created_at >= self.faults.delay:
            self._finish(batch, headers)

    def _finish(self, batch: Batch, headers: Mapping[str, str]) -> None:
        """Carry the batch out: results in any order, those that went wrong in a file of their own."""
        chance = random.Random(f"{self._seed} {batch.nth}")
        order = list(batch.lines)
        chance.shuffle(order)
        half = 0 if batch.kind == "expire_all" else len(order) // 2
        cut = batch.kind in ("expire_half", "expire_all", "cancel_half")
        begun, rest = (order[:half], order[half:]) if cut else (order, [])
        good: list[bytes] = []
        bad = [self._not_begun(line, batch) for line in rest]
        for line in begun:
            result = self._result(line, headers)
            if not result["response"]["status_code"]:
                continue
            (good if result["response"]["status_code"] == 200 else bad).append(orjson.dumps(result))
        if batch.kind == "lose_half":
            good = good[len(good) // 2 :]
        if batch.kind == "lose_all":
            good = []
        if batch.kind == "strangers":
            good = self._with_strangers(good)
        batch.answered = len(good)
        batch.output, batch.errors = self._file(good), self._file(bad)
        ended = {"expire_half": "expired", "expire_all": "expired", "cancel_half": "cancelled"}
        batch.status = ended.get(batch.kind or "", "completed")

    def _result(self, line: dict[str, Any], headers: Mapping[str, str]) -> dict[str, Any]:
        status = self.faults.lines(line["body"])
        if status is not None:
            code = {"code": "context_length_exceeded"} if status == 400 else {"code": None}
            carried: Carried = (status, error_body({"message": f"Error {status}.", **code}), f"req-{line['custom_id']}")
        else:
            carried = self._carry_out(line["body"], headers)
        response = {"status_code": carried[0], "request_id": carried[2], "body": orjson.loads(carried[1])}
        return {
            "id": f"batch_req_{line['custom_id']}",
            "custom_id": line["custom_id"],
            "response": response,
            "error": None,
        }

    def _not_begun(self, line: dict[str, Any], batch: Batch) -> bytes:
        code = "batch_cancelled" if batch.kind == "cancel_half" else "batch_expired"
        error = {"code": code, "message": "This request could not be executed before the completion window expired."}
        return orjson.dumps({"custom_id": line["custom_id"], "response": None, "error": error})

    def _with_strangers(self, good: list[bytes]) -> list[bytes]:
        """A duplicate that says something else, a line of another batch, lines that are none."""
        result = orjson.loads(good[0])
        result["response"]["body"]["choices"][0]["message"]["content"] = "The second of two is not to be believed."
        stranger = {**result, "custom_id": "r0123456789-0"}
        return [*good, orjson.dumps(result), orjson.dumps(stranger), b"{half a line", b"[]", b'{"custom_id": 7}']

    def _file(self, lines: list[bytes]) -> str | None:
        if not lines:
            return None
        name = f"file-{next(self._names)}"
        self._files[name] = b"\n".join(lines) + b"\n"
        return name

    def _listed(self, request: web.BaseRequest) -> web.StreamResponse:
        """The newest first, in pages of two so that they are turned."""
        newest = [batch.shown() for batch in reversed(self.all)]
        if self.faults.unlisted:
            self.faults.unlisted -= 1
            newest = []
        ids = [batch["id"] for batch in newest]
        begin = ids.index(request.query["after"]) + 1 if "after" in request.query else 0
        page = newest[begin : begin + 2]
        return _json({"object": "list", "data": page, "has_more": begin + 2 < len(newest)})

    def results(self, batch: Batch) -> list[str]:
        """The custom ids of its results, in the order in which they stand in the file."""
        return [json.loads(line)["custom_id"] for line in self._files[batch.output or ""].splitlines()]

    def _shown(self, name: str) -> web.StreamResponse:
        if self.faults.unseen:
            self.faults.unseen -= 1
            return _error(404, f"No batch found with id '{name}'.")
        for batch in self.all:
            if batch.id == name:
                return _json(batch.shown())
        return _error(404, f"No batch found with id '{name}'.")


def _json(value: Any) -> web.Response:
    return web.Response(body=orjson.dumps(value), content_type="application/json")


def _error(status: int, message: str, retry_after: str | None = None) -> web.Response:
    body = error_body({"message": message, "code": None, "type": "error"})
    headers = {"Retry-After": retry_after} if retry_after else {}
    return web.Response(status=status, body=body, content_type="application/json", headers=headers)


def _hung_up(request: web.BaseRequest, response: web.StreamResponse) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.close()
    return response
