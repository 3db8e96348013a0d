"""What can go wrong with a call to the model server, how often, and what the caller sees of it."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

from model_words import REFUSALS

Payload = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Faults:
    """Which calls go wrong: a rate in [0, 1] for each kind, and `when` for scripts, which goes first.

    `when(payload, nth)` names the kind or None; nth counts from 0 how often this payload was seen before. It may name
    any kind below and also unauthorized, insufficient_quota, billing, model_not_found and unsupported_parameter.
    truncated_json and wrong_schema strike only calls that ask for JSON, duplicate only those that ask for a question
    (all duplicates of one course are the same question). Calls on which a kind cannot strike are answered well, as
    are those that meet one of HARMLESS: what the caller asked for is all there.
    """

    rate_limit: float = 0.0  # 429 without Retry-After
    rate_limit_after: float = 0.0  # 429 with it
    error_500: float = 0.0
    error_503: float = 0.0
    drop_before: float = 0.0  # connection closed instead of an answer
    drop_inside: float = 0.0  # connection closed in the middle of the body
    hang: float = 0.0  # answers well, but only after hang_seconds
    truncated_json: float = 0.0  # half of the JSON, finish_reason stop
    wrong_schema: float = 0.0  # JSON of another shape
    empty: float = 0.0
    refusal: float = 0.0
    length: float = 0.0  # finish_reason length, text cut
    content_filter: float = 0.0  # finish_reason content_filter, text cut
    duplicate: float = 0.0
    bad_request: float = 0.0  # 400 context_length_exceeded
    error_page: float = 0.0  # a proxy's 502 in HTML
    redirect: float = 0.0  # 302 to a page that is not there
    reset_inside: float = 0.0  # connection reset in the middle of the body
    trickle: float = 0.0  # the body comes in small pieces over hang_seconds
    sent_twice: float = 0.0  # the whole reply once more on the same connection
    no_http: float = 0.0  # what comes back is not HTTP
    bad_gzip: float = 0.0  # said to be compressed, and is not
    html: float = 0.0  # a page with status 200, as of a captive portal
    event_stream: float = 0.0  # streamed, though nobody asked for it
    no_body: float = 0.0  # 200 and nothing
    bad_bytes: float = 0.0  # JSON cut by bytes that are no UTF-8
    deep_json: float = 0.0  # JSON nested deeper than any parser goes
    two_bodies: float = 0.0  # the JSON twice, one after the other
    error_in_200: float = 0.0  # an error object with status 200
    no_choices: float = 0.0
    no_message: float = 0.0  # a choice without a message
    aborted: float = 0.0  # finish_reason abort, text cut
    null_content: float = 0.0
    cut_under_another_name: float = 0.0  # text cut, finish_reason max_tokens
    odd_names: float = 0.0  # a finish reason that is no Unicode
    huge_usage: float = 0.0  # token counts beyond 64 bits
    parts: float = 0.0  # content as a list of parts
    no_usage: float = 0.0
    odd_finish: float = 0.0  # finish_reason eos
    other_model: float = 0.0  # another model's name
    more_fields: float = 0.0  # fields that nobody knows
    plain_text: float = 0.0  # content-type text/plain
    when: Callable[[Payload, int], str | None] | None = None
    retry_after: str = "1"  # seconds, a fraction or an HTTP date
    hang_seconds: float = 3600.0
    parameter: str = "seed"  # the one that unsupported_parameter names

    def kind(self, payload: Payload, nth: int, call: str) -> str | None:
        """The fault of one call; by the rates, a hash of `call` decides."""
        scripted = self.when(payload, nth) if self.when else None
        if scripted is not None:
            if scripted not in KINDS:
                raise ValueError(f"{scripted!r} is not a kind of fault; there are: {', '.join(sorted(KINDS))}")
            return scripted
        lot = _lot(call)
        for kind in RATED:
            lot -= getattr(self, kind)
            if lot < 0:
                return kind
        return None


RATED = tuple(field.name for field in fields(Faults) if field.type in (float, "float") and field.default == 0.0)

HARMLESS = frozenset(
    {"duplicate", "sent_twice", "odd_names", "huge_usage", "parts", "no_usage"}
    | {"odd_finish", "other_model", "more_fields", "plain_text"}
)
"""Kinds of which a caller need not notice anything."""

CUT = {
    "length": "length",
    "content_filter": "content_filter",
    "aborted": "abort",
    "cut_under_another_name": "max_tokens",
}
"""Finish reason of the kinds whose text is cut."""

UNREADABLE = frozenset({"truncated_json", "wrong_schema", "empty", "refusal", "null_content", *CUT})
"""Kinds whose text no caller can use, so that it may be nowhere in the data."""

ERRORS: dict[str, tuple[int, dict[str, Any]]] = {
    "rate_limit": (429, {"message": "Rate limit reached.", "type": "requests", "code": "rate_limit_exceeded"}),
    "rate_limit_after": (429, {"message": "Rate limit reached.", "type": "requests", "code": "rate_limit_exceeded"}),
    "limit": (429, {"message": "Too many calls in flight.", "type": "requests", "code": "rate_limit_exceeded"}),
    "error_500": (500, {"message": "The server had an error.", "type": "server_error", "code": None}),
    "error_503": (503, {"message": "The engine is overloaded.", "type": "server_error", "code": None}),
    "bad_request": (
        400,
        {
            "message": "This model's maximum context length is 8192 tokens. Please reduce the length of the messages.",
            "type": "invalid_request_error", "param": "messages", "code": "context_length_exceeded",
        },
    ),
    "unauthorized": (
        401, {"message": "Incorrect API key provided.", "type": "invalid_request_error", "code": "invalid_api_key"},
    ),
    "insufficient_quota": (
        429,
        {"message": "You exceeded your current quota.", "type": "insufficient_quota", "code": "insufficient_quota"},
    ),
    "billing": (402, {"message": "Payment required.", "type": "billing_error", "code": "payment_required"}),
    "model_not_found": (
        404,
        {
            "message": "The model does not exist or you do not have access to it.",
            "type": "invalid_request_error", "param": "model", "code": "model_not_found",
        },
    ),
    "unsupported_parameter": (400, {"type": "invalid_request_error", "code": "unsupported_parameter"}),
}  # fmt: skip
KINDS = frozenset(RATED) | ERRORS.keys() - {"limit"}


def error_of(kind: str, faults: Faults) -> tuple[int, dict[str, Any]]:
    """HTTP status and error fields."""
    status, fields = ERRORS[kind]
    if kind == "unsupported_parameter":
        message = f"Unsupported parameter: '{faults.parameter}' is not supported here."
        return status, {**fields, "message": message, "param": faults.parameter}
    return status, fields


def spoiled(text: str, kind: str | None, digest: str) -> tuple[str, str]:
    """Text and finish reason as the fault leaves them."""
    if kind == "truncated_json":
        return text[: len(text) // 2], "stop"
    if kind == "wrong_schema":
        return '{"result": {"status": "ok", "items": [1, 2, 3]}}', "stop"
    if kind in ("empty", "null_content"):
        return "", "stop"
    if kind == "refusal":
        return REFUSALS[int(digest[:8], 16) % len(REFUSALS)], "stop"
    if kind in CUT:
        return text[: len(text) * 3 // 5], CUT[kind]
    return text, "stop"


def _lot(text: str) -> float:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=6).digest(), "big") / 2**48
