"""What one HTTP call came to: a reply of the model, or a fault."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reply:
    """A chat completion. Token counts are None where the endpoint gave no usage."""

    text: str
    finish_reason: str | None
    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    completion_tokens: int | None = None
    request_id: str | None = None
    status: int = 200


@dataclass(frozen=True, slots=True)
class Fault:
    """Anything else. `status` 0: no answer at all; `message` is one line, scrubbed of keys."""

    status: int
    message: str
    code: str = ""
    parameter: str = ""
    retry_after: float | None = None
    request_id: str | None = None
    timed_out: bool = False
    broke_off: bool = False  # a connection was made, and ended before the answer did
