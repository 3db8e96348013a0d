"""The provider's batches that runs have sent: `_batches/<name>.json` before, `.id.json` after, `.end.json` when done with.

Whoever finds the first without the last takes the batch up: nothing that is paid for is lost, whatever was killed.
"""

import datetime
import json
from collections.abc import Collection, Sequence

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import ValidationError

from glan.batches import BatchRecord, KeptBatch, key_part, key_part_of
from glan.clock import Clock
from glan.errors import StoreError
from glan.store import calls
from glan.store.files import Entry, Files

_FOLDER = "_batches"
_ID, _END = ".id.json", ".end.json"
_KEPT_FOR = datetime.timedelta(days=35)
"""After that a provider has no results any more (OpenAI keeps them for 30 days)."""


class BatchBook:
    """Every batch on record. Safe to use from many threads and processes."""

    def __init__(self, files: Files, clock: Clock) -> None:
        self._files, self._clock = files, clock

    def keep(self, record: BatchRecord) -> None:
        """Put on record what is about to be sent."""
        self._files.create(_path(record.name, ".json"), record.model_dump_json().encode())

    def keep_id(self, name: str, batch_id: str) -> None:
        """Put on record that the batch was created, and under which id."""
        self._create(name, _ID, batch_id=batch_id)

    def end(self, name: str, how: str) -> None:
        """Put on record that nothing more is to come of the batch."""
        self._create(name, _END, how=how)

    def unfinished(self, known: Collection[str] = ()) -> list[KeptBatch]:
        """The batches that have not ended, without those whose names are known already; the oldest first.

        Raises:
            StoreError: a record is damaged, or was written by another version of glan.
        """
        since = self._clock() - _KEPT_FOR
        paths = {entry.path for entry in self._files.list(_FOLDER) if entry.modified > since}
        names = {path.removesuffix(_END) for path in paths if path.endswith(_END)}
        names |= {f"{_FOLDER}/{name}" for name in known}
        records = [
            path for path in paths if path.removesuffix(".json") not in names and path == _path(_name(path), ".json")
        ]
        read = [self._read(path, path.removesuffix(".json") + _ID in paths) for path in records]
        done = self._on_record(read)
        kept = [KeptBatch(record, name, _open(record, done.get(name or "", set()))) for record, name in read]
        return sorted(kept, key=lambda batch: batch.record.created_at)

    def _on_record(self, read: Sequence[tuple[BatchRecord, str | None]]) -> dict[str, set[str]]:
        """By batch id: what of the keys of its requests is in the call log."""
        done: dict[str, set[str]] = {batch_id: set() for _, batch_id in read if batch_id}
        if not done:
            return {}
        disciplines = {name for record, _ in read for name in record.disciplines}
        for rows in calls.scan(self._files, disciplines, ["request_key", "batch_id"]):
            chosen = rows.filter(pc.is_in(rows["batch_id"], pa.array(done)))
            for row in chosen.to_pylist():
                done[row["batch_id"]].add(key_part(row["request_key"]))
        return done

    def _create(self, name: str, suffix: str, **said: str) -> None:
        said["at"] = self._clock().isoformat()
        self._files.create(_path(name, suffix), json.dumps(said).encode())

    def _read(self, path: str, has_id: bool) -> tuple[BatchRecord, str | None]:
        try:
            record = BatchRecord.model_validate_json(self._files.read(path))
            said = json.loads(self._files.read(_path(record.name, _ID))) if has_id else {}
            return record, said.get("batch_id")
        except (ValidationError, ValueError, AttributeError, FileNotFoundError) as error:
            raise StoreError(
                f"{path} in {self._files.url} is damaged or was written by another version of glan"
            ) from error


def done_with(files: Files, before: datetime.datetime) -> tuple[list[Entry], list[Entry]]:
    """What is on record of batches that had ended before this moment, or of which the provider had nothing any more.

    First what was sent, then that it has ended, which is to be forgotten last.
    """
    entries = files.list(_FOLDER)
    ended = {_name(entry.path) for entry in entries if entry.path.endswith(_END) and entry.modified < before}
    gone = [entry for entry in entries if _name(entry.path) in ended or entry.modified < before - _KEPT_FOR]
    return [one for one in gone if not one.path.endswith(_END)], [one for one in gone if one.path.endswith(_END)]


def _path(name: str, suffix: str) -> str:
    return f"{_FOLDER}/{name}{suffix}"


def _open(record: BatchRecord, done: set[str]) -> frozenset[str]:
    return frozenset(name for name in record.requests if key_part_of(name) not in done)


def _name(path: str) -> str:
    return path.rpartition("/")[2].partition(".")[0]
