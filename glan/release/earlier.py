"""What earlier releases hold out, as hashes, so that no later one trains on what would give it away.

A question that has left the store or was rejected since is held out too: its concepts and its subject are in the files of the
release, its sessions in the snapshot that the release was made from, which stays as long as the release does.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from glan.dataset import View
from glan.keys import hashed
from glan.release.releases import find, held_out
from glan.release.sheet import READS, Apart, atoms_of, set_of
from glan.release.splits import Before
from glan.store import snapshots


class Earlier:
    """Show it the rows of the snapshot; then ask for the hashes."""

    def __init__(self, view: View, names: Sequence[str], apart: Apart) -> None:
        self._view, self._names = view, names
        self._ids: set[int] = set()
        self._sets: set[int] = set()
        self._atoms: set[int] = set()
        self._unseen: set[str] = set()
        for row in held_out(view.store.files, names):
            self._ids.add(hashed(row["question_id"]))
            self._sets.add(set_of(row))
            if apart == "subject":
                self._atoms.update(atoms_of(row, apart))
            elif apart == "session" and (view.disciplines is None or row["discipline_id"] in view.disciplines):
                self._unseen.add(row["question_id"])
        self._sought = pa.array(sorted(self._unseen), pa.string())

    def see(self, table: pa.Table) -> None:
        """Take note of the sessions of a table's rows, kept or not."""
        if self._unseen:
            for row in table.filter(pc.is_in(table["question_id"], self._sought)).to_pylist():
                self._unseen.discard(row["question_id"])
                self._atoms.update(atoms_of(row, "session"))

    def before(self) -> Before:
        """Hashes of everything that is held out."""
        for name in reversed(self._names):
            if self._unseen and (manifest := find(self._view.store.files, name)) is not None:
                snapshot = snapshots.at(self._view.store.files, manifest.snapshot)
                view = View(self._view.store, snapshot, self._view.disciplines)
                for table in view.tables("instructions", list(READS)):
                    self.see(table)
        return Before(_sorted(self._ids), _sorted(self._sets), _sorted(self._atoms))


def _sorted(hashes: Iterable[int]) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    return np.array(sorted(hashes), np.uint64)
