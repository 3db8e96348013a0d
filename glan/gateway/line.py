"""What the gateway knows of one endpoint: its client, its limit, its health and its manners."""

import random
import re
from collections.abc import Callable

from glan.gateway.batch.courier import Batching, Courier, Office
from glan.gateway.batch.provider import Provider
from glan.gateway.breaker import Breaker
from glan.gateway.client import Client
from glan.gateway.limiter import Limiter
from glan.gateway.structure import Structures
from glan.gateway.terms import Endpoint, Limits, Pace

_VARYING = re.compile(r"[^ ]*[0-9][^ ]*")  # numbers and ids differ from request to request


class Line:
    """The connection to one endpoint, shared by all calls to it."""

    def __init__(
        self, endpoint: Endpoint, limits: Limits, pace: Pace, notify: Callable[[str], None], randomness: random.Random
    ) -> None:
        self.host = endpoint.host
        self.client = Client(endpoint)
        self.limiter = Limiter(limits.max_concurrency, pace, randomness)
        self.breaker = Breaker(endpoint.host, limits.patience_seconds, pace, notify)
        self.structures = Structures()
        self.refusals = Refusals(pace.same_refusals)
        self.courier: Courier | None = None
        self._endpoint, self._pace, self._patience = endpoint, pace, limits.patience_seconds

    def open_batches(self, batching: Batching, office: Office) -> None:
        """Have the calls go by the endpoint's Batch API."""
        provider = Provider(self._endpoint, self.client, self.breaker, self._pace, self._patience)
        self.courier = Courier(provider, self._endpoint.address, batching, office)

    async def close(self) -> None:
        """Close all connections; batches stay where they are."""
        if self.courier:
            await self.courier.close()
        await self.client.close()


class Refusals:
    """Notices when different requests are refused alike: then it is the endpoint, not the requests."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._said = ""
        self._keys: set[str] = set()

    def refused(self, key: str, kind: str, message: str) -> bool:
        """Whether this refusal condemns the endpoint."""
        said = f"{kind}: {_VARYING.sub('#', message)[:120]}"
        if said != self._said:
            self._said, self._keys = said, set()
        self._keys.add(key)
        return len(self._keys) >= self._most

    def answered(self) -> None:
        """A request was answered: the refusals before it were about their requests."""
        self._keys.clear()
