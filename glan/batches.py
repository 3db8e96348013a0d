"""A provider's batch as the store keeps it: what was sent in it, so that any later run on any machine can take it up."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field

from glan.wording import counted


class BatchRecord(BaseModel):
    """What is about to be sent as one file; written before anything is sent."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(description="chosen at random; the batch carries it at the provider, in its metadata")
    endpoint: str = Field(description="address of the provider, without credentials")
    model: str
    run_id: str
    created_at: datetime.datetime
    disciplines: list[str] = Field(description="whose requests these are: where their calls are put on record")
    requests: list[str] = Field(description="custom_id of each line of the file, in their order")


@dataclass(frozen=True, slots=True)
class KeptBatch:
    """A batch that has not ended for all the store knows. `batch_id` None: whether it was created is not on record.

    `open` are those of its requests of which nothing is in the call log.
    """

    record: BatchRecord
    batch_id: str | None
    open: frozenset[str]


def custom_id(request_key: str, failures: int) -> str:
    """Names one asking of a request: the same in whichever run and batch; another after a reply that was no use."""
    return f"r{key_part(request_key)}-{failures}"


def key_part(request_key: str) -> str:
    """What of a request's key is in its names: no two requests share so much, and names have at most 64 characters."""
    return request_key[:40]


def key_part_of(name: str) -> str:
    """What of a request's key is in this name of an asking: the way back from `custom_id`."""
    return name[1:].rpartition("-")[0]


def waiting(batches: Sequence[tuple[datetime.datetime, int]], host: str) -> str | None:
    """Batches, each by the time it was sent and how many requests of it are still to come, in words; None: none."""
    if not batches:
        return None
    since = min(sent for sent, _ in batches)
    many = counted(sum(requests for _, requests in batches), "request")
    return f"{counted(len(batches), 'batch', 'batches')} with {many} at {host}, the oldest since {since:%Y-%m-%d %H:%M} UTC"
