"""What of a store nothing needs any more, in the order in which it may be removed.

Never: what is named by a generation that stays, what no generation ever named (it is done, and will be published), an
edition that is being drawn, calls that are in no merged part, batches that have not ended, inputs, runs, releases. The
generation that names an object goes after the object, so that a sweep that is cut off knows the next time what is left.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from glan.care.call_parts import is_sound
from glan.care.keeping import Keep, number_of, superseded
from glan.errors import StoreError
from glan.store import batches, calls, editions, manifests, parts
from glan.store.files import PROBES, Entry, Files
from glan.store.store import Store, quarantine_paths
from glan.units import STAGES, Receipt, Stage, folder_of


@dataclass(frozen=True, slots=True)
class Waste:
    """A file that may go, and why."""

    path: str
    size: int
    why: str


def of_no_discipline(files: Files, keep: Keep) -> list[Waste]:
    """Old snapshots, batches that are done with, probes that were cut off, and files never written to their end."""
    found = [_waste(entry, "a snapshot that newer ones have replaced") for entry in keep.old_snapshots]
    for entries, why in zip(
        batches.done_with(files, keep.horizon), ("of an ended batch", "the end of a batch"), strict=True
    ):
        found += [_waste(entry, why) for entry in entries]
    found += [_waste(entry, "left by a probe") for entry in files.list(PROBES) if entry.modified < keep.horizon]
    return found + [_waste(entry, "half-written") for entry in files.unfinished() if entry.modified < keep.horizon]


def of_discipline(store: Store, discipline_id: str, keep: Keep) -> list[Waste]:
    """What may go of the units and calls of one discipline.

    Raises:
        StoreError: what is to stay in place of something is damaged, or a generation cannot be read.
    """
    found = [one for stage in STAGES for one in _Stage(store, stage, discipline_id, keep).waste()]
    return found + list(_calls(store.files, discipline_id, keep))


class _Stage:
    """One stage of a discipline: what its generations name, and what is there."""

    def __init__(self, store: Store, stage: Stage, discipline_id: str, keep: Keep) -> None:
        self._store, self._stage, self._discipline_id, self._keep = store, stage, discipline_id, keep
        folder = store.files.list(folder_of(stage, discipline_id))
        self._there = {entry.path: entry for entry in folder}
        entries = store.files.list(manifests.folder_of(stage, discipline_id))
        shown = keep.generations.get((discipline_id, stage), frozenset())
        self._old = {
            entry: manifests.at(store.files, stage, discipline_id, number_of(entry)).units
            for entry in superseded(entries, keep.horizon)
            if number_of(entry) not in shown
        }
        self._kept = [
            receipt
            for entry in entries
            if entry not in self._old
            for receipt in manifests.at(store.files, stage, discipline_id, number_of(entry)).units
        ]

    def waste(self) -> Iterator[Waste]:
        """All of it: objects, then quarantine rows, then generations."""
        gone = {entry.path: why for entry, why in self._objects() if entry.modified < self._keep.horizon}
        for path in sorted(gone, key=lambda path: (gone[path], path)):
            yield _waste(self._there[path], gone[path])
        yield from self._quarantine(gone.keys())
        needed = self._there.keys() - gone.keys() - {receipt.object for receipt in self._kept}
        for entry, units in sorted(self._old.items(), key=lambda one: one[0].path):
            if needed.isdisjoint(receipt.object for receipt in units):
                yield _waste(entry, "a generation that newer ones have replaced")

    def _objects(self) -> Iterator[tuple[Entry, str]]:
        kept = {receipt.object for receipt in self._kept}
        merged = {(one.key, one.content_digest): one for one in self._kept if one.first_row is not None}
        sound: dict[str, bool] = {}
        # Not what was named before only: verdicts lie beside the object of the unit that they were made of.
        once = {receipt.own_object: receipt for receipt in self._kept}
        once |= {receipt.object: receipt for units in self._old.values() for receipt in units}
        for path, receipt in once.items():
            if path in kept or path not in self._there:
                continue
            part = merged.get((receipt.key, receipt.content_digest))
            if part is not None:
                if not self._is_sound(part, sound):
                    raise StoreError(f"{part.object} is not what its receipts say, so what it was made from stays")
                yield self._there[path], "merged into a part"
            elif not self._keep.living:  # one that goes on might take it up again
                yield self._there[path], "made anew, or its parent is gone"
        for path, entry in self._there.items():
            if parts.is_part(path) and path not in kept and path not in once:
                yield entry, "a part that was never named"
        yield from self._abandoned(kept | once.keys())

    def _is_sound(self, part: Receipt, sound: dict[str, bool]) -> bool:
        if part.object not in sound:
            there = part.object in self._there
            sound[part.object] = there and self._store.files.sha256(part.object) == part.sha256
        return sound[part.object]

    def _quarantine(self, gone: Collection[str]) -> Iterator[Waste]:
        """The quarantine rows of units of which nothing is left."""
        folder = self._store.files.list(folder_of("quarantine", self._discipline_id))
        there = {entry.path: entry for entry in folder if entry.modified < self._keep.horizon}
        kept = {receipt.key for receipt in self._kept}
        for receipt in {one.key: one for units in self._old.values() for one in units}.values():
            left = receipt.own_object in self._there.keys() - gone
            if receipt.quarantined and receipt.key not in kept and not left and not self._keep.living:
                for path in quarantine_paths(receipt):
                    if path in there:
                        yield _waste(there[path], "of units that were made anew")

    def _abandoned(self, known: set[str]) -> Iterator[tuple[Entry, str]]:
        """Objects of editions that were set aside, which no generation has ever named."""
        drawn = editions.editions_of(self._store.files, self._discipline_id)
        aside = {one.number for one in drawn if one.ending == "abandoned" and one.opened_at < self._keep.horizon}
        for path, entry in self._there.items() if aside and not self._keep.living else ():
            if path not in known and not parts.is_part(path) and self._store.receipt(path).edition in aside:
                yield entry, "of an edition that was set aside"


def _calls(files: Files, discipline_id: str, keep: Keep) -> Iterator[Waste]:
    """Parts of the call log whose rows have been in a merged part since before the horizon."""
    there = {entry.path: entry for entry in files.list(folder_of(calls.FOLDER, discipline_id))}
    old = [path for path, entry in there.items() if calls.is_merged(path) and entry.modified < keep.horizon]
    for part in old:
        replaced = [path for path in calls.replaced(files, [part]) if path in there]
        if replaced and not is_sound(files, part):
            raise StoreError(f"{part} is damaged, so the parts it was merged from stay")
        yield from (_waste(there.pop(path), "merged into a part") for path in sorted(replaced))


def _waste(entry: Entry, why: str) -> Waste:
    return Waste(entry.path, entry.size, why)
