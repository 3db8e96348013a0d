"""The units that a discipline has, or once had: those that manifests name, that lie there, or that calls were made for."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from msgspec.structs import replace

from glan import supplements
from glan.errors import StoreError, StoreWeather
from glan.languages import language_at
from glan.stages.questions import ROUND, span_of
from glan.store import calls, manifests
from glan.store.manifests import Manifest
from glan.store.parts import is_part
from glan.store.store import Store
from glan.units import STAGES, Receipt, Stage, Unit, unit_object


def has_verdicts(receipt: Receipt) -> bool:
    """Whether the unit lies in an object that a pass of curation has made of it."""
    own = receipt.own_object
    return receipt.object != own and receipt.object.startswith(own[: -len("0123456789abcdef.parquet")])


@dataclass
class Wanted:
    """By the object that each unit is committed as: where its rows are said to be, and its digest if one is on record."""

    named: dict[str, Receipt] = field(default_factory=dict)
    """Units that a manifest names or whose object lies there, with their receipts."""
    verdicts: dict[str, Receipt] = field(default_factory=dict)
    """By object: units of instructions with the verdicts that a pass of curation has come to, under names of its own."""
    merged: dict[str, Receipt] = field(default_factory=dict)
    """Units that a merged part holds, with their places in it."""
    unreadable: dict[str, str] = field(default_factory=dict)
    """Objects that lie there and cannot be read, with the reason."""
    languages: set[str] = field(default_factory=set)
    """Those of the syllabi."""
    _units: set[str] = field(default_factory=set)
    _makers: dict[str, dict[str, float]] = field(default_factory=dict)
    _rounds: dict[str, set[tuple[int, int]]] = field(default_factory=dict)
    _retries: dict[tuple[str, str], set[int]] = field(default_factory=dict)

    def __contains__(self, object: str) -> bool:
        return object in self._units

    def committed(self, object: str) -> bool:
        """Whether the unit is known to have been committed, and not only to have been asked for."""
        return object in self.named or object in self.unreadable

    def fits(self, object: str, made: Receipt) -> bool:
        """Whether this is, for all that is known, what was committed."""
        named = self.named.get(object)
        return named is None or (named.sha256 == made.sha256 if named.sha256 else not self._is_other(object, made))

    def _is_other(self, object: str, made: Receipt) -> bool:
        merged = self.merged.get(object)
        return merged is not None and merged.stage != "instructions" and merged.content_digest != made.content_digest

    def makers(self, unit_key: str) -> list[str]:
        """The processes that made calls for the unit, the last first."""
        found = self._makers.get(unit_key, {})
        return sorted(found, key=lambda writer: found[writer], reverse=True)

    def rounds(self, node: str) -> list[tuple[int, int]]:
        """The rounds of a syllabus, by its address, or those of a pair, by its node."""
        return sorted(self._rounds.get(node, ()))

    def retries(self, unit: Unit) -> list[int]:
        """The numbers of the retries that asked again for a unit, or for the one that it asks again for."""
        original, _ = supplements.split(unit.stage, unit.address)
        return sorted(self._retries.get((unit.stage, original), ()))

    def add(self, stage: str, address: str, object: str) -> None:
        """A unit is wanted."""
        self._units.add(object)
        if stage == "syllabi":
            self.languages.add(language_at(address))
        original, number = supplements.split(stage, address)
        if number:
            self._retries.setdefault((stage, original), set()).add(number)
        if ROUND.fullmatch(supplements.bare(address)):
            node, span = span_of(address)
            self._rounds.setdefault(node, set()).add(span)

    def asked(self, unit_key: str, writer: str, at: float) -> None:
        """A process made a call for a unit at this time."""
        writers = self._makers.setdefault(unit_key, {})
        writers[writer] = max(at, writers.get(writer, at))


def wanted(store: Store, discipline_id: str, passes: Iterable[Manifest]) -> Wanted:
    """Everything of one discipline, in every generation of instructions that a pass of curation has published."""
    found = Wanted()
    for judged in passes:
        if judged.discipline_id == discipline_id:
            _take(found, judged.units)
    for stage in STAGES:
        manifest = manifests.current(store.files, stage, discipline_id) if stage != "instructions" else None
        _take(found, manifest.units if manifest else [])
        known = {receipt.object for receipt in found.named.values()} | found.verdicts.keys()
        lying = sorted(store.objects(stage, discipline_id) - known)
        _take_lying(found, store, stage, [path for path in lying if not is_part(path)])
    _take_called(found, store, discipline_id)
    return found


def _take(found: Wanted, receipts: Iterable[Receipt]) -> None:
    for receipt in receipts:
        path = receipt.own_object
        found.add(receipt.stage, receipt.unit, path)
        if is_part(receipt.object):
            found.merged[path] = receipt
            found.named.setdefault(path, replace(receipt, object=path, sha256="", first_row=None))
        elif has_verdicts(receipt):
            found.verdicts[receipt.object] = receipt
            found.named.setdefault(path, replace(receipt, object=path, sha256=""))
        else:
            found.named[path] = receipt


def _take_lying(found: Wanted, store: Store, stage: Stage, paths: Iterable[str]) -> None:
    """Objects that no current generation names: older versions, and what was not published yet."""
    for path in paths:
        try:
            _take(found, [store.receipt(path)])
        except StoreWeather:
            raise
        except StoreError as error:
            address = path.rpartition("/")[2].rpartition("-")[0]
            found.unreadable[path] = str(error)
            found.add(stage, address, path)


def _take_called(found: Wanted, store: Store, discipline_id: str) -> None:
    columns = ["stage", "unit", "unit_key", "writer", "finished_at"]
    for batch in calls.scan(store.files, [discipline_id], columns):
        for row in batch.to_pylist():
            if row["stage"] in STAGES:
                path = unit_object(row["stage"], discipline_id, row["unit"], row["unit_key"])
                found.add(row["stage"], row["unit"], path)
                found.asked(row["unit_key"], row["writer"], row["finished_at"].timestamp())
