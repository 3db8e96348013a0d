"""What a run has done so far, counted in its process: for the terminal's bars, the artifacts and the end state."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from time import monotonic

from glan.costs import Spent
from glan.curation.curate import Verdicts
from glan.units import STAGES, Receipt, Stage, quarantined, stages_with

_SAID_AGAIN_AFTER_SECONDS = 60.0


@dataclass(frozen=True)
class Count:
    """Figures of one stage of one discipline. `known` units are those found so far: done, open or failed.

    `planned` rows are those that this run set out to make: rows made now, and rows in quarantine now. `spent` is what
    its calls took, whatever came of them; what was answered before this run takes none.
    """

    known: int = 0
    done_before: int = 0
    made: int = 0
    failed: int = 0
    rows: int = 0
    planned: int = 0
    quarantined: int = 0
    quarantined_before: int = 0
    spent: Spent = field(default_factory=Spent)

    def plus(self, other: "Count") -> "Count":
        """The sum."""
        return Count(**{name: getattr(self, name) + getattr(other, name) for name in self.__dataclass_fields__})

    def after(self, earlier: "Count") -> "Count":
        """This count of a run that went on from an earlier one, as if both were one run."""
        added = Count(
            done_before=-earlier.made,
            made=earlier.made,
            planned=earlier.planned,
            quarantined=earlier.quarantined,
            quarantined_before=-earlier.quarantined,
            spent=earlier.spent,
        )
        return self.plus(added)


@dataclass
class Progress:
    """The counts of one run, by discipline and stage, what there was to say, and why units failed. Safe to use from any thread."""

    counts: dict[tuple[str, Stage], Count] = field(default_factory=dict)
    failures: list[tuple[str, str]] = field(default_factory=list)
    holes: list[Receipt] = field(default_factory=list)  # units of this run with rows in quarantine
    skipped: list[str] = field(default_factory=list)  # disciplines that were left to other runs
    fatal: str | None = None
    spent: str | None = None  # what the budget says, once it is spent
    verdicts: Verdicts = field(default_factory=Verdicts)
    _said: list[str] = field(default_factory=list)
    _not_before: dict[str, float] = field(default_factory=dict)  # by message: when it may be said again
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def found(self, discipline_id: str, stage: Stage) -> None:
        """A unit has become known."""
        self._add(discipline_id, stage, Count(known=1))

    def was_done(self, receipt: Receipt) -> None:
        """A unit was committed before this run."""
        self._add(
            receipt.discipline_id,
            receipt.stage,
            Count(done_before=1, rows=receipt.rows, quarantined_before=quarantined([receipt])),
        )

    def were_done(self, discipline_id: str, stage: Stage, units: int, rows: int, quarantined: int) -> None:
        """So many units were known to be committed before this run."""
        self._add(
            discipline_id, stage, Count(known=units, done_before=units, rows=rows, quarantined_before=quarantined)
        )

    def made(self, receipt: Receipt) -> None:
        """A unit was committed by this run."""
        count = Count(
            made=1,
            rows=receipt.rows,
            planned=receipt.planned,
            quarantined=receipt.quarantined,
            quarantined_before=-receipt.closes,  # they are rows now, or in this unit's own quarantine
        )
        self._add(receipt.discipline_id, receipt.stage, count)
        if receipt.quarantined:
            with self._lock:
                self.holes.append(receipt)

    def failed(self, discipline_id: str, stage: Stage, node: str, reason: str) -> None:
        """A unit could not be committed; the next run tries it again."""
        self._add(discipline_id, stage, Count(failed=1))
        with self._lock:
            self.failures.append((f"{stage} {node}", reason))

    def called(self, discipline_id: str, stage: str, spent: Spent) -> None:
        """A model was asked, and this is what it took. Drafts of a taxonomy belong to no stage and are not counted."""
        if stage in STAGES:
            self._add(discipline_id, stage, Count(spent=spent))

    def take_spent(self) -> dict[tuple[str, Stage], Spent]:
        """What the calls of this process took since the last time, for another process that counts for all."""
        with self._lock:
            taken = {key: count.spent for key, count in self.counts.items() if count.spent.calls}
            self.counts.update({key: replace(self.counts[key], spent=Spent()) for key in taken})
        return taken

    def say(self, message: str) -> None:
        """Something that a person who watches should know, such as an endpoint that is down; what many say, once."""
        with self._lock:
            if monotonic() < self._not_before.get(message, 0.0):
                return
            self._not_before[message] = monotonic() + _SAID_AGAIN_AFTER_SECONDS
            self._said.append(message)
        for tell in _listeners:
            tell(message)

    def take_messages(self) -> list[str]:
        """What was said since the last call."""
        with self._lock:
            said, self._said = self._said, []
        return said

    def ended_by(self, reason: str) -> None:
        """The run cannot go on, for this reason."""
        with self._lock:
            self.fatal = self.fatal or reason

    def spent_by(self, reason: str) -> None:
        """The budget is spent: nothing more is asked, but nothing went wrong."""
        with self._lock:
            self.spent = self.spent or reason

    def goes_on_with(self, later: "Progress") -> None:
        """Take in a run that went on from this one: what stands after it, and what both of them did."""
        with self._lock:
            for key, count in later.counts.items():
                self.counts[key] = count.after(self.counts.get(key, Count()))
            self.failures += later.failures
            self.holes += later.holes
            self.skipped = later.skipped
            self.fatal, self.spent, self.verdicts = later.fatal, later.spent, later.verdicts

    @property
    def over(self) -> bool:
        """Whether no further discipline may begin."""
        return self.fatal is not None or self.spent is not None

    def by_stage(self, discipline_id: str | None = None) -> Mapping[Stage, Count]:
        """Sums by stage, of one discipline or of all; of optional stages where there are any units."""
        with self._lock:
            counts = dict(self.counts)
        sums = {stage: Count() for stage in stages_with({stage for _, stage in counts})}
        for (discipline, stage), count in counts.items():
            if discipline_id in (None, discipline):
                sums[stage] = sums[stage].plus(count)
        return sums

    def total(self, discipline_id: str | None = None) -> Count:
        """The sum over all stages."""
        total = Count()
        for count in self.by_stage(discipline_id).values():
            total = total.plus(count)
        return total

    def _add(self, discipline_id: str, stage: Stage, more: Count) -> None:
        with self._lock:
            key = (discipline_id, stage)
            self.counts[key] = self.counts.get(key, Count()).plus(more)


_listeners: list[Callable[[str], None]] = []
_runs: dict[str, Progress] = {"": Progress()}


def of(run_id: str) -> Progress:
    """The progress of a run in this process."""
    return _runs.setdefault(run_id, Progress())


def listen(tell: Callable[[str], None]) -> None:
    """Have everything that any run of this process says told at once, from whatever thread says it."""
    _listeners.append(tell)


def latest() -> Progress:
    """The progress of the run begun last in this process; empty before the first."""
    return next(reversed(_runs.values()))
