"""The purse of a process: reserved before a call is sent, settled afterwards by what the call has used.

Belongs to one event loop. Calls that do not fit wait in the order in which they came while others are in flight, for
those may use less than was reserved. When none is in flight and the next does not fit, the budget is spent for good.
"""

import asyncio
from collections import deque
from collections.abc import Callable

from glan.errors import BudgetSpent
from glan.gateway.ledger import Usage
from glan.gateway.prices import Cost, without_price
from glan.gateway.terms import Allowance, Amount
from glan.models import ModelProfile

_CHARACTERS_PER_TOKEN = 4
_FIRST_REPLY = 500  # tokens, assumed until there are replies to learn from
_REMEMBERED_REPLIES = 50


class Purse:
    """What is left of an allowance. It is overdrawn at most by what calls in flight use beyond their reservations."""

    def __init__(self, allowance: Allowance, cost: Cost, notify: Callable[[str], None]) -> None:
        self._caps = allowance.caps
        self._cost = cost
        self._notify = notify
        self._counts_itself = False
        self._spent = allowance.spent
        self._reserved = Amount()
        self._waiting: deque[tuple[Amount, asyncio.Future[None]]] = deque()
        self._ended: str | None = None
        self._mean_reply = float(_FIRST_REPLY)
        self._replies = 0

    async def reserve(self, characters: int, profile: ModelProfile, cost: Cost | None = None) -> Amount:
        """Set aside what a call with a prompt of so many characters may use; it has to be settled afterwards.

        `cost` is what it costs, where that is not the usual.

        Raises:
            BudgetSpent: it does not fit, and nothing is in flight that could make room.
            InputError: money is capped and the model has no price.
        """
        wanted = self._expected(characters, profile, cost or self._cost)
        if self._ended is None and not self._waiting and self._fits(wanted):
            self._reserved += wanted
            return wanted
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append((wanted, turn))
        self._admit()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.exception() is None:  # its turn came just before
                self._reserved -= wanted
                self._admit()
            raise
        return wanted

    def settle(self, reserved: Amount, usage: Usage | None) -> None:
        """A call is over. What nobody knows of its use counts as reserved; None: nothing is known at all."""
        calls, tokens, usd = reserved.calls, reserved.tokens, reserved.usd
        if usage is not None:
            calls = min(calls, usage.calls)
        if usage is not None and usage.prompt_tokens is not None and usage.completion_tokens is not None:
            tokens = usage.prompt_tokens + usage.completion_tokens
            usd = reserved.usd if usage.cost_usd is None else usage.cost_usd
            self._learn(usage.completion_tokens)
        self._reserved -= reserved
        self._spent += Amount(calls, tokens, usd)
        self._admit()

    def not_counted(self, host: str) -> None:
        """An endpoint gave a reply and did not say how many tokens it took: said once, for the budget is then a guess."""
        if not self._counts_itself and (self._caps.tokens is not None or self._caps.usd is not None):
            self._counts_itself = True
            self._notify(f"{host} does not count tokens; the budget goes by what is set aside for each call")

    def _expected(self, characters: int, profile: ModelProfile, cost: Cost) -> Amount:
        prompt = characters // _CHARACTERS_PER_TOKEN + 1
        reply = profile.max_tokens or round(self._mean_reply)
        if self._caps.usd is None:
            return Amount(1, prompt + reply)
        usd = cost(profile.model, prompt, 0, reply)
        if usd is None:
            raise without_price(profile.model)
        return Amount(1, prompt + reply, usd)

    def _learn(self, completion_tokens: int) -> None:
        if completion_tokens:  # an HTTP error says nothing of how long replies are
            self._replies += 1
            self._mean_reply += (completion_tokens - self._mean_reply) / min(self._replies, _REMEMBERED_REPLIES)

    def _fits(self, wanted: Amount) -> bool:
        return self._short_of(self._spent + self._reserved + wanted) is None

    def _short_of(self, total: Amount) -> str | None:
        """The first cap that so much would go beyond."""
        for name in ("calls", "tokens", "usd"):
            cap = getattr(self._caps, name)
            if cap is not None and getattr(total, name) > cap:
                return name
        return None

    def _admit(self) -> None:
        """Let those go on who wait and now fit; end all if nobody can."""
        while self._waiting:
            wanted, turn = self._waiting[0]
            if turn.done():  # gave up waiting
                self._waiting.popleft()
            elif self._ended is not None:
                self._waiting.popleft()
                turn.set_exception(BudgetSpent(self._ended))
            elif self._fits(wanted):
                self._waiting.popleft()
                self._reserved += wanted
                turn.set_result(None)
            elif self._reserved.calls:
                return
            else:
                self._ended = self._sentence(wanted)

    def _sentence(self, wanted: Amount) -> str:
        short = self._short_of(self._spent + self._reserved + wanted)
        if short == "calls":
            return f"the budget is spent: {self._spent.calls:,} of {self._caps.calls:,} calls"
        if short == "tokens":
            figures = f"{self._spent.tokens:,} of {self._caps.tokens:,} tokens"
            return f"the budget is spent: {figures}, and the next call may use {wanted.tokens:,}"
        figures = f"{_dollars(self._spent.usd)} of {_dollars(self._caps.usd or 0.0)}"
        return f"the budget is spent: {figures}, and the next call may cost {_dollars(wanted.usd)}"


def _dollars(value: float) -> str:
    return f"${value:,.2f}" if value >= 100 else f"${value:.4g}"
