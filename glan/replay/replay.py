"""Store -> every unit's object made again from calls and inputs on record, compared with what lies there."""

import hashlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

from glan import taxonomy
from glan.drafting.asking import TAXONOMY
from glan.errors import StoreError, StoreWeather
from glan.replay import verdicts
from glan.replay.rebuild import Rebuilding, Rebuilt
from glan.replay.wanted import Wanted, wanted
from glan.stages.shared.recipe import Recipe
from glan.stages.shared.recorded import recorded
from glan.store import editions, taxonomies
from glan.store.calls import CallHistory
from glan.store.layered import LayeredFiles
from glan.store.manifests import Manifest
from glan.store.parquet import conformed, opened
from glan.store.store import Store
from glan.taxonomy import Discipline
from glan.units import STAGES, Receipt

Result = Literal["identical", "rebuilt", "differing", "impossible"]
RESULTS: tuple[Result, ...] = ("identical", "rebuilt", "differing", "impossible")

NO_KEY = (
    "nothing on record gives its key: its configuration, a prompt, its place in the taxonomy or its parent is gone, or "
    "other rules than this version's judged it"
)
NO_PASS = (
    "its verdicts on duplicates rest on a pass of curation, on units or an embedding model that cannot be had here"
)
OTHERWISE = "it comes out otherwise than its receipt says, so it was not written"


@dataclass(frozen=True)
class Replayed:
    """What came of one object. `rebuilt`: it was missing, and is there now."""

    stage: str
    path: str
    result: Result
    reason: str = ""


class Replay:
    """Makes the units of a store again in `scratch`, an empty store, and compares them with those in `target`.

    Nothing that is there is ever changed; what is missing is written to `target`, byte for byte as it was.
    """

    def __init__(self, source: Store, target: Store, scratch: Store, stages: Collection[str] = ()) -> None:
        self._source, self._target, self._scratch = source, target, scratch
        self._stages = frozenset(stages or STAGES)
        self._passes: Sequence[Manifest] = verdicts.generations(source)
        self._recipes: Sequence[Recipe] = recorded(source.files)

    def all(self, discipline_ids: Collection[str]) -> Iterator[Replayed]:
        """Each object of these disciplines that is there, or that should be."""
        judged: dict[str, Receipt] = {}
        merged: dict[str, Receipt] = {}
        for discipline_id in discipline_ids:
            found = wanted(self._source, discipline_id, self._passes)
            judged |= found.verdicts
            merged |= found.merged
            yield from self._discipline(discipline_id, found)
        if judged and "instructions" in self._stages:
            verdicts.make_all(Store(LayeredFiles(self._scratch.files, self._source.files)), self._passes)
            yield from (self._compared("instructions", path, judged[path].sha256, NO_PASS) for path in sorted(judged))
        for path, receipt in sorted(merged.items()):
            if receipt.stage in self._stages and self._target.files.exists(receipt.object):
                yield from self._in_part(
                    receipt, [path, *(one for one, unit in judged.items() if unit.key == receipt.key)]
                )

    def _discipline(self, discipline_id: str, found: Wanted) -> Iterator[Replayed]:
        tried = set()
        for rebuilt in self._rebuilding(discipline_id, found).units():
            tried.add(rebuilt.unit.object)
            if rebuilt.unit.stage in self._stages:
                yield from self._unit(rebuilt, found)
        for path in sorted({*found.named, *found.unreadable} - tried):
            if path.partition("/")[0] in self._stages:
                yield Replayed(path.partition("/")[0], path, "impossible", NO_KEY)

    def _rebuilding(self, discipline_id: str, found: Wanted) -> Rebuilding:
        drawn = editions.editions_of(self._source.files, discipline_id)
        return Rebuilding(
            scratch=self._scratch,
            history=CallHistory(self._source.files, discipline_id),
            wanted=found,
            places=_places(self._source, discipline_id),
            recipes=self._recipes,
            editions=[0, *(edition.number for edition in drawn)],
        )

    def _unit(self, rebuilt: Rebuilt, found: Wanted) -> Iterator[Replayed]:
        unit, receipt = rebuilt.unit, rebuilt.receipt
        if receipt is None:
            if found.committed(unit.object):
                yield Replayed(unit.stage, unit.object, "impossible", rebuilt.reason)
            return
        if receipt.quarantined:
            yield self._compared("quarantine", self._scratch.quarantine_object(receipt), "", "")
        named, merged = found.named.get(unit.object), found.merged.get(unit.object)
        is_apart = merged is None or not self._target.files.exists(merged.object)
        if is_apart or self._target.files.exists(unit.object):
            yield self._compared(unit.stage, unit.object, named.sha256 if named else "", "")

    def _in_part(self, merged: Receipt, versions: Sequence[str]) -> Iterator[Replayed]:
        """Compare the rows of a unit that lies in a merged part; it need not have an object of its own any more.

        `versions`: the objects that may have been copied, with the verdicts of one pass of curation or another.
        """
        made = [self._scratch.receipt(path) for path in versions if self._scratch.files.exists(path)]
        if not made:
            return  # it could not be made, which was said of its own object
        fitting = [receipt for receipt in made if receipt.content_digest == merged.content_digest]
        try:
            rows = self._target.read(merged)
        except StoreWeather:
            raise
        except StoreError as error:
            yield Replayed(merged.stage, merged.object, "differing", str(error))
            return
        same = any(rows.equals(self._scratch.read(receipt)) for receipt in fitting)
        reason = "" if same else f"other rows of {merged.unit} than the calls on record give"
        yield Replayed(merged.stage, merged.object, "identical" if same else "differing", reason)

    def _compared(self, stage: str, path: str, sha256: str, why_none: str) -> Replayed:
        if not self._scratch.files.exists(path):
            return Replayed(stage, path, "impossible", why_none)
        body = self._scratch.files.read(path)
        if self._target.files.exists(path):
            there = self._target.files.read(path)
            reason = "" if there == body else _difference(stage, path, there, body)
            return Replayed(stage, path, "differing" if reason else "identical", reason)
        if sha256 and hashlib.sha256(body).hexdigest() != sha256:
            return Replayed(stage, path, "differing", OTHERWISE)
        self._target.files.create(path, body)
        return Replayed(stage, path, "rebuilt")


def disciplines_of(store: Store) -> list[str]:
    """Every discipline of which there is anything; the calls of a draft are kept as one of their own."""
    return [name for name in store.disciplines() if name != TAXONOMY]


def _places(store: Store, discipline_id: str) -> list[Discipline]:
    """The discipline as the versions of the taxonomy have it, the latest first; its place enters its units' keys."""
    trees = (taxonomy.from_table(taxonomies.at(store.files, number)) for number in taxonomies.versions(store.files))
    places = [one for tree in trees for one in tree if one.discipline_id == discipline_id]
    return list(dict.fromkeys(reversed(places)))


def _difference(stage: str, path: str, there: bytes, body: bytes) -> str:
    """What is wrong with an object that is not as it is made now; nothing if it only lacks columns that came later."""
    try:
        tables = []
        for one in (there, body):
            with opened(pa.BufferReader(one), path, stage) as file:
                rows = file.read()
                tables.append((rows.column_names, conformed(rows, stage), file.metadata.created_by))
    except StoreWeather:
        raise
    except StoreError as error:
        return f"{error}; remove it, and replay again"
    (columns, there_now, writer), (all_columns, made, here) = tables
    if not there_now.equals(made):
        return "other rows than the calls on record give"
    if set(columns) < set(all_columns):
        return ""
    return f"the same rows, written by {writer}, not {here}" if writer != here else "the same rows with another receipt"
