"""What a courier carries: requests on their way, and the batches that hold them. Belongs to one event loop."""

import asyncio
import datetime
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from glan.batches import BatchRecord
from glan.gateway.answers import Fault, Reply
from glan.gateway.requests import Request

MOST_BYTES = 200_000_000
"""Of one file (OpenAI's limit; the files of other providers may be as large)."""

MOST_REQUESTS = 50_000
"""The same of its lines."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """What became of a request, and in which batch."""

    answer: Reply | Fault
    custom_id: str
    batch: "Batch"

    @property
    def batch_id(self) -> str:
        """The provider's id of the batch."""
        return self.batch.batch_id

    @property
    def sent_at(self) -> datetime.datetime:
        """When the batch was sent."""
        return self.batch.record.created_at


@dataclass(slots=True)
class Entry:
    """A request that someone waits for."""

    custom_id: str
    request: Request
    line: bytes
    outcome: "asyncio.Future[Delivered]"
    waiting: int = 0
    lost: int = 0  # batches that had it and in which nothing became of it


@dataclass(slots=True)
class Batch:
    """A batch at the provider. It is done with when each of its requests is on record, or known to have no result."""

    record: BatchRecord
    batch_id: str
    open: set[str]  # requests of which nobody has taken a result yet
    unrecorded: set[str] = field(default_factory=set)  # taken, but perhaps not yet on record
    status: str = ""
    ended: bool = False  # at the provider
    follower: "asyncio.Task[None] | None" = None
    begun: asyncio.Event = field(default_factory=asyncio.Event)  # the provider has looked through it and taken it

    @property
    def followed(self) -> bool:
        """Whether it is being waited for."""
        return self.follower is not None and not self.follower.done()

    @property
    def done(self) -> bool:
        """Whether nothing more can come of it."""
        return self.ended and not self.open and not self.unrecorded


def files(entries: Iterable[Entry], most_requests: int) -> Iterator[list[Entry]]:
    """The entries in files: each of one model, and within the limits."""
    by_model: dict[str, list[Entry]] = {}
    for entry in entries:
        by_model.setdefault(entry.request.profile.model, []).append(entry)
    for group in by_model.values():
        part: list[Entry] = []
        size = 0
        for entry in group:
            if part and (len(part) >= most_requests or size + len(entry.line) > MOST_BYTES):
                yield part
                part, size = [], 0
            part.append(entry)
            size += len(entry.line)
        yield part
