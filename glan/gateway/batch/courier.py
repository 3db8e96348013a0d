"""Carries requests to the provider in batches and brings back what became of each.

Requests gather until none has come for a while, then go as files. What the provider did not get to goes into the next
file by itself; whoever asked only waits longer. Every batch is on record before it is sent, so whichever process asks
for one of its requests next takes it up instead of sending the request again.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any

from glan.batches import BatchRecord, KeptBatch, waiting
from glan.clock import Clock
from glan.errors import EndpointDown, EndpointRefused, GlanError
from glan.gateway.answers import Fault, Reply
from glan.gateway.batch.lines import State, is_crowded, line, result
from glan.gateway.batch.outbox import Outbox
from glan.gateway.batch.parcel import MOST_REQUESTS, Batch, Delivered, Entry, files
from glan.gateway.batch.provider import Crowded, Provider
from glan.gateway.batch.register import Book, Register
from glan.gateway.batch.room import Room
from glan.gateway.requests import Request
from glan.gateway.trouble import Way, classify
from glan.models import ModelProfile
from glan.wording import counted

_logger = logging.getLogger(__name__)

_LOOKS_FOR_FILES = 10  # at an ended batch whose results are said to be there
_IN_VAIN = 3  # batches in a row that brought nothing, or times that one request is lost
_SAY_EVERY_SECONDS = 3600.0
_LAST_MOMENT = 20.0  # seconds for writing down that batches are done with
_UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Batching:
    """How batches are made and waited for."""

    book: Book
    gather_seconds: float = 10.0
    most_requests: int = MOST_REQUESTS
    longest_wait_seconds: float = 60.0  # between two looks at a batch


@dataclass(frozen=True, slots=True)
class Office:
    """What a courier needs of the gateway it works for."""

    run_id: str
    clock: Clock
    notify: Callable[[str], None]
    paused: Callable[[], bool]
    written: Callable[[], None]
    """Blocks until every reply recorded so far is written."""
    room_in_log: Callable[[], Awaitable[None]]


class Courier:
    """The batches of one endpoint. Belongs to one event loop."""

    def __init__(self, provider: Provider, address: str, batching: Batching, office: Office) -> None:
        """`address`: see `Register`."""
        self._provider, self._batching, self._office = provider, batching, office
        self._register = Register(batching.book, address, office.run_id, office.clock)
        self._outbox = Outbox(batching.gather_seconds, office.paused)
        self._room = Room(provider.host, batching.most_requests, office.notify)
        self._wanted: dict[str, Entry] = {}  # whatever is waited for, wherever it is
        self._batches: dict[str, Batch] = {}
        self._sender: asyncio.Task[None] | None = None
        self._closing: set[asyncio.Task[None]] = set()
        self._in_vain = 0
        self._said_at = monotonic()

    @property
    def waiting(self) -> str | None:
        """What waits at the provider, and since when; None: nothing."""
        out = [batch for batch in list(self._batches.values()) if batch.followed and not batch.ended]
        return waiting([(batch.record.created_at, len(batch.open)) for batch in out], self._provider.host)

    @property
    def on_the_way(self) -> int:
        """How many requests are waited for."""
        return len(self._wanted)

    async def ask(self, custom_id: str, request: Request, body: dict[str, Any]) -> Delivered:
        """Hand in a request; what became of it, perhaps hours later. Tell `recorded` when that is on record.

        Raises:
            EndpointRefused, EndpointDown: no batch can be carried out there.
            StoreError: the batches cannot be kept on record.
        """
        entry = self._wanted.get(custom_id)
        if entry is None:
            outcome = asyncio.get_running_loop().create_future()
            entry = self._wanted[custom_id] = Entry(custom_id, request, line(custom_id, body), outcome)
            self._outbox.put(entry)
            if self._sender is None or self._sender.done():
                self._sender = asyncio.create_task(self._keep_sending())
        entry.waiting += 1
        try:
            return await asyncio.shield(entry.outcome)
        finally:
            entry.waiting -= 1
            if not entry.waiting and self._wanted.get(custom_id) is entry:
                del self._wanted[custom_id]
                self._outbox.take(custom_id)

    def recorded(self, delivered: Delivered) -> None:
        """What became of the request is in the call log, if perhaps not yet written."""
        delivered.batch.unrecorded.discard(delivered.custom_id)
        self._close_if_done(delivered.batch)

    async def close(self) -> None:
        """Wait for nothing more. What is at the provider stays there, and it is said so."""
        if said := self.waiting:
            self._office.notify(f"{said}, left there: the next run takes the results and pays for nothing twice")
        followers = [batch.follower for batch in self._batches.values() if batch.follower]
        for task in [*followers, *([self._sender] if self._sender else [])]:
            task.cancel()
        if self._closing:
            await asyncio.wait(list(self._closing), timeout=_LAST_MOMENT)

    # To the provider.

    async def _keep_sending(self) -> None:
        try:
            while True:
                await self._outbox.gathered(self._room.limit)
                await self._take_up()
                due, there = list(self._outbox.entries), self._outbox.entries
                while entries := [there[name] for name in due if name in there]:
                    await self._room.wait(self._alone, self._batching.gather_seconds)
                    await self._send(next(files(entries, self._room.limit)))
        except Exception as error:
            self._fail(error)

    @property
    def _alone(self) -> bool:
        """Whether no batch of this process is being carried out."""
        return not any(batch.followed and not batch.ended for batch in self._batches.values())

    async def _take_up(self) -> None:
        """Of what is to go, find what is at the provider already, sent by this process or by another one."""
        await self._register.look()
        there = self._outbox.entries
        await self._adopt(self._register.holding(there.keys()))
        for batch in list(self._batches.values()):
            if held := there.keys() & batch.open:
                for custom_id in held:
                    self._outbox.take(custom_id)
                self._follow(batch)

    async def _adopt(self, found: Sequence[KeptBatch]) -> None:
        """Take up batches of other processes. One that the provider does not know was never created."""
        if not found:
            return
        nameless = [kept.record.name for kept in found if kept.batch_id is None]
        ids = await self._provider.find(nameless, self._profile(found[0].record)) if nameless else {}
        for kept in found:
            batch_id = kept.batch_id or ids.get(kept.record.name)
            if batch_id is None:
                await self._register.not_found(kept)
                continue
            self._batches[kept.record.name] = await self._register.take_up(kept, batch_id)
            since = f"{kept.record.created_at:%Y-%m-%d %H:%M} UTC"
            self._office.notify(f"batch {batch_id} at {self._provider.host}, sent {since}, is gone on with")

    async def _send(self, entries: Sequence[Entry]) -> None:
        """Write down what is to be sent, then send it, then write down its id."""
        for entry in entries:
            self._outbox.take(entry.custom_id)
        profile, record = entries[0].request.profile, await self._register.begin(entries)
        try:
            file_id = await self._provider.upload(record.name, b"".join(entry.line for entry in entries), profile)
            batch_id = await self._provider.create(file_id, record.name, profile)
        except Crowded as error:
            await self._register.refused(record)
            self._again(entries)
            self._room.refused(len(entries), self._alone, str(error))
            return
        batch = self._batches[record.name] = await self._register.sent(record, batch_id)
        what = f"{counted(len(entries), 'request')} to {profile.model}"
        self._office.notify(f"batch {batch_id} with {what} is at {self._provider.host}")
        self._follow(batch)
        if self._room.is_short:  # first see whether there is room for this one
            await batch.begun.wait()

    def _again(self, entries: Sequence[Entry]) -> None:
        """These go with the next file, unless nobody waits for them any more."""
        for entry in entries:
            if self._wanted.get(entry.custom_id) is entry:
                self._outbox.put(entry)

    # And back.

    def _follow(self, batch: Batch) -> None:
        if not batch.followed:
            batch.follower = asyncio.create_task(self._bring_home(batch))

    async def _bring_home(self, batch: Batch) -> None:
        try:
            state = await self._end_of(batch)
            if state is None:
                said = f"{self._provider.host} does not know batch {batch.batch_id}, so its requests are sent again"
                self._office.notify(said)
                self._settle(batch, list(batch.open), lost=False)
            else:
                await self._collect(batch, state)
        except Exception as error:
            self._fail(error)
        finally:
            batch.begun.set()
            self._room.ended(well=batch.status == "completed")
        wanted = [self._wanted[custom_id] for custom_id in batch.open if custom_id in self._wanted]
        self._again(wanted)  # asked for while it was read, after their lines had passed: it is read once more
        self._close_if_done(batch)

    async def _end_of(self, batch: Batch) -> State | None:
        """Look until the batch is over, ever more rarely; None: the provider does not know it."""
        since, vain_looks = monotonic(), 0
        while True:
            state = await self._provider.state(batch.batch_id, self._profile(batch.record))
            vain_looks += state is not None and state.is_over
            if state is not None and not batch.begun.is_set() and state.status not in ("", "validating", "failed"):
                batch.begun.set()
                self._room.taken()
            if state is None or state.can_be_fetched or vain_looks >= _LOOKS_FOR_FILES:
                batch.ended = True
                batch.status = state.status if state else _UNKNOWN
                return state
            self._say_now_and_then()
            shortest = min(1.0, self._batching.gather_seconds)
            longest = self._batching.longest_wait_seconds
            await asyncio.sleep(min(longest, max(shortest, (monotonic() - since) / 10)))

    def _say_now_and_then(self) -> None:
        if monotonic() - self._said_at > _SAY_EVERY_SECONDS and self.waiting:
            self._said_at = monotonic()
            self._office.notify(f"still waiting for {self.waiting}")

    async def _collect(self, batch: Batch, state: State) -> None:
        """Hand out every result there is, send again what has none.

        Raises:
            EndpointRefused: no such batch would be carried out.
            EndpointDown: one batch after the other has brought nothing.
        """
        useful, here, not_begun = 0, set[str](), set[str]()
        for file_id in state.files:
            async for raw in self._provider.lines(file_id, self._profile(batch.record)):
                found = result(raw)
                if found is None or found.custom_id not in batch.open:
                    continue  # no line, none of ours, or one that came before
                if not found.status:
                    not_begun.add(found.custom_id)
                    continue
                useful += found.status < 500
                here.add(found.custom_id)
                self._deliver(batch, found.custom_id, self._provider.answer(found))
                await self._office.room_in_log()
                await asyncio.sleep(0)  # so that it is recorded before the next is read
        missing = batch.open - here
        if state.status == "failed":
            useful += self._bear_failure(batch, state)
        self._in_vain = 0 if useful else self._in_vain + 1
        if self._in_vain >= _IN_VAIN:
            self._in_vain = 0
            said = f"has carried out nothing of {_IN_VAIN} batches in a row, the last of them {batch.status}"
            raise EndpointDown(f"{self._provider.host} {said}; run again later")
        again = self._settle(batch, missing & not_begun, lost=False)
        again += self._settle(batch, missing - not_begun, lost=state.status == "completed")
        rest = f", {counted(again, 'request')} to be sent again" if again else ""
        self._office.notify(f"batch {batch.batch_id} is {batch.status}: {counted(len(here), 'result')}{rest}")

    def _deliver(self, batch: Batch, custom_id: str, answer: Reply | Fault) -> None:
        """Hand a result to whoever waits for it. While nobody does, it stays where it is."""
        entry = self._wanted.pop(custom_id, None)
        if entry is None:
            return
        self._outbox.take(custom_id)
        batch.open.discard(custom_id)
        batch.unrecorded.add(custom_id)
        entry.outcome.set_result(Delivered(answer, custom_id, batch))

    def _settle(self, batch: Batch, without_result: Collection[str], lost: bool) -> int:
        """These requests of a batch have no result: they go again, but not for ever if they are lost; how many go."""
        again = 0
        for custom_id in without_result:
            entry = self._wanted.get(custom_id)
            if entry is not None:
                entry.lost += lost
                if entry.lost >= _IN_VAIN:
                    self._deliver(batch, custom_id, Fault(0, f"nothing came of it in {_IN_VAIN} batches"))
                    continue
                self._again([entry])
                again += 1
            batch.open.discard(custom_id)
        return again

    def _bear_failure(self, batch: Batch, state: State) -> int:
        """The provider did not begin with a batch; how much was learnt by that.

        Raises:
            EndpointRefused: it would not begin with any such batch.
        """
        whole = [fault for number, fault in state.errors if number is None]
        if any(is_crowded(fault) for fault in whole):
            self._room.refused(len(batch.record.requests), self._alone, whole[0].message)
            return 1
        lines = {number: fault for number, fault in state.errors if number is not None}
        for number, fault in lines.items():
            if number <= len(batch.record.requests) and batch.record.requests[number - 1] in batch.open:
                self._deliver(batch, batch.record.requests[number - 1], fault)
        if lines:
            return len(lines)
        fault = whole[0] if whole else Fault(400, "it does not say why")
        trouble = classify(fault, self._profile(batch.record), self._provider.host)
        if trouble.way is Way.FINAL:
            raise EndpointRefused(trouble.message)
        if self._in_vain + 1 >= _IN_VAIN:
            raise EndpointRefused(f"{self._provider.host} refuses every batch: {fault.message}")
        return 0

    def _profile(self, record: BatchRecord) -> ModelProfile:
        """A profile for what is said when something is wrong."""
        profiles = (entry.request.profile for entry in self._wanted.values())
        return next(
            (profile for profile in profiles if profile.model == record.model), ModelProfile(model=record.model)
        )

    # The end.

    def _close_if_done(self, batch: Batch) -> None:
        if batch.done and batch.record.name in self._batches:
            del self._batches[batch.record.name]
            task = asyncio.create_task(self._close(batch))
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    async def _close(self, batch: Batch) -> None:
        """Put on record that a batch is done with: only when all that came of it is written."""
        try:
            await asyncio.to_thread(self._office.written)
            if batch.status != _UNKNOWN or self._register.is_old(batch.record):
                await self._register.end(batch.record, batch.status)
        except GlanError as error:  # then the next run looks at it once more, which costs nothing
            _logger.warning("the end of batch %s was not written: %s", batch.batch_id, error)

    def _fail(self, error: Exception) -> None:
        """Tell everybody who waits. The batches stay on record; whoever asks again takes them up again."""
        entries, self._wanted = list(self._wanted.values()), {}
        for entry in entries:
            self._outbox.take(entry.custom_id)
            if entry.waiting:
                entry.outcome.set_exception(type(error)(str(error)) if isinstance(error, GlanError) else error)
