"""What of a store has to stay: what is current, was so lately, or is named by a release.

All ages are those of the listing, by the store's own clock.
"""

import datetime
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from glan.errors import StoreError
from glan.release import releases
from glan.store import leases, runs, snapshots
from glan.store.files import Entry, Files

MAY_LIVE = datetime.timedelta(days=7)
"""A run that has not come to an end counts as living for so long, or while it holds a lease."""

LAPSED = datetime.timedelta(hours=1)
"""A run whose lease has lapsed since may still be living, on a machine that was asleep."""

_NUMBERED = re.compile(r"\d+\.json", re.ASCII)

SWEEPING = "gc"
"""The name under which a sweep holds leases itself."""


@dataclass(frozen=True)
class Keep:
    """What stays. `horizon`: what was done with before this moment may go."""

    horizon: datetime.datetime
    living: tuple[str, ...]
    """Runs that may be going on."""

    old_snapshots: tuple[Entry, ...]
    generations: Mapping[tuple[str, str], frozenset[int]]
    """By discipline and stage, what the snapshots that stay name."""

    @classmethod
    def of(cls, files: Files, older_than: datetime.timedelta, now: datetime.datetime) -> "Keep":
        """What stays of a store.

        Raises:
            StoreError: the record of a run, a snapshot or a release is damaged.
        """
        living = dict(_living(files, now))
        horizon = min([now - older_than, *living.values()])
        entries = files.list(snapshots.FOLDER)
        released = _released(files)
        old = [one for one in superseded(entries, horizon) if number_of(one) not in released]
        named: dict[tuple[str, str], set[int]] = {}
        for entry in entries:
            if entry not in old:
                for discipline_id, stages in snapshots.at(files, number_of(entry)).generations.items():
                    for stage, generation in stages.items():
                        named.setdefault((discipline_id, stage), set()).add(generation)
        return cls(horizon, tuple(living), tuple(old), {key: frozenset(some) for key, some in named.items()})

    def again(self, files: Files, now: datetime.datetime) -> "Keep":
        """The same, with the runs that may be going on by now."""
        living = dict(_living(files, now))
        return replace(self, living=tuple(living), horizon=min([self.horizon, *living.values()]))


def superseded(entries: Sequence[Entry], horizon: datetime.datetime) -> list[Entry]:
    """Of numbered files, those that have not been the latest at any time since the horizon."""
    ordered = sorted(entries, key=lambda entry: entry.path)
    return [one for one, following in itertools.pairwise(ordered) if following.modified < horizon]


def number_of(entry: Entry) -> int:
    """The number that a snapshot or a generation is named by.

    Raises:
        StoreError: it is neither.
    """
    name = entry.path.rpartition("/")[2]
    if not _NUMBERED.fullmatch(name):
        raise StoreError(f"{entry.path} is none of the numbered files that belong there; move it out of the store")
    return int(name.removesuffix(".json"))


def _released(files: Files) -> set[int]:
    """The snapshots that releases were made from, finished or only begun."""
    plans = (releases.begun(files, name) for name in releases.named(files.names(releases.FOLDER)))
    return {plan.snapshot for plan in plans if plan is not None}


def _living(files: Files, now: datetime.datetime) -> Iterator[tuple[str, datetime.datetime]]:
    """Runs that may be going on, with their beginning."""
    holders = leases.holders(files, now, LAPSED) - {SWEEPING}
    unended = {record.run_id: record.started_at for record in runs.unended(files)}
    for run_id, started_at in unended.items():
        if run_id in holders or now - started_at < MAY_LIVE:
            yield run_id, started_at
    for run_id in holders - set(runs.ids(files)):
        yield run_id, now - MAY_LIVE
