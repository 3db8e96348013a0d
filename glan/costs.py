"""What calls took, summed up, and how money is said."""

from dataclasses import dataclass

from glan.wording import counted


@dataclass(frozen=True, slots=True)
class Spent:
    """What some attempts took, those whose replies could not be used included.

    `unpriced` of them cost nobody knows what: a model without a price, or a call that broke off.
    """

    calls: int = 0
    understood: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float = 0.0
    unpriced: int = 0

    @property
    def tokens(self) -> int:
        """Sent and received."""
        return self.prompt_tokens + self.completion_tokens

    @property
    def known_cost_usd(self) -> float | None:
        """The cost of all calls whose cost is known; None where of none it is."""
        return None if self.unpriced and not self.cost_usd else self.cost_usd

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(**{name: getattr(self, name) + getattr(other, name) for name in self.__dataclass_fields__})


def dollars(value: float) -> str:
    """US dollars."""
    return f"${value:,.2f}" if value >= 1 or not value else f"${value:,.4f}"


def money(spent: Spent) -> str:
    """US dollars; what is unknown is said, never shown as nothing."""
    if not spent.unpriced:
        return dollars(spent.cost_usd)
    known = spent.known_cost_usd
    return "unknown" if known is None else f"{dollars(known)} + {counted(spent.unpriced, 'call')} of unknown cost"
