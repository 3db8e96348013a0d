"""The batches of one endpoint on record: what this process sends, and what others have sent. Belongs to one event loop.

Each is written down before it is sent, and its end when all that came of it is; so no moment of a kill loses one.
"""

import asyncio
import datetime
import secrets
from collections.abc import Collection, Sequence
from typing import Protocol

from glan.batches import BatchRecord, KeptBatch
from glan.clock import Clock
from glan.gateway.batch.parcel import Batch, Entry

_OLD = datetime.timedelta(days=1)  # then a batch that is not at the provider will not turn up there any more


class Book(Protocol):
    """Where they are kept (`store.batches.BatchBook`). May block."""

    def keep(self, record: BatchRecord) -> None: ...
    def keep_id(self, name: str, batch_id: str) -> None: ...
    def end(self, name: str, how: str) -> None: ...
    def unfinished(self, known: Collection[str]) -> list[KeptBatch]: ...


class Register:
    """What the book says of the batches of one endpoint, and what is to be written in it."""

    def __init__(self, book: Book, address: str, run_id: str, clock: Clock) -> None:
        """`address` is the endpoint's, without credentials: by it, batches on record are known again."""
        self._book, self._address, self._run_id, self._clock = book, address, run_id, clock
        self._others: dict[str, KeptBatch] = {}  # of other processes, and not taken up so far
        self._known: set[str] = set()  # names of all that this process has sent or looked at

    async def begin(self, entries: Sequence[Entry]) -> BatchRecord:
        """Write down what is about to be sent as one batch."""
        record = BatchRecord(
            name=secrets.token_hex(16),
            endpoint=self._address,
            model=entries[0].request.profile.model,
            run_id=self._run_id,
            created_at=self._clock(),
            disciplines=sorted({entry.request.discipline_id for entry in entries}),
            requests=[entry.custom_id for entry in entries],
        )
        await asyncio.to_thread(self._book.keep, record)
        return record

    async def refused(self, record: BatchRecord) -> None:
        """It is not at the provider after all."""
        await self.end(record, "refused")
        self._known.add(record.name)

    async def sent(self, record: BatchRecord, batch_id: str) -> Batch:
        """It is at the provider."""
        await asyncio.to_thread(self._book.keep_id, record.name, batch_id)
        self._known.add(record.name)  # not before: until then it is to be found as that of any other process is
        return Batch(record, batch_id, set(record.requests))

    async def look(self) -> None:
        """See what other processes have sent meanwhile."""
        for kept in await asyncio.to_thread(self._book.unfinished, self._known):
            self._known.add(kept.record.name)
            if kept.batch_id is not None and not kept.open:  # a process was killed before it could say so
                await self.end(kept.record, "all on record")
            elif kept.record.endpoint == self._address:
                self._others[kept.record.name] = kept

    def holding(self, wanted: Collection[str]) -> list[KeptBatch]:
        """Batches of other processes, not taken up so far, that hold any of these requests."""
        return [kept for kept in self._others.values() if not kept.open.isdisjoint(wanted)]

    async def take_up(self, kept: KeptBatch, batch_id: str) -> Batch:
        """The batch of another process is gone on with by this one."""
        if kept.batch_id is None:
            await asyncio.to_thread(self._book.keep_id, kept.record.name, batch_id)
        del self._others[kept.record.name]
        return Batch(kept.record, batch_id, set(kept.open))

    async def not_found(self, kept: KeptBatch) -> None:
        """The provider does not know a batch of another process, which may be about to send it."""
        if self.is_old(kept.record):
            await self.end(kept.record, "never created")
            del self._others[kept.record.name]

    async def end(self, record: BatchRecord, how: str) -> None:
        """Nothing more can come of it."""
        await asyncio.to_thread(self._book.end, record.name, how)

    def is_old(self, record: BatchRecord) -> bool:
        """Whether the provider would have it by now, if it ever will."""
        return self._clock() - record.created_at > _OLD
