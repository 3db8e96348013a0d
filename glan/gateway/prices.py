"""What calls cost: by the user's own table, else by the list of public prices; what neither has is unknown, never 0.

["gpt-4.1"]
input = 2.00
cached_input = 0.50     # optional: as `input`
output = 8.00
batch = 0.5             # optional, 1: share of these prices that a call in batch mode costs
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from glan.checks import explain, toml
from glan.errors import InputError
from glan.keys import digest

Cost = Callable[[str, float, float, float], float | None]
"""USD of (model, prompt tokens, cached tokens, completion tokens), which may be means; None if the price is unknown."""

_DIGITS = 12
_MOST = 1_000_000


@dataclass(frozen=True, slots=True)
class Rate:
    """USD per million tokens, of calls with a prompt of more than `above` tokens."""

    input: float
    cached_input: float
    output: float
    above: int = -1


Tariff = Sequence[Rate]
"""The rates of one model, those for longer prompts last."""


@dataclass(frozen=True, slots=True)
class PublicPrices:
    """A list of public prices: `source` names it and its version, `tariff` looks up (model, whether in batch mode)."""

    source: str
    tariff: Callable[[str, bool], Tariff | None]


def without_price(model: str, batch: bool = False) -> InputError:
    """What to say where money is capped and a model's price is not known."""
    return InputError(
        f"budget.usd: model {model} has no price{' in batch mode' if batch else ''}; add it to the table that GLAN_PRICES names, or cap tokens or calls"
    )


class Price(BaseModel):
    """What one model costs by the user's table, in USD per million tokens."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    input: float = Field(ge=0, le=_MOST, allow_inf_nan=False)
    cached_input: float | None = Field(default=None, ge=0, le=_MOST, allow_inf_nan=False)
    output: float = Field(ge=0, le=_MOST, allow_inf_nan=False)
    batch: float = Field(default=1.0, ge=0, le=1, description="share of these prices in batch mode")

    def tariff(self, batch: bool) -> Tariff:
        """The one rate that holds for all calls."""
        share = self.batch if batch else 1.0
        cached = self.input if self.cached_input is None else self.cached_input
        return [Rate(share * self.input, share * cached, share * self.output)]


class Prices:
    """What calls cost. The user's table goes first; a model that is nowhere costs None: unknown, never 0."""

    def __init__(
        self,
        table: Mapping[str, Price] | None = None,
        *,
        source: str = "table",
        public: PublicPrices | None = None,
    ) -> None:
        self._table = table or {}
        self._source = source
        self._public = public

    @classmethod
    def load(cls, path: Path | None, public: PublicPrices | None = None) -> "Prices":
        """Read the table; None is the empty one.

        Raises:
            InputError: the file is missing, not TOML, or has a wrong entry; names file, field and fix.
        """
        if path is None:
            return cls(public=public)
        given = toml(path, "table of prices")
        try:
            table = TypeAdapter(dict[str, Price]).validate_python(given, strict=True)
        except ValidationError as error:
            hint = 'an entry is ["model"] (in quotes) with input and output in USD per million tokens'
            raise InputError(f"{path}: {explain(error)}; {hint}") from error
        content = digest({model: price.model_dump() for model, price in table.items()})
        return cls(table, source=f"table {content[:_DIGITS]}", public=public)

    def cost(self, model: str, prompt_tokens: float, cached_tokens: float, completion_tokens: float) -> float | None:
        """USD of a call that is answered at once, or None. `prompt_tokens` include the cached ones."""
        return _total(self._tariff(model, batch=False), prompt_tokens, cached_tokens, completion_tokens)

    def batch_cost(
        self, model: str, prompt_tokens: float, cached_tokens: float, completion_tokens: float
    ) -> float | None:
        """The same of a call in batch mode."""
        return _total(self._tariff(model, batch=True), prompt_tokens, cached_tokens, completion_tokens)

    def source(self, model: str) -> str | None:
        """Where the model's price is from: the table by its digest, or the list by its version; None: unknown."""
        if model in self._table:
            return self._source
        if self._public is None or self._public.tariff(model, False) is None:
            return None
        return self._public.source

    def _tariff(self, model: str, batch: bool) -> Tariff | None:
        if model in self._table:
            return self._table[model].tariff(batch)
        return self._public.tariff(model, batch) if self._public else None


def _total(tariff: Tariff | None, prompt_tokens: float, cached_tokens: float, completion_tokens: float) -> float | None:
    if tariff is None:
        return None
    rate = [rate for rate in tariff if prompt_tokens > rate.above][-1]
    cached = min(cached_tokens, prompt_tokens)
    total = (prompt_tokens - cached) * rate.input + cached * rate.cached_input + completion_tokens * rate.output
    return total / 1_000_000
