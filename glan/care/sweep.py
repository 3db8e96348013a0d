"""Removing what nothing needs any more: shown first, looked at again, discipline by discipline under its lease.

Nothing that a reader or a run may still want is among it (see `keeping` and `waste`), so it may be killed at any
moment, and runs, readers and a second sweep may go on meanwhile. A discipline that a run works on is left for another time.
"""

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from glan.care.keeping import Keep
from glan.care.waste import Waste, of_discipline, of_no_discipline
from glan.clock import Clock
from glan.errors import StoreError, StoreWeather
from glan.store.ahead import ahead
from glan.store.leases import Leases
from glan.store.store import Store

LEAST_AGE = datetime.timedelta(hours=1)
"""Readers of a snapshot take their time."""


@dataclass(frozen=True)
class Found:
    """What may go, by discipline ("": what belongs to none); what cannot be judged, and why; runs that may be going on."""

    waste: dict[str, list[Waste]]
    troubles: dict[str, str]
    living: tuple[str, ...]

    @property
    def everything(self) -> list[Waste]:
        """All that may go."""
        return [one for some in self.waste.values() for one in some]


@dataclass(frozen=True)
class Swept:
    """What was removed, and the disciplines that were left for another time, with the reason."""

    removed: list[Waste]
    left: dict[str, str]


def find(store: Store, older_than: datetime.timedelta, clock: Clock) -> Found:
    """What may go of a store; nothing is changed.

    Raises:
        StoreError: a run, snapshot or release on record is damaged, so that nobody knows what they need.
    """
    keep = Keep.of(store.files, older_than, clock())
    waste = {"": of_no_discipline(store.files, keep)}
    troubles = {}
    for discipline_id in store.disciplines():
        try:
            waste[discipline_id] = of_discipline(store, discipline_id, keep)
        except StoreWeather:
            raise
        except StoreError as error:
            troubles[discipline_id] = str(error)
    return Found({name: some for name, some in waste.items() if some}, troubles, keep.living)


def sweep(store: Store, shown: Found, leases: Leases, older_than: datetime.timedelta, clock: Clock) -> Swept:
    """Remove what was shown and may still go.

    Raises:
        StoreError: see `find`; or the store does not let go of a file.
    """
    removed: list[Waste] = []
    left = dict(shown.troubles)
    kept = Keep.of(store.files, older_than, clock())
    for discipline_id, waste in shown.waste.items():
        agreed = {one.path for one in waste}
        other = leases.take(discipline_id) if discipline_id else None
        if other is not None:
            left[discipline_id] = f"run {other.run_id} works on it"
            continue
        try:
            keep = kept.again(store.files, clock())
            now = of_discipline(store, discipline_id, keep) if discipline_id else of_no_discipline(store.files, keep)
            for one in _remove(store, [one for one in now if one.path in agreed]):
                removed.append(one)
                leases.renew()
        finally:
            if discipline_id:
                leases.release(discipline_id)
    return Swept(removed, left)


def _remove(store: Store, waste: Sequence[Waste]) -> Iterator[Waste]:
    """Some files at a time, but no kind of file before those that are to go before it."""

    def remove(one: Waste) -> Waste:
        store.files.delete(one.path)
        return one

    for _, some in groupby(waste, key=lambda one: (one.path.partition("/")[0], one.why)):
        yield from ahead(remove, list(some))
