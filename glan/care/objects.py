"""Receipt -> the rows of its unit, or what is wrong with the object that should hold them."""

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from glan.care.findings import Finding, Kind
from glan.errors import StoreError, StoreWeather
from glan.records import READ_BY_LATER_STAGES, READ_IF_SET, SCHEMAS, content_digest
from glan.store.parquet import conformed, known, opened
from glan.store.parts import Reader, is_part, rows_in
from glan.store.store import REMADE, Store, quarantine_paths
from glan.units import STAGES, Receipt, Stage

_RESTORE_QUARANTINE = "restore it from a backup, or remove the unit's object too and run again"

_OF_EVERY_STAGE = ["unit_key", "edition", "discipline_id", "request_keys"]
_LOOKED_AT: dict[Stage, list[str]] = {
    "subjects": ["subject_id", "prompt_digest"],
    "syllabi": ["syllabus_id", "subject_id", "language", "prompt_digest"],
    "questions": [
        *("question_id", "syllabus_id", "subject_id", "other_syllabus_id", "other_subject_id"),
        *("sample_index", "text", "language", "difficulty", "question_type", "correct_option", "prompt_digest"),
    ],
    "answers": ["question_id", "subject_id", "text", "language", "prompt_digest"],
    "continuations": ["question_id", "subject_id", "language", "prompt_digest", "asked_with"],
    "judgements": ["judgement_id", "question_id", "subject_id", "prompt_digest"],
    "instructions": [
        *("question_id", "syllabus_id", "subject_id", "other_syllabus_id", "other_subject_id"),
        *("question", "answer", "language", "difficulty", "question_type", "correct_option", "kept", "reasons"),
    ],
}


@dataclass(frozen=True, slots=True)
class Look:
    """A unit as the store holds it. `rows`: the columns that its neighbours are compared with; None if unreadable."""

    receipt: Receipt
    rows: pa.Table | None
    findings: tuple[Finding, ...]


class Looks:
    """Looks at units, from many threads if need be. `deep` decodes every column of them."""

    def __init__(self, store: Store, deep: bool) -> None:
        self._store, self._deep = store, deep
        self._readers = {stage: Reader(store, _columns(stage, deep)) for stage in STAGES}
        self._parts: dict[str, str] = {}  # SHA-256 of merged parts
        self._lock = threading.Lock()  # held while a part is looked at as a whole, which is done once

    def at(self, receipt: Receipt) -> Look:
        """Read a unit and hold it against its receipt."""
        try:
            rows, found = self._in_part(receipt) if receipt.first_row is not None else self._alone(receipt)
        except FileNotFoundError:
            named = f"a manifest names it for the unit {receipt.unit}, and it is not there"
            remedy = "run again: its units are made anew from the calls on record"
            return Look(receipt, None, (Finding("missing", receipt.object, named, remedy),))
        except StoreWeather:
            raise
        except StoreError as error:
            return Look(receipt, None, (_damaged(receipt.object, error),))
        found += [*_counts(receipt, rows), *_quarantine(self._store, receipt)]
        if self._deep and content_digest(receipt.stage, rows.to_pylist()) != receipt.content_digest:
            found.append(_finding("altered", receipt, f"the rows of {receipt.unit} have another content digest"))
        return Look(receipt, rows, tuple(found))

    def _alone(self, receipt: Receipt) -> tuple[pa.Table, list[Finding]]:
        body = self._store.files.read(receipt.object)
        columns = _columns(receipt.stage, self._deep)
        with opened(pa.BufferReader(body), receipt.object, receipt.stage) as file:
            found = list(_schema(receipt, file))
            rows = conformed(file.read(None if self._deep else known(file, columns)), receipt.stage, columns)
        if hashlib.sha256(body).hexdigest() != receipt.sha256:
            found.append(_changed(self._store, receipt))
        return rows, found

    def _in_part(self, receipt: Receipt) -> tuple[pa.Table, list[Finding]]:
        found: list[Finding] = []
        with self._lock:
            if receipt.object not in self._parts:
                self._parts[receipt.object] = self._store.files.sha256(receipt.object)
                with self._store.opened(receipt.object) as file:
                    found += _schema(receipt, file)
                if self._parts[receipt.object] != receipt.sha256:
                    found.append(_finding("altered", receipt, "its SHA-256 is not that of the receipts of its units"))
        return self._readers[receipt.stage].rows(receipt), found


def unnamed(store: Store, path: str) -> Iterator[Finding]:
    """What is wrong with an object that no manifest names; a run would take it for the unit of its name."""
    try:
        if is_part(path):
            rows_in(store, path)
            return
        receipt = store.receipt(path)
    except StoreWeather:
        raise
    except StoreError as error:
        if not store.files.exists(path):
            return  # removed since it was listed
        yield _damaged(path, error)
        return
    if receipt.object != path:
        yield Finding("foreign", path, f"it was written as {receipt.object}", "remove it, or put it back in its place")


def _columns(stage: Stage, deep: bool) -> list[str]:
    read_later = (*READ_BY_LATER_STAGES[stage], *READ_IF_SET.get(stage, ())) if deep else ()
    return list(dict.fromkeys([*_OF_EVERY_STAGE, *_LOOKED_AT[stage], *read_later]))


def _changed(store: Store, receipt: Receipt) -> Finding:
    try:
        there = store.receipt(receipt.object)
    except StoreWeather:
        raise
    except StoreError:
        return _finding("foreign", receipt, "another program has written it")
    if there.key != receipt.key:
        return _finding("foreign", receipt, f"it is the object of the unit {there.unit} ({there.object})")
    return _finding("altered", receipt, "its SHA-256 is not that of its receipt: it was edited or written over")


def _schema(receipt: Receipt, file: pq.ParquetFile) -> Iterator[Finding]:
    schema, there = SCHEMAS[receipt.stage], file.schema_arrow
    unknown = sorted(set(there.names) - set(schema.names))
    wrong = [field.name for field in schema if field.name in there.names and there.field(field.name).type != field.type]
    lacking = [name for name in _OF_EVERY_STAGE if name not in there.names]
    for names, what in ((unknown, "unknown"), (wrong, "of another type"), (lacking, "missing")):
        if names:
            yield _finding("schema", receipt, f"columns that are {what}: {', '.join(names)}")


def _counts(receipt: Receipt, rows: pa.Table) -> Iterator[Finding]:
    if rows.num_rows != receipt.rows:
        yield _finding("counts", receipt, f"it holds {rows.num_rows} rows of {receipt.unit} instead of {receipt.rows}")
    if receipt.planned != receipt.rows + receipt.quarantined:
        adds_up = f"{receipt.planned} planned, but {receipt.rows} committed and {receipt.quarantined} in quarantine"
        yield _finding("counts", receipt, f"{receipt.unit}: {adds_up}")
    expected = {"unit_key": receipt.key, "discipline_id": receipt.discipline_id, "edition": receipt.edition}
    for column, value in expected.items():
        others = pc.sum(pc.fill_null(pc.not_equal(rows[column], value), True)).as_py()
        if others:
            yield _finding("foreign", receipt, f"{others} rows have another {column} than the unit {receipt.unit}")


def _quarantine(store: Store, receipt: Receipt) -> Iterator[Finding]:
    if not receipt.quarantined:
        return
    try:
        rows = store.read_quarantine(receipt)
    except StoreWeather:
        raise
    except (StoreError, FileNotFoundError) as error:
        yield Finding("damaged", quarantine_paths(receipt)[0], str(error), _RESTORE_QUARANTINE)
        return
    if rows.num_rows != receipt.quarantined or set(rows["unit_key"].to_pylist()) != {receipt.key}:
        count = f"it holds {rows.num_rows} rows, and not the {receipt.quarantined} of {receipt.unit}"
        yield Finding("counts", quarantine_paths(receipt)[0], count, _RESTORE_QUARANTINE)


def _damaged(path: str, error: StoreError) -> Finding:
    return Finding("damaged", path, str(error).removesuffix(f"; {REMADE}"), REMADE)


def _finding(kind: Kind, receipt: Receipt, problem: str) -> Finding:
    return Finding(kind, receipt.object, problem, REMADE)
