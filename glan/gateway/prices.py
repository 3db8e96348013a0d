"""What calls cost, from the user's own table: USD per million tokens, by model name.

["gpt-4.1"]
input = 2.00
cached_input = 0.50     # optional: as `input`
output = 8.00
"""

import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from glan.config import explain
from glan.errors import InputError


def without_price(model: str) -> InputError:
    """What to say where money is capped and a model's price is not known."""
    return InputError(
        f"budget.usd: model {model} has no price; add it to the table that GLAN_PRICES names, or cap tokens or calls"
    )


class Price(BaseModel):
    """USD per million tokens of one model."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    input: float = Field(ge=0, allow_inf_nan=False)
    cached_input: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    output: float = Field(ge=0, allow_inf_nan=False)


class Prices:
    """A price table. A model that is not in it costs None: unknown, never 0."""

    def __init__(self, table: dict[str, Price] | None = None) -> None:
        self._table = table or {}

    @classmethod
    def load(cls, path: Path | None) -> "Prices":
        """Read the table; None is the empty one.

        Raises:
            InputError: the file is missing, not TOML, or has a wrong entry; names file, field and fix.
        """
        if path is None:
            return cls()
        try:
            given = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise InputError(f"{path}: cannot be read as a TOML table of prices ({error})") from error
        try:
            return cls(TypeAdapter(dict[str, Price]).validate_python(given, strict=True))
        except ValidationError as error:
            hint = 'an entry is ["model"] (in quotes) with input and output in USD per million tokens'
            raise InputError(f"{path}: {explain(error)}; {hint}") from error

    def cost(self, model: str, prompt_tokens: int, cached_tokens: int, completion_tokens: int) -> float | None:
        """USD of one call, or None if the model is not in the table. `prompt_tokens` include the cached ones."""
        price = self._table.get(model)
        if price is None:
            return None
        cached_price = price.input if price.cached_input is None else price.cached_input
        cached = min(cached_tokens, prompt_tokens)
        total = (prompt_tokens - cached) * price.input + cached * cached_price + completion_tokens * price.output
        return total / 1_000_000
