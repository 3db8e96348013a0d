"""On what terms an endpoint is used: where it is, how many calls at once, how patiently."""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from glan.config import Budget

_OPENAI = "https://api.openai.com/v1"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where calls go; `base_url` None is OpenAI itself. The key never shows."""

    base_url: str | None = None
    api_key: str = field(default="", repr=False)
    batch: bool = False  # by its Batch API instead of call by call

    @property
    def url(self) -> str:
        """The address in use."""
        return self.base_url or _OPENAI

    @property
    def host(self) -> str:
        """The address for people: host and port, without credentials that a URL may carry."""
        return urlsplit(self.url).netloc.rpartition("@")[2] or "the address given"

    @property
    def address(self) -> str:
        """The same with scheme and path: where a batch on record is to be looked for."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{self.host}{parts.path.rstrip('/')}"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a person allows this process. Rates are spread evenly: at most one second's worth at once."""

    max_concurrency: int = 64
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    patience_seconds: float = 1800.0


@dataclass(frozen=True, slots=True)
class Amount:
    """Calls, their tokens and their price."""

    calls: int = 0
    tokens: int = 0
    usd: float = 0.0

    def __add__(self, other: "Amount") -> "Amount":
        return Amount(self.calls + other.calls, self.tokens + other.tokens, self.usd + other.usd)

    def __sub__(self, other: "Amount") -> "Amount":
        return Amount(self.calls - other.calls, self.tokens - other.tokens, self.usd - other.usd)


@dataclass(frozen=True, slots=True)
class Allowance:
    """The caps that hold for this process, and what has been spent of them before it began."""

    caps: Budget
    spent: Amount = Amount()


@dataclass(frozen=True, slots=True)
class Pace:
    """How the gateway waits and gives up. Waits double from the first to the longest, with jitter."""

    first_wait_seconds: float = 0.5
    longest_wait_seconds: float = 30.0
    longest_capacity_wait_seconds: float = 5.0  # after a 429 that does not say how long: asking again costs nothing
    weather_attempts: int = 8  # of one request while others are answered, before it is given up
    outage_after: int = 6  # calls in a row that met weather, before the endpoint counts as down
    backlog_rows: int = 4_000  # rows not yet written, above which new calls wait
    same_refusals: int = 20  # different requests refused alike in a row, before the endpoint is condemned

    def wait(self, nth: int) -> float:
        """Seconds before try `nth` + 1, `nth` counted from 0, without jitter."""
        return float(min(self.longest_wait_seconds, self.first_wait_seconds * 2 ** min(nth, 30)))

    def capacity_wait(self, nth: int) -> float:
        """The same after the `nth` 429 in a row."""
        return min(self.longest_capacity_wait_seconds, self.wait(nth))
