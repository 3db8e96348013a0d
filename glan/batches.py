"""A provider's batch as the store keeps it: what was sent in it, so that any later run on any machine can take it up."""

import datetime
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field


class BatchRecord(BaseModel):
    """What is about to be sent as one file; written before anything is sent."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(description="chosen at random; the batch carries it at the provider, in its metadata")
    endpoint: str = Field(description="address of the provider, without credentials")
    model: str
    run_id: str
    created_at: datetime.datetime
    requests: list[str] = Field(description="custom_id of each line of the file, in their order")


@dataclass(frozen=True, slots=True)
class KeptBatch:
    """A batch that has not ended for all the store knows. `batch_id` None: whether it was created is not on record."""

    record: BatchRecord
    batch_id: str | None
