"""Many small objects of units -> a few large parts, as a new generation of each stage of a discipline.

Rows are copied, never changed. A part is there before a generation names it, and what it was made from stays until
`gc`: whoever reads meanwhile, and whoever is killed meanwhile, loses nothing. A run that works on the discipline at the
same time keeps what it makes, for a unit moves only while it is named as it was when its rows were copied.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
from msgspec.structs import replace

from glan.care.merging import PART_BYTES, Merged, PartWriter, Piece, in_parts, worth_merging
from glan.clock import Clock
from glan.errors import StoreError, StoreWeather
from glan.planning.publishing import publish_snapshot
from glan.store import manifests, parts
from glan.store.ahead import ahead
from glan.store.parquet import conformed, opened
from glan.store.store import Store
from glan.units import STAGES, Receipt, Stage, folder_of

RUN_ID = "compact"
_ROWS_PER_GROUP = 1_000


@dataclass(frozen=True)
class Tools:
    """The effects: the time, and at each call other 16 hexadecimal digits."""

    clock: Clock
    mark: Callable[[], str]


def merge_units(store: Store, discipline_id: str, tools: Tools, part_bytes: int = PART_BYTES) -> Iterator[Merged]:
    """Merge the units of a discipline, stage by stage, and let readers see them in their new places.

    Raises:
        StoreError: a manifest is damaged, or the store cannot be written.
    """
    moved = False
    for stage in STAGES:
        copier = _Copier(store, stage, discipline_id, tools)
        for group in in_parts(_chosen(store, stage, discipline_id, part_bytes), part_bytes):
            if merged := copier.merge(group):
                moved = True
                yield merged
    if moved:
        publish_snapshot(store, [discipline_id], RUN_ID, tools.clock)


def _chosen(store: Store, stage: Stage, discipline_id: str, part_bytes: int) -> list[Piece[Receipt]]:
    """The units that are to move, in order, each with its share of the bytes of its object."""
    manifest = manifests.current(store.files, stage, discipline_id)
    sizes = {entry.path: entry.size for entry in store.files.list(folder_of(stage, discipline_id))}
    units = [receipt for receipt in manifest.units if receipt.object in sizes] if manifest else []
    named: Counter[str] = Counter()
    for receipt in units:
        named[receipt.object] += receipt.rows
    # A part that also holds rows of units made anew since is written again whatever its size.
    held = {path: parts.rows_in(store, path) for path in named if parts.is_part(path)}
    pieces = [Piece(path, sizes[path], held.get(path) != rows) for path, rows in named.items()]
    worth = set(worth_merging(pieces, part_bytes))
    if len(worth) == 1 and worth.isdisjoint(held):
        return []
    return [
        Piece(
            receipt,
            sizes[receipt.object] * (receipt.rows / (held[receipt.object] or 1) if receipt.object in held else 1),
        )
        for receipt in units
        if receipt.object in worth
    ]


class _Copier:
    """Copies units of one stage of one discipline into parts, and has a generation name them there."""

    def __init__(self, store: Store, stage: Stage, discipline_id: str, tools: Tools) -> None:
        self._store, self._stage, self._discipline_id, self._tools = store, stage, discipline_id, tools
        self._reader = parts.Reader(store)
        self._sound: dict[str, bool] = {}

    def merge(self, group: Sequence[Piece[Receipt]]) -> Merged | None:
        """Make one part; None if nothing could move into it."""
        writer = PartWriter(self._stage, _ROWS_PER_GROUP)
        placed: list[tuple[Receipt, int]] = []
        left: set[str] = set()
        receipts = [piece.thing for piece in group]
        for path in {receipt.object for receipt in receipts if receipt.first_row is not None}:
            self._check_part(path, receipts)
        for receipt, rows in zip(receipts, ahead(self._rows, receipts), strict=True):
            if rows is None:
                left.add(receipt.object)
            else:
                placed.append((receipt, writer.add(rows)))
        body = writer.body()
        part = parts.path_of(self._stage, self._discipline_id, self._tools.mark())
        if not placed or not self._publish(part, body, placed):
            return None
        return Merged(
            table=self._stage,
            discipline_id=self._discipline_id,
            part=part,
            objects=len({receipt.object for receipt, _ in placed}),
            rows=writer.rows,
            bytes_before=round(sum(piece.size for piece in group)),
            bytes_after=len(body),
            left=tuple(sorted(left)),
        )

    def _publish(self, part: str, body: bytes, placed: Sequence[tuple[Receipt, int]]) -> bool:
        """Write the part and name it; whether any unit is in it now. A part that nobody needed is removed again."""
        if not self._store.files.create(part, body):
            raise StoreError(f"{part} is there already; its name should be random")
        place = {"object": part, "sha256": hashlib.sha256(body).hexdigest()}
        moved = [(receipt, replace(receipt, **place, first_row=first)) for receipt, first in placed]
        manifest = manifests.move(
            self._store.files, self._stage, self._discipline_id, moved, run_id=RUN_ID, clock=self._tools.clock
        )
        if any(receipt.object == part for receipt in manifest.units):
            return True
        self._store.files.delete(part)
        return False

    def _check_part(self, path: str, receipts: Sequence[Receipt]) -> None:
        if path not in self._sound:
            expected = next(receipt.sha256 for receipt in receipts if receipt.object == path)
            self._sound[path] = self._store.files.sha256(path) == expected

    def _rows(self, receipt: Receipt) -> pa.Table | None:
        """The rows of a unit; None if they are not what its receipt says, for then they are not to be copied."""
        try:
            if receipt.first_row is not None:
                return self._reader.rows(receipt) if self._sound[receipt.object] else None
            body = self._store.files.read(receipt.object)
            if hashlib.sha256(body).hexdigest() != receipt.sha256:
                return None
            with opened(pa.BufferReader(body), receipt.object, receipt.stage) as file:
                rows = conformed(file.read(), receipt.stage)
            return rows if rows.num_rows == receipt.rows else None
        except StoreWeather:
            raise
        except (StoreError, FileNotFoundError):
            return None
