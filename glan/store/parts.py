"""Merged parts: objects that hold the rows of many units one after another, and how the rows of one are found there.

A unit in a part is named by the part's path and by the place of its first row. Parts are written in row groups of
whole units, so that reading one unit decodes one row group and not the part.
"""

import re
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator

import pyarrow as pa

from glan.errors import StoreError
from glan.records import SCHEMAS
from glan.store.ahead import READERS, ahead
from glan.store.parquet import conformed, known, starts_of, touching
from glan.store.store import Store
from glan.units import Receipt, Stage, folder_of

_NAME = re.compile(r"[a-z]+/disc=[^/]+/merged_units-[0-9a-f]{16}\.parquet")
_GROUPS_IN_MEMORY = READERS + 4


def path_of(stage: Stage, discipline_id: str, mark: str) -> str:
    """Where a merged part is; `mark` are 16 hexadecimal digits. No address of a unit has an underscore."""
    return f"{folder_of(stage, discipline_id)}/merged_units-{mark}.parquet"


def is_part(path: str) -> bool:
    """Whether an object is a merged part, by its name."""
    return _NAME.fullmatch(path) is not None


def tables(store: Store, receipts: Iterable[Receipt], columns: list[str] | None = None) -> Iterator[pa.Table]:
    """The rows of many units, a table for each, in order, read a few objects ahead.

    Units of one part that follow each other in the order of its rows, as those of a generation do, are read without
    decoding a row group twice, also where several parts take turns.

    Raises:
        StoreError: see `Store.read`.
    """
    return ahead(Reader(store, columns).rows, receipts)


def objects(store: Store, receipts: Iterable[Receipt]) -> list[str]:
    """The objects that hold the rows of these units and no others, each once.

    Raises:
        StoreError: a part holds other rows too, since units in it were made anew after it was written.
    """
    shown: dict[str, list[Receipt]] = {}
    for receipt in receipts:
        shown.setdefault(receipt.object, []).append(receipt)
    held = [path for path in shown if is_part(path)]
    for path, rows in zip(held, ahead(lambda path: rows_in(store, path), held), strict=True):
        if rows != sum(receipt.rows for receipt in shown[path]):
            raise StoreError(
                f"{path} also holds rows of units that were made anew since it was written: `glan compact` writes it "
                "without them; `glan.load` and `glan.scan` leave them out as it is"
            )
    return list(shown)


def rows_in(store: Store, path: str) -> int:
    """How many rows a part holds, of units that are named and others.

    Raises:
        StoreError: it is gone, damaged or foreign.
    """
    with store.opened(path) as file:
        return int(file.metadata.num_rows)


class Reader:
    """Reads units, and keeps the row groups of merged parts that were read last. Safe to use from many threads."""

    def __init__(self, store: Store, columns: list[str] | None = None) -> None:
        self._store, self._columns = store, columns
        self._lock = threading.Lock()  # held for moments, never during I/O
        self._reading: dict[str, threading.Lock] = {}  # by part: held by whoever reads it
        self._starts: dict[str, list[int]] = {}
        self._groups: OrderedDict[tuple[str, int], pa.Table] = OrderedDict()

    def rows(self, receipt: Receipt) -> pa.Table:
        """The rows of a unit, wherever they are."""
        if receipt.first_row is None or not receipt.rows:
            return self._store.read(receipt, self._columns)
        with self._lock:
            reading = self._reading.setdefault(receipt.object, threading.Lock())
        with reading:
            starts = self._starts.get(receipt.object) or self._look_at(receipt)
            touched = touching(starts, receipt.first_row, receipt.rows)
            if not touched or starts[-1] < receipt.first_row + receipt.rows:
                raise StoreError(f"{receipt.object} ends before the rows of {receipt.unit}")
            pieces = [self._group(receipt, group) for group in touched]
        return pa.concat_tables(pieces).slice(receipt.first_row - starts[touched[0]], receipt.rows)

    def _look_at(self, receipt: Receipt) -> list[int]:
        with self._store.opened(receipt.object) as file:
            starts = self._starts[receipt.object] = starts_of(file)
        return starts

    def _group(self, receipt: Receipt, group: int) -> pa.Table:
        rows = self._groups.get((receipt.object, group))
        if rows is None:
            columns = self._columns or SCHEMAS[receipt.stage].names
            with self._store.opened(receipt.object) as file:
                rows = conformed(file.read_row_group(group, known(file, columns)), receipt.stage, columns)
        with self._lock:
            self._groups[receipt.object, group] = rows
            self._groups.move_to_end((receipt.object, group))
            if len(self._groups) > _GROUPS_IN_MEMORY:
                self._groups.popitem(last=False)
        return rows
