"""A budget dealt out in shares, one for each process that is started, so that together they stay within it."""

from glan.config import Budget
from glan.settings import Settings
from glan.store import spending
from glan.store.files import Files
from tasks.endpoints import prices_of

_CAPS = ("usd", "tokens", "calls")


class Shares:
    """What is left of a budget is dealt evenly among those still to come; what one leaves over goes back into the rest.

    What was spent under its id before, by an earlier start of the same, counts: a share comes on top of what its
    process has spent of an earlier one.
    """

    def __init__(self, budget: Budget, budget_id: str, files: Files, processes: int) -> None:
        self._id = budget_id
        self._files = files
        self._to_come = processes
        self._dealt: dict[str, Budget] = {}
        self._cost = prices_of(Settings.load()).cost if budget.usd is not None else None
        caps = {name: cap for name in _CAPS if (cap := getattr(budget, name)) is not None}
        before = spending.spent_below(files, f"{budget_id}.", self._cost) if caps else None
        self._left = {name: cap - getattr(before, name) for name, cap in caps.items()}

    @property
    def spent(self) -> bool:
        """Whether nothing is left to deal."""
        return any(self._share(name) <= 0 for name in self._left)

    def deal(self, name: str) -> Budget:
        """The share of the next process, under an id of its own; the same again for the same name."""
        if not self._left:
            return Budget()
        share_id = f"{self._id}.{name}"[:100].rstrip("-.")
        before = spending.spent(self._files, share_id, self._cost)
        more = {cap: self._share(cap) for cap in self._left}
        self._to_come -= 1
        self._left = {cap: left - more[cap] for cap, left in self._left.items()}
        self._dealt[name] = Budget(id=share_id, **{cap: getattr(before, cap) + each for cap, each in more.items()})
        return self._dealt[name]

    def give_back(self, name: str) -> None:
        """A process has ended: what it has not spent is for the others."""
        share = self._dealt.get(name)
        if share is None:
            return
        used = spending.spent(self._files, share.id, self._cost)
        del self._dealt[name]  # not before, so that it can be given back later if the store is away
        for cap in self._left:
            self._left[cap] += getattr(share, cap) - getattr(used, cap)

    def _share(self, cap: str) -> float:
        left = self._left[cap]
        each = left / max(1, self._to_come)
        return each if cap == "usd" else int(max(1, each)) if left >= 1 else 0
