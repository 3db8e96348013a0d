"""What the gateway knows of one endpoint: its client, its limit, its health and its manners."""

import random
import re
from collections.abc import Callable

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
