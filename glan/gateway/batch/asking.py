"""The life of one request whose attempts go by batches: read, repaired and recorded as those made at once."""

from glan.batches import custom_id
from glan.errors import EndpointDown
from glan.gateway.answers import Fault
from glan.gateway.asking import Asking, Desk, Exchange
from glan.gateway.batch.courier import Courier
from glan.gateway.batch.parcel import Delivered
from glan.gateway.body import body
from glan.gateway.line import Line
from glan.gateway.recall import Progress
from glan.gateway.requests import Failure, Request
from glan.gateway.trouble import Trouble

_WEATHER_ATTEMPTS = 5
"""Batches in which one request met a fault of the server, before it is given up."""
_CAPACITY_ATTEMPTS = 5
"""Batches in which one request met the provider's limit, before the run is ended for now."""


class BatchAsking(Asking):
    """One request on its way to its value or its failure, attempt by attempt in the next batch.

    Neither limiter nor breaker has a say: the provider carries requests out when it likes.
    """

    def __init__(self, desk: Desk, line: Line, courier: Courier, request: Request, progress: Progress) -> None:
        super().__init__(desk, line, request, progress, rank=0)
        self._courier = courier
        self._delivered: Delivered | None = None

    async def _exchange(self) -> Exchange:
        desk, request, progress = self._desk, self._request, self._progress
        desk.check()
        await desk.room_in_log()
        mode = self._line.structures.mode(request)
        sent = body(request, mode, progress.seeds_used, progress.problem, progress.bad_reply)
        if desk.purse is not None:
            characters = sum(len(message["content"]) for message in sent["messages"])
            self._reserved = await desk.purse.reserve(characters, request.profile, desk.ledger.prices.batch_cost)
        desk.check()
        name = custom_id(request.key, progress.seeds_used)
        delivered = self._delivered = await self._courier.ask(name, request, sent)
        answer = delivered.answer
        trouble = self._trouble(answer, mode) if isinstance(answer, Fault) else None
        return Exchange(answer, trouble, mode, delivered.sent_at, desk.ledger.clock(), delivered.batch_id)

    async def _bear_capacity(self, trouble: Trouble, fault: Fault) -> None:
        self._desk.ledger.totals.rate_limited += 1
        self._rate_limited += 1
        if self._rate_limited >= _CAPACITY_ATTEMPTS:
            raise EndpointDown(f"{trouble.message}; so in {_CAPACITY_ATTEMPTS} batches; run again later")

    async def _bear_weather(self, trouble: Trouble, fault: Fault) -> Failure | None:
        self._desk.ledger.totals.weather += 1
        self._weather += 1
        if self._weather >= _WEATHER_ATTEMPTS or fault.status == 0:  # lost in several batches already
            return self._progress.failed(self._request, "weather", trouble.message)
        return None

    def _record(self, exchange: Exchange, error_kind: str | None, reply: str | None) -> float | None:
        cost = super()._record(exchange, error_kind, reply)
        if self._delivered is not None:
            delivered, self._delivered = self._delivered, None
            self._courier.recorded(delivered)
        return cost
