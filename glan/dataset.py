"""Snapshot -> rows for people: `load` makes a frame, `scan` a stream, `files` names the objects behind them.

Only the units that the snapshot's generations name are read. What else lies in the store (units not yet published,
older versions, leftovers of killed runs) is never seen, and a generation published meanwhile changes nothing.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from glan import taxonomy
from glan.errors import InputError
from glan.names import shown
from glan.records import SCHEMAS
from glan.settings import Settings
from glan.store import calls, manifests, parts, snapshots, taxonomies
from glan.store.ahead import ahead
from glan.store.snapshots import Snapshot
from glan.store.store import Store
from glan.units import STAGES, Receipt, Stage, with_open_quarantine

SnapshotNumber = int | Literal["latest"]

_ONLY_IF_NAMED = {"instructions": {"signature"}}


def load(
    stage: str,
    store: str | None = None,
    disciplines: Collection[str] | None = None,
    columns: Collection[str] | None = None,
    snapshot: SnapshotNumber = "latest",
) -> pd.DataFrame:
    """All rows of a table as a frame; see `scan` for the arguments and for what does not fit in memory."""
    frame: pd.DataFrame = (
        scan(stage, store, disciplines, columns, snapshot).read_all().to_pandas(maps_as_pydicts="strict")
    )
    return frame


def scan(
    stage: str,
    store: str | None = None,
    disciplines: Collection[str] | None = None,
    columns: Collection[str] | None = None,
    snapshot: SnapshotNumber = "latest",
) -> pa.RecordBatchReader:
    """The rows of a table as a stream of which a few objects at a time are in memory.

    Args:
        stage: a stage (`subjects` … `instructions`), `quarantine` of the units the snapshot names, `taxonomy` (its
            highest version) or `calls` (every call on record; knows no snapshots).
        store: a local folder or `s3://bucket/prefix`; none: the one of the settings (`GLAN_STORE`).
        disciplines: ids or names; none: all.
        columns: in the order wanted; none: all, but for the large `signature` of instructions.
        snapshot: its number, or "latest". A store without a snapshot has no rows yet.

    Raises:
        InputError: the table, a column, a discipline, the snapshot or the store is unknown.
        StoreError: an object named by the snapshot is missing or damaged; also while reading.
    """
    schema = _schema(stage, columns)
    view = View.open(_existing(store), snapshot, disciplines)
    return pa.RecordBatchReader.from_batches(schema, view.batches(stage, schema.names))


def files(
    stage: str,
    store: str | None = None,
    disciplines: Collection[str] | None = None,
    snapshot: SnapshotNumber = "latest",
) -> list[str]:
    """Paths or `s3://` addresses of the Parquet objects that `scan` reads, for any other tool that reads Parquet.

    Raises:
        InputError: the table, a discipline, the snapshot or the store is unknown.
        StoreError: an object also holds rows that this snapshot does not show.
    """
    _schema(stage, None)
    view = View.open(_existing(store), snapshot, disciplines)
    return [view.store.files.address(path) for path in view.objects(stage)]


@dataclass(frozen=True)
class View:
    """What one snapshot shows of a store, all of it or some disciplines."""

    store: Store
    snapshot: Snapshot | None
    disciplines: frozenset[str] | None
    """Ids; None: all."""

    @classmethod
    def open(cls, store: Store, snapshot: SnapshotNumber, disciplines: Collection[str] | None = None) -> "View":
        """Fix what is read.

        Raises:
            InputError: there is no such snapshot or discipline.
        """
        found = _snapshot(store, snapshot)
        return cls(store, found, None if disciplines is None else _ids(store, found, disciplines))

    def generations(self, stage: Stage) -> dict[str, int]:
        """By discipline, in order, the generation that is shown of the stage."""
        shown_by_discipline = self.snapshot.generations if self.snapshot else {}
        return {
            discipline_id: generations[stage]
            for discipline_id, generations in sorted(shown_by_discipline.items())
            if stage in generations and (self.disciplines is None or discipline_id in self.disciplines)
        }

    def receipts(self, stage: Stage) -> list[Receipt]:
        """The units shown of the stage, by discipline and address."""

        def units(one: tuple[str, int]) -> list[Receipt]:
            manifest = manifests.at(self.store.files, stage, *one)
            return sorted(manifest.units, key=lambda receipt: receipt.unit)

        named = ahead(units, self.generations(stage).items())
        return [receipt for group in named for receipt in group]

    def tables(self, stage: Stage, columns: list[str] | None = None) -> Iterator[pa.Table]:
        """The rows of the stage, a table for each unit, in the order of `receipts`."""
        return parts.tables(self.store, self.receipts(stage), columns)

    def objects(self, stage: str) -> list[str]:
        """The objects that hold the rows of a table and no others, each once; paths below the layout root.

        Raises:
            StoreError: a merged part also holds rows that are not shown.
        """
        if stage == "taxonomy":
            return taxonomies.objects(self.store.files)[-1:]
        if stage == "calls":
            return calls.objects(self.store.files, self.disciplines)
        if stage == "quarantine":
            return list(ahead(self.store.quarantine_object, self._quarantined()))
        return parts.objects(self.store, self.receipts(_stage(stage)))

    def batches(self, stage: str, columns: list[str]) -> Iterator[pa.RecordBatch]:
        """The rows of any table, with these columns."""
        if stage == "calls":
            return calls.scan(self.store.files, self.disciplines, columns)
        return (batch for table in self._any(stage, columns) for batch in table.select(columns).to_batches())

    def _any(self, stage: str, columns: list[str]) -> Iterable[pa.Table]:
        if stage == "taxonomy":
            return self._taxonomy()
        if stage == "quarantine":
            return ahead(self.store.read_quarantine, self._quarantined())
        return self.tables(_stage(stage), columns)

    def _taxonomy(self) -> list[pa.Table]:
        latest = taxonomies.latest(self.store.files)
        if latest is None:
            return []
        table = latest[1]
        if self.disciplines is None:
            return [table]
        return [table.filter(pc.is_in(table["discipline_id"], pa.array(sorted(self.disciplines), pa.string())))]

    def _quarantined(self) -> list[Receipt]:
        return [receipt for stage in STAGES for receipt in with_open_quarantine(self.receipts(stage))]


def _existing(store: str | None) -> Store:
    url = Settings.load().store if store is None else Settings.load(store=str(store)).store
    return Store.existing(url)


def _schema(stage: str, columns: Collection[str] | None) -> pa.Schema:
    if stage not in SCHEMAS:
        raise InputError(f"there is no table '{shown(stage)}': choose one of {', '.join(SCHEMAS)}")
    schema = SCHEMAS[stage]
    if columns is None:
        columns = [name for name in schema.names if name not in _ONLY_IF_NAMED.get(stage, ())]
    for name in (chosen := _listed(columns)):
        if name not in schema.names:
            raise InputError(f"{stage} has no column '{shown(name)}': choose of {', '.join(schema.names)}")
    return pa.schema([schema.field(name) for name in chosen], schema.metadata)


def _stage(name: str) -> Stage:
    return next(stage for stage in STAGES if stage == name)


def _snapshot(store: Store, wanted: SnapshotNumber) -> Snapshot | None:
    latest = snapshots.latest(store.files)
    if wanted == "latest":
        return latest
    if latest is None:
        known = "it has none yet"
    elif isinstance(wanted, int) and 1 <= wanted <= latest.number:
        if found := snapshots.find(store.files, wanted):
            return found
        known = f"its newest is {latest.number}, and `glan gc` removes old ones"
    else:
        known = f"its newest is {latest.number}"
    raise InputError(f"the store has no snapshot {shown(str(wanted))}: {known}; give a number or `latest`")


def _ids(store: Store, snapshot: Snapshot | None, disciplines: Collection[str]) -> frozenset[str]:
    """Ids of what is named; one that has left the taxonomy is still known to the snapshot that shows it."""
    made = snapshot.generations if snapshot else {}
    latest = taxonomies.latest(store.files)
    tree = taxonomy.from_table(latest[1]) if latest else taxonomy.Taxonomy(())
    return frozenset(name if name in made else tree.find(name).discipline_id for name in _listed(disciplines))


def _listed(names: Collection[str]) -> list[str]:
    """Names once each, in order; a lone string is one name, not its letters."""
    return [names] if isinstance(names, str) else list(dict.fromkeys(names))
