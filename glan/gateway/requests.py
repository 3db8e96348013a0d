"""What a stage hands to the gateway and what it gets back."""

import datetime
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any

from pydantic import BaseModel

from glan.keys import digest
from glan.models import ModelProfile
from glan.prompts import PromptStamp

Message = dict[str, str]


def with_end(messages: Sequence[Message], said: Iterable[Message]) -> list[Message]:
    """The messages, with what is said at the end of the last."""
    *before, last = messages
    return [*before, {**last, "content": "\n\n".join([last["content"], *(message["content"] for message in said)])}]


@dataclass(frozen=True, slots=True)
class Problem:
    """A reply that cannot be used. `message` is written to the model: it says what to do better."""

    kind: str  # truncated, filtered, refused, empty, malformed, schema, or a check's own name
    message: str
    ask_again: bool = True


@dataclass(frozen=True, slots=True)
class Understood:
    """A reply that was read. `repaired` says that its JSON had to be mended first."""

    value: Any
    repaired: bool = False


Reader = Callable[[str, str | None], Understood | Problem]
"""`read(text, finish_reason)`: pure, so that a stored reply can be read again."""


@cache
def _json_schema(schema: type[BaseModel]) -> dict[str, Any]:
    """Made once for each model class: it takes longer than all else in a key."""
    return schema.model_json_schema()


@dataclass(frozen=True)
class Request:
    """One question to a model, with everything needed to recognise, send and read it."""

    stage: str
    discipline_id: str
    unit: str
    unit_key: str
    node: str
    prompt: PromptStamp
    messages: Sequence[Message]
    profile: ModelProfile
    read: Reader
    sample_index: int = 0
    edition: int = 0
    seed: int | None = None
    schema: type[BaseModel] | None = None

    @cached_property
    def key(self) -> str:
        """The `request_key`: what determines the reply, and nothing else (design: keys)."""
        return digest(
            {
                "messages": list(self.messages),
                **self.profile.body(),
                "seed": self.seed,
                "schema": _json_schema(self.schema) if self.schema else None,
                "sample_index": self.sample_index,
                "edition": self.edition,
            }
        )


@dataclass(frozen=True, slots=True)
class Call:
    """An understood reply: its value and the stamp that rows carry."""

    request: Request
    value: Any
    repaired: bool
    text: str
    finish_reason: str | None
    run_id: str
    finished_at: datetime.datetime
    attempts: int
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float | None


@dataclass(frozen=True, slots=True)
class Failure:
    """A request whose attempts are exhausted, ready for quarantine."""

    request: Request
    kind: str
    message: str
    raw_text: str
    attempts: int
    run_id: str
    """Of the last attempt, as is the time (UTC) at which it ended."""

    finished_at: datetime.datetime


Conversation = Generator[Request, Call, Any]
"""Requests that build on each other: yields a request, receives its call, returns a value."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a conversation ended: a value, or the failure that ended it; and all calls it rests on."""

    value: Any = None
    failure: Failure | None = None
    calls: list[Call] = field(default_factory=list)
