"""The Batch API of one provider: upload, create, look, fetch. Waits out rate limits and outages; says what is final."""

import asyncio
import itertools
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import replace
from functools import partial
from time import monotonic
from typing import Any
from urllib.parse import quote

from glan.errors import EndpointDown, EndpointRefused, GlanError, InputError
from glan.gateway.answers import Fault, Reply
from glan.gateway.batch.lines import ENDPOINT, Result, State, is_crowded, state
from glan.gateway.breaker import Breaker
from glan.gateway.client import Client
from glan.gateway.terms import Endpoint, Pace
from glan.gateway.trouble import Way, classify
from glan.models import ModelProfile

_WINDOW = "24h"  # the only one that OpenAI knows
_SECONDS = 60.0
_UPLOAD_SECONDS = 1800.0
_PAGE = 100  # batches in one piece of a listing,
_MOST_PAGES = 100  # and how many pieces are looked through
_UNANSWERED = frozenset({0, 502, 504})  # what stands before the provider may have given up on it
_NONE_SUCH = frozenset({404, 405, 410, 501})
_MARK = "glan"  # the metadata by which a batch is found again
_BEFORE_A_SECOND = (1 / 3, 1.0, 2.0)
"""Pauses before each look for a batch whose creation was not answered; it may be there late, or not be listed yet."""
_BETWEEN_LOOKS = (1 / 3, 2 / 3, 1.0, 1.0)
"""Pauses before it is believed that a thing is not there: a copy may lag behind, a proxy may err (90 seconds in all)."""

Json = dict[str, Any]


class Crowded(GlanError):
    """The provider takes this batch only when others have ended, or if it is smaller."""


class Provider:
    """Calls of one endpoint that carry batches. Belongs to one event loop."""

    def __init__(
        self, endpoint: Endpoint, client: Client, breaker: Breaker, pace: Pace, patience_seconds: float
    ) -> None:
        self.host = endpoint.host
        self._client = client
        self._breaker = breaker
        self._pace = pace
        self._patience = patience_seconds
        self._names = itertools.count()
        self._random = random.Random(0)  # of waiting times alone

    async def upload(self, name: str, content: bytes, profile: ModelProfile) -> str:
        """Store the lines of a batch at the provider; the id of the file.

        Raises:
            Crowded: the file is too large.
            EndpointRefused, EndpointDown: as everywhere here.
        """
        file = ("file", (f"{name}.jsonl", content, "application/jsonl"))
        options = {"headers": {"Content-Type": "multipart/form-data"}}
        given = await self._trial(profile).of(
            lambda: self._client.post(
                "/files", _UPLOAD_SECONDS, body={"purpose": "batch"}, files=[file], options=options
            )
        )
        return self._id(given)

    async def create(self, file_id: str, name: str, profile: ModelProfile) -> str:
        """Have the file carried out; the id of the batch. Where an answer was lost, the batch is looked for at length.

        Raises:
            Crowded: too much is waiting already.
        """
        body = {
            "input_file_id": file_id,
            "endpoint": ENDPOINT,
            "completion_window": _WINDOW,
            "metadata": {_MARK: name},
        }
        trial = self._trial(profile)
        while True:
            given = await trial.once(lambda: self._client.post("/batches", _SECONDS, body=body))
            if given is not None:
                return self._id(given)
            if found := await self._created(file_id, name, profile, _BEFORE_A_SECOND if trial.unanswered else (0.0,)):
                return found

    async def _created(self, file_id: str, name: str, profile: ModelProfile, pauses: Iterable[float]) -> str | None:
        """The id of the batch of this file, if it was created though its answer was lost; None: it never turned up."""
        for times in pauses:
            await self.pause(times)
            found = await self._listed_one(
                profile, lambda batch: _mark(batch) == name or batch.get("input_file_id") == file_id
            )
            if found is not None:
                return str(found["id"])
        return None

    async def find(self, names: Collection[str], profile: ModelProfile) -> dict[str, str]:
        """The ids of those of these batches that are there."""
        found: dict[str, str] = {}
        async for batch in self._listing(profile):
            if (mark := _mark(batch)) in names:
                found.setdefault(mark, batch["id"])
            if len(found) == len(names):
                break
        return found

    async def _listed_one(self, profile: ModelProfile, fits: Callable[[Json], bool]) -> Json | None:
        """The newest batch of the listing that fits."""
        async for batch in self._listing(profile):
            if fits(batch):
                return batch
        return None

    async def _listing(self, profile: ModelProfile) -> AsyncIterator[Json]:
        """The batches that are there, as the provider shows them; the newest first."""
        after: Json = {}
        for _ in range(_MOST_PAGES):
            page = partial(self._client.get, "/batches", _SECONDS, {"limit": _PAGE, **after})
            given = await self._trial(profile).of(page)
            listed = given.get("data") if isinstance(given, dict) else None
            batches = [batch for batch in listed or [] if isinstance(batch, dict) and isinstance(batch.get("id"), str)]
            for batch in batches:
                yield batch
            last = {"after": batches[-1]["id"]} if batches else {}
            if not last or last == after or not given.get("has_more"):
                return
            after = last

    async def state(self, batch_id: str, profile: ModelProfile) -> State | None:
        """How a batch stands; None: the provider does not know it (any more), nor has it in its listing."""
        path = f"/batches/{quote(batch_id, safe='')}"
        given = await self._trial(profile, may_miss=True).of(lambda: self._client.get(path, _SECONDS))
        if isinstance(given, Fault):
            given = await self._listed_one(profile, lambda batch: batch["id"] == batch_id)
        if given is None:
            return None
        seen = state(given)
        errors = [(line, replace(fault, message=self._client.scrubbed(fault.message))) for line, fault in seen.errors]
        return replace(seen, errors=tuple(errors))

    async def lines(self, file_id: str, profile: ModelProfile) -> AsyncIterator[bytes]:
        """The lines of a file; some come again when a transfer broke off. None if the file is gone for good."""
        path = f"/files/{quote(file_id, safe='')}/content"
        trial = self._trial(profile, may_miss=True)
        while True:
            fault: Fault | None = None
            async for line in self._client.lines(path, _SECONDS):
                if isinstance(line, Fault):
                    fault = line
                else:
                    yield line
            if fault is None or await trial.bear(fault):
                return

    def answer(self, result: Result) -> Reply | Fault:
        """What became of one request."""
        headers = {"x-request-id": result.request_id} if result.request_id else {}
        return self._client.read(result.body, result.status, headers)

    def _trial(self, profile: ModelProfile, may_miss: bool = False) -> "_Trial":
        return _Trial(self, profile, may_miss, f"batch {next(self._names)}")

    def _id(self, given: Any) -> str:
        if isinstance(given, dict) and isinstance(given.get("id"), str) and given["id"]:
            return str(given["id"])
        raise EndpointRefused(f"{self.host} answers as no Batch API does: no id; set GLAN_MODE=realtime")

    # What a trial needs.

    @property
    def breaker(self) -> Breaker:
        """The health of the endpoint, shared with the calls made at once."""
        return self._breaker

    async def rest(self, nth: int, at_least: float) -> None:
        """Wait before the next try."""
        await asyncio.sleep(max(at_least, self._pace.wait(nth) * (1 + self._random.random()) / 2))

    @property
    def patience_seconds(self) -> float:
        """How long one call is tried."""
        return self._patience

    async def pause(self, times: float) -> None:
        """Wait so many times the longest wait between two tries."""
        await asyncio.sleep(times * self._pace.longest_wait_seconds)


class _Trial:
    """One call, tried until it is answered, or until it is clear that it will not be."""

    def __init__(self, provider: Provider, profile: ModelProfile, may_miss: bool, name: str) -> None:
        self._provider, self._profile, self._may_miss, self._name = provider, profile, may_miss, name
        self._tried = 0
        self._missed = 0
        self._since: float | None = None
        self.unanswered = False  # the last try: what it asked for may be under way all the same

    async def of(self, call: Callable[[], Awaitable[Any]]) -> Any:
        """The JSON of the answer, or the fault if the thing asked for may be missing and is."""
        while True:
            given = await self.once(call)
            if given is not None:
                return given

    async def once(self, call: Callable[[], Awaitable[Any]]) -> Any | None:
        """The same of a single try; None: it met weather, which has been waited out."""
        await self._provider.breaker.pass_through(self._name)
        try:
            given = await call()
        finally:
            self._provider.breaker.release(self._name)
        if not isinstance(given, Fault):
            self._provider.breaker.answered()
            return given
        return given if await self.bear(given) else None

    async def bear(self, fault: Fault) -> bool:
        """Wait before the next try. True: there is none, for the thing asked for is missing, at every look.

        Raises:
            Crowded, EndpointRefused, EndpointDown: it is no use.
        """
        host = self._provider.host
        if fault.status in _NONE_SUCH:
            if not self._may_miss:
                raise EndpointRefused(without_batches(host, fault.status))
            return await self._is_missing()
        if is_crowded(fault):
            raise Crowded(fault.message or f"{host} finds the file too large")
        trouble = classify(fault, self._profile, host)
        if trouble.way not in (Way.WEATHER, Way.CAPACITY):
            final = trouble.way is Way.FINAL
            raise EndpointRefused(
                trouble.message if final else f"{host} refuses a batch ({fault.status}): {fault.message}"
            )
        self.unanswered = fault.status in _UNANSWERED
        self._since = self._since or monotonic()
        if trouble.way is Way.WEATHER:
            self._provider.breaker.failed(self._name, trouble)
        else:
            self._provider.breaker.answered()
        left = self._provider.patience_seconds - (monotonic() - self._since)
        if left < 0:
            waited = f"gave up after {self._provider.patience_seconds:.0f} s; run again later"
            raise EndpointDown(f"{trouble.message}; {waited}")
        await self._provider.rest(self._tried, min(fault.retry_after or 0.0, left))
        self._tried += 1
        return False

    async def _is_missing(self) -> bool:
        """Whether it was said often enough that the thing is not there; else wait before the next look."""
        if self._missed == len(_BETWEEN_LOOKS):
            return True
        await self._provider.pause(_BETWEEN_LOOKS[self._missed])
        self._missed += 1
        return False


def _mark(batch: Json) -> str:
    metadata = batch.get("metadata")
    return str(metadata.get(_MARK)) if isinstance(metadata, dict) else ""


def without_batches(host: str, status: int) -> str:
    """What to say of an endpoint that has no Batch API."""
    return f"GLAN_MODE=batch: {host} has no Batch API ({status} for /batches); set GLAN_MODE=realtime, or mode in the model profile"


async def check(endpoint: Endpoint) -> None:
    """Look whether an endpoint has a Batch API. One that does not answer at all is not judged.

    Raises:
        InputError: it has none.
    """
    client = Client(endpoint)
    try:
        given: Mapping[str, Any] | Fault = await client.get("/batches", 10.0, {"limit": 1})
    finally:
        await client.close()
    if isinstance(given, Fault) and given.status in _NONE_SUCH:
        raise InputError(without_batches(endpoint.host, given.status))
