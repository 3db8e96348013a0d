"""A store -> what is wrong with it, as a stream: nothing is changed, and little of it is in memory at a time.

What the latest snapshot and the current generations name is read whole; of what nothing names, only the footers. A
store that runs are working on may be verified: they write nothing that is not whole.
"""

import heapq
from collections.abc import Collection, Iterable, Iterator, Mapping
from operator import itemgetter

from glan.care import call_log
from glan.care.findings import RESTORED, Finding
from glan.care.keeping import number_of
from glan.care.lineage import Lineage
from glan.care.objects import Look, Looks, unnamed
from glan.care.whole_store import inputs_kept, releases_whole, taxonomy_whole
from glan.dataset import View
from glan.errors import StoreError, StoreWeather
from glan.planning.publishing import orphans
from glan.store import calls, editions, inputs, manifests, retries, snapshots
from glan.store.ahead import ahead
from glan.store.snapshots import Snapshot
from glan.store.store import Store
from glan.supplements import split
from glan.units import STAGES, Receipt, Stage, discipline_of

_PLACES = tuple(enumerate(STAGES[STAGES.index("questions") :]))
"""The stages of a round, parents first."""

Named = Mapping[Stage, Mapping[str, Receipt]]


def verify(store: Store, disciplines: Collection[str] | None = None, deep: bool = False) -> Iterator[Finding]:
    """Everything that has to be true of a store and is not, of all of it or of some disciplines (ids or names).

    `deep`: every column is decoded, every content digest computed anew, every kept generation, snapshot and input read.

    Raises:
        InputError: a discipline is unknown.
        StoreWeather: the store does not answer.
    """
    files = store.files
    snapshot, found = _snapshot(store)
    yield from found
    chosen = View.open(store, "latest", disciplines).disciplines if disciplines is not None and not found else None
    prompts = {path.rpartition("/")[2].partition(".")[0] for path in _paths(store, inputs.folder_of("prompts"))}
    for discipline_id in sorted(chosen if chosen is not None else _disciplines(store, snapshot)):
        yield from _Discipline(store, discipline_id, snapshot, deep).findings(prompts)
    yield from call_log.gaps(files)
    if disciplines is None:
        yield from taxonomy_whole(files)
        yield from inputs_kept(files, deep)
        yield from releases_whole(files)
        if deep:
            yield from _history(store)


def _snapshot(store: Store) -> tuple[Snapshot | None, list[Finding]]:
    try:
        return snapshots.latest(store.files), []
    except StoreWeather:
        raise
    except StoreError as error:
        problem = f"{error}; so readers see nothing"
        return None, [Finding("damaged", snapshots.FOLDER, problem, f"{RESTORED}, or remove it and run again")]


def _disciplines(store: Store, snapshot: Snapshot | None) -> set[str]:
    """All disciplines of which there is anything."""
    found = set(snapshot.generations) if snapshot else set()
    for folder in (*STAGES, calls.FOLDER):
        found |= {discipline_of(path) for path in _paths(store, folder) if path.count("/") == 2}
    return found


class _Discipline:
    """One discipline: its generations, its units, the calls they rest on."""

    def __init__(self, store: Store, discipline_id: str, snapshot: Snapshot | None, deep: bool) -> None:
        self._store, self._id, self._deep = store, discipline_id, deep
        self._generations = snapshot.generations.get(discipline_id, {}) if snapshot else {}
        self._look = Looks(store, deep)
        self._looked_at: set[tuple[str, str]] = set()

    def findings(self, prompts: Collection[str]) -> Iterator[Finding]:
        """All there are; the calls are read after the snapshot was, so that every row's are among them."""
        calls, found = call_log.recorded(self._store.files, self._id, self._deep)
        yield from found
        yield from self._opened()
        shown: dict[Stage, dict[str, Receipt]] = {}
        for stage in STAGES:
            found, shown[stage] = self._named(stage, self._generations.get(stage))
            yield from found
        lineage = Lineage(calls, prompts)
        current = ""
        for one in self._looks(_together(shown)):
            if (begun := _round(one.receipt.unit)) != current:
                lineage.begin_round()
                current = begun
            yield from one.findings
            yield from lineage.follow(one)
        yield from self._apart(shown)
        for stage in STAGES:
            yield from self._rest(stage)

    def _opened(self) -> Iterator[Finding]:
        """Refreshes and retries that were opened, which every run of the discipline reads."""
        files = self._store.files
        for folder, read in ((editions.FOLDER, editions.editions_of), (retries.FOLDER, retries.last)):
            try:
                read(files, self._id)
            except StoreWeather:
                raise
            except StoreError as error:
                yield Finding("damaged", f"{folder}/{self._id}", str(error), RESTORED)

    def _named(self, stage: Stage, generation: int | None) -> tuple[list[Finding], dict[str, Receipt]]:
        if generation is None:
            return [], {}
        try:
            manifest = manifests.at(self._store.files, stage, self._id, generation)
        except StoreWeather:
            raise
        except StoreError as error:
            path = manifests.path_of(stage, self._id, generation)
            return [Finding("damaged", path, f"{error}; the latest snapshot names it", RESTORED)], {}
        twice = len(manifest.units) - len({receipt.unit for receipt in manifest.units})
        found = [_manifest(stage, self._id, generation, f"{twice} units are named twice")] if twice else []
        return found, {receipt.unit: receipt for receipt in manifest.units}

    def _looks(self, receipts: Iterable[Receipt]) -> Iterator[Look]:
        given = list(receipts)
        self._looked_at.update((receipt.object, receipt.key) for receipt in given)
        return ahead(self._look.at, given)

    def _apart(self, shown: Named) -> Iterator[Finding]:
        """Units whose parent is not shown beside them, by what their receipts say."""
        try:
            gone = orphans(self._store, shown)
        except StoreWeather:
            raise
        except StoreError:
            return  # an object that cannot be read, which is reported already
        for stage, units in gone.items():
            for unit in sorted(units):
                problem = (
                    f"the unit {unit} was made from another parent than the one that is named beside it, or from none"
                )
                yield Finding(
                    "orphan", shown[stage][unit].object, problem, "run again, or `glan backfill --mode stale`"
                )

    def _rest(self, stage: Stage) -> Iterator[Finding]:
        """What is current and not in the snapshot, and what is not named at all."""
        there = self._store.objects(stage, self._id)
        try:
            manifest = manifests.current(self._store.files, stage, self._id)
        except StoreWeather:
            raise
        except StoreError as error:
            yield Finding("damaged", manifests.folder_of(stage, self._id), str(error), RESTORED)
            return
        named = manifest.units if manifest else []
        for one in self._looks(receipt for receipt in named if (receipt.object, receipt.key) not in self._looked_at):
            yield from one.findings
        left = sorted(there - {path for path, _ in self._looked_at})
        for found in ahead(lambda path: list(unnamed(self._store, path)), left):
            yield from found


def _together(shown: Named) -> Iterator[Receipt]:
    """The units in the order in which lineage takes them, those of one round together."""
    for stage in STAGES[:2]:
        yield from (receipt for _, receipt in sorted(shown[stage].items(), key=itemgetter(0)))
    streams = [
        sorted(((_round(unit), place, unit, receipt) for unit, receipt in shown[stage].items()), key=_order)
        for place, stage in _PLACES
    ]
    yield from (receipt for *_, receipt in heapq.merge(*streams, key=_order))


def _round(unit: str) -> str:
    """The round that a unit belongs to, if need be with what was asked again of it."""
    for stage in ("judgements", "continuations", "answers"):
        unit, _ = split(stage, unit)
    return unit


_order = itemgetter(0, 1, 2)


def _history(store: Store) -> Iterator[Finding]:
    """Generations and snapshots, the older ones too; what only those name may be gone by and by."""
    for entry in store.files.list(snapshots.FOLDER):
        try:
            snapshots.at(store.files, number_of(entry))
        except StoreWeather:
            raise
        except StoreError as error:
            yield Finding("damaged", entry.path, str(error), RESTORED)
    for path in _paths(store, manifests.FOLDER):
        try:
            manifests.at(store.files, *manifests.place_of(path))
        except StoreWeather:
            raise
        except StoreError as error:
            yield Finding("damaged", path, str(error), RESTORED)


def _manifest(stage: Stage, discipline_id: str, generation: int, problem: str) -> Finding:
    path = manifests.path_of(stage, discipline_id, generation)
    return Finding(
        "duplicate", path, problem, "report it, for no version of glan writes this; run again after `glan compact`"
    )


def _paths(store: Store, folder: str) -> list[str]:
    return [entry.path for entry in store.files.list(folder)]
