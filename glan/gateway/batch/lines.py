"""The lines of batch files, as they are written and as they come back. Pure.

Source: the Batch API of OpenAI, which other providers have taken over (files of JSON lines, each with a `custom_id`).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from glan.gateway.answers import Fault

ENDPOINT = "/v1/chat/completions"
"""What each line asks, whatever the address of the provider."""

_NOT_BEGUN = frozenset({"batch_expired", "batch_cancelled", "batch_canceled", "request_cancelled"})
_CAPACITY = frozenset({"rate_limit_exceeded", "rate_limit_error", "too_many_requests"})
_ENDED = frozenset({"completed", "failed", "expired", "cancelled", "canceled"})


def line(name: str, body: Mapping[str, Any]) -> bytes:
    """A line of the file that is sent."""
    return json.dumps({"custom_id": name, "method": "POST", "url": ENDPOINT, "body": body}).encode() + b"\n"


@dataclass(frozen=True, slots=True)
class Result:
    """A line that came back. `status` 0: the provider did not get to this request, and nothing was paid for it."""

    custom_id: str
    status: int
    body: Any
    request_id: str | None = None


def result(raw: bytes) -> Result | None:
    """Read a line of an output or error file; None if it is none."""
    try:
        given = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    name = given.get("custom_id") if isinstance(given, dict) else None
    if not isinstance(name, str):
        return None
    response, error = given.get("response"), given.get("error")
    if isinstance(response, dict) and isinstance(response.get("status_code"), int):
        request_id = response.get("request_id")
        return Result(
            name, response["status_code"], response.get("body"), request_id if isinstance(request_id, str) else None
        )
    code = str(error.get("code") if isinstance(error, dict) else error or "").lower()
    if code in _NOT_BEGUN:
        return Result(name, 0, None)
    return Result(name, 429 if code in _CAPACITY else 500, {"error": error})


@dataclass(frozen=True, slots=True)
class State:
    """How a batch stands at the provider."""

    status: str
    files: tuple[str, ...]  # with results, then with errors
    errors: tuple[tuple[int | None, Fault], ...]  # why it failed as a whole: line of the file from 1, and what is wrong
    carried_out: int = 0  # requests that have a result, as the provider counts

    @property
    def is_over(self) -> bool:
        """Whether nothing more will be carried out."""
        return self.status in _ENDED

    @property
    def can_be_fetched(self) -> bool:
        """Whether it is over, and the files are there for what was carried out."""
        return self.is_over and bool(self.files or not self.carried_out)


def state(given: Any) -> State:
    """Read a batch object."""
    given = given if isinstance(given, dict) else {}
    counts, errors = given.get("request_counts"), given.get("errors")
    listed = errors.get("data") if isinstance(errors, dict) else errors
    ids = (given.get("output_file_id"), given.get("error_file_id"))
    completed = counts.get("completed") if isinstance(counts, dict) else 0
    return State(
        status=str(given.get("status") or "").lower(),
        files=tuple(name for name in ids if isinstance(name, str) and name),
        errors=tuple(_error(error) for error in listed or () if isinstance(error, dict)),
        carried_out=completed if isinstance(completed, int) else 0,
    )


def _error(error: Mapping[str, Any]) -> tuple[int | None, Fault]:
    number = error.get("line")
    fault = Fault(
        400,
        " ".join(str(error.get("message") or "").split())[:300],
        code=str(error.get("code") or "").lower(),
        parameter=str(error.get("param") or ""),
    )
    return (number if isinstance(number, int) and number > 0 else None), fault


def is_crowded(fault: Fault) -> bool:
    """Whether a batch is refused only because too much is waiting at the provider already, or it is too large."""
    said = f"{fault.code} {fault.message}".lower()
    return fault.status == 413 or "token_limit_exceeded" in said or "enqueued token" in said
