"""Advisory leases: which run works on a discipline, so that a second one can wait, skip it or share it.

Nothing rests on them: two runs that both believe to hold a lease make the same tables as one. A lease is renewed while
its run lives and lapses soon after; that of a process of this machine which is gone lapses at once. One that is seen
not to be renewed has lapsed too, whatever the clock of its machine made it last until.
"""

import datetime
import logging
from collections.abc import Callable

from pydantic import BaseModel, ConfigDict, ValidationError

from glan.clock import Clock
from glan.errors import StoreError
from glan.store.files import Files

LASTS = datetime.timedelta(seconds=45)
RENEWED_EVERY = datetime.timedelta(seconds=10)

_logger = logging.getLogger(__name__)


class Holder(BaseModel):
    """Who holds a lease: the run, and the process that works for it."""

    model_config = ConfigDict(frozen=True)

    run_id: str
    host: str
    process: int


class _Lease(BaseModel):
    holder: Holder
    until: datetime.datetime


class Leases:
    """The leases of one run. Not safe to use from several threads at once."""

    def __init__(
        self,
        files: Files,
        holder: Holder,
        clock: Clock,
        alive: Callable[[int], bool],
    ) -> None:
        """`alive` says whether a process of this machine is running."""
        self._files = files
        self._holder = holder
        self._clock = clock
        self._alive = alive
        self._held: dict[str, datetime.datetime] = {}
        self._seen: dict[str, tuple[_Lease, datetime.datetime]] = {}  # of others, and since when it is as it is

    def take(self, discipline_id: str) -> Holder | None:
        """Take the lease; returns the other run that has it, in which case it is not taken.

        A store that does not say whose it is holds nobody up: then it is not taken either.
        """
        try:
            other = self._other(discipline_id)
        except StoreError as error:
            _logger.warning("nobody knows whose the lease of %s is: %s", discipline_id, error)
            return None
        if other is None:
            self._write(discipline_id)
        return other

    def renew(self) -> None:
        """Renew what is held and due; call it every few seconds."""
        for discipline_id, written in list(self._held.items()):
            if self._clock() - written >= RENEWED_EVERY:
                self._write(discipline_id)

    def release(self, discipline_id: str) -> None:
        """Give the lease back, if it is held and still this run's."""
        if self._held.pop(discipline_id, None) is None:
            return
        try:
            if self._other(discipline_id) is None:
                self._files.delete(_path(discipline_id))
        except StoreError as error:
            _logger.warning("the lease of %s was not given back and lapses by itself: %s", discipline_id, error)

    def release_all(self) -> None:
        """Give back whatever is held."""
        for discipline_id in list(self._held):
            self.release(discipline_id)

    def _other(self, discipline_id: str) -> Holder | None:
        try:
            lease = _Lease.model_validate_json(self._files.read(_path(discipline_id)))
        except (FileNotFoundError, ValidationError):  # what nobody can read holds nobody up
            return None
        holder = lease.holder
        gone = holder.host == self._holder.host and not self._alive(holder.process)
        if holder.run_id == self._holder.run_id or self._has_lapsed(discipline_id, lease) or gone:
            return None
        return holder

    def _has_lapsed(self, discipline_id: str, lease: _Lease) -> bool:
        now = self._clock()
        seen, since = self._seen.get(discipline_id, (lease, now))
        self._seen[discipline_id] = (lease, since if seen == lease else now)
        return lease.until <= now or (seen == lease and now - since > LASTS)

    def _write(self, discipline_id: str) -> None:
        now = self._clock()
        body = _Lease(holder=self._holder, until=now + LASTS).model_dump_json().encode()
        try:
            self._files.replace(_path(discipline_id), body)
            self._held[discipline_id] = now
        except StoreError as error:
            _logger.warning("the lease of %s could not be written: %s", discipline_id, error)


def holders(files: Files, now: datetime.datetime, grace: datetime.timedelta) -> set[str]:
    """The runs that hold a lease, or held one that has lapsed less than `grace` ago without being given back."""
    found = set()
    for path in files.names("_leases"):
        try:
            lease = _Lease.model_validate_json(files.read(path))
        except (FileNotFoundError, ValidationError):
            continue
        if lease.until + grace > now:
            found.add(lease.holder.run_id)
    return found


def _path(discipline_id: str) -> str:
    return f"_leases/{discipline_id}.json"
