"""Chat completions as servers, proxies and gateways send them that are not quite OpenAI: odd, broken, or no such thing."""

import gzip
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

Completion = dict[str, Any]

_HTML = {"Content-Type": "text/html; charset=utf-8"}
_PAGE = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body><h1>Please sign in</h1></body></html>"
_DEPTH = 100_000


@dataclass(frozen=True, slots=True)
class Mangled:
    """What is sent instead of a completion."""

    body: bytes
    headers: Mapping[str, str]
    status: int = 200


def mangled(kind: str | None, completion: bytes) -> Mangled:
    """The completion as a fault of this kind leaves it; unchanged by all others."""
    if kind in _RAW:
        return _RAW[kind](completion)
    if kind in _CHANGED:
        body: Completion = orjson.loads(completion)
        changed = _CHANGED[kind](body)
        return Mangled(orjson.dumps(body if changed is None else changed), {})
    return Mangled(completion, {})


def _streamed(completion: bytes) -> Mangled:
    body: Completion = orjson.loads(completion)
    choice = body["choices"][0]
    chunk = {**body, "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": choice["message"]}]}
    return Mangled(b"data: " + orjson.dumps(chunk) + b"\n\ndata: [DONE]\n\n", {"Content-Type": "text/event-stream"})


_RAW: dict[str | None, Callable[[bytes], Mangled]] = {
    "error_page": lambda completion: Mangled(_PAGE, _HTML, 502),
    "redirect": lambda completion: Mangled(b"", {"Location": "/sign-in"}, 302),
    "html": lambda completion: Mangled(_PAGE, _HTML),
    "no_body": lambda completion: Mangled(b"", {}),
    "event_stream": _streamed,
    "bad_gzip": lambda completion: Mangled(gzip.compress(completion)[:40], {"Content-Encoding": "gzip"}),
    "bad_bytes": lambda completion: Mangled(completion[:-40] + b"\xff\xfe" + completion[-40:], {}),
    "deep_json": lambda completion: Mangled(b'{"choices":' + b"[" * _DEPTH + b"]" * _DEPTH + b"}", {}),
    "two_bodies": lambda completion: Mangled(completion + completion, {}),
    "plain_text": lambda completion: Mangled(completion, {"Content-Type": "text/plain"}),
    "odd_names": lambda completion: Mangled(completion.replace(b'"stop"', rb'"stop\ud800"'), {}),
    "huge_usage": lambda completion: Mangled(completion.replace(b'_tokens":', b'_tokens":99999999999999999999'), {}),
}


def _choice(body: Completion) -> dict[str, Any]:
    choice: dict[str, Any] = body["choices"][0]
    return choice


def _in_parts(body: Completion) -> None:
    text = _choice(body)["message"]["content"]
    halves = text[: len(text) // 2], text[len(text) // 2 :]
    _choice(body)["message"]["content"] = [{"type": "text", "text": half} for half in halves]


_CHANGED: dict[str | None, Callable[[Completion], Completion | None]] = {
    "error_in_200": lambda body: {"error": {"message": "Provider returned error", "code": 502}},
    "no_choices": lambda body: body.update(choices=[]),
    "no_message": lambda body: _choice(body).update(message=None),
    "null_content": lambda body: _choice(body)["message"].update(content=None),
    "parts": _in_parts,
    "no_usage": lambda body: body.update(usage=None),
    "odd_finish": lambda body: _choice(body).update(finish_reason="eos"),
    "other_model": lambda body: body.update(model="somebody-elses-model-2024"),
    "more_fields": lambda body: body.update(provider={"name": "x", "nested": [1, [2]]}, choices=body["choices"] * 2),
}
