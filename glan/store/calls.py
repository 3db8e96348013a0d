"""The write-ahead log and ledger of model calls: every reply of every attempt, written before anything rests on it."""

import json
import logging
import threading
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from glan.clock import Clock
from glan.errors import StoreError, StoreWeather
from glan.records import SCHEMAS, check_columns, table
from glan.store.ahead import ahead
from glan.store.files import Files, checked
from glan.store.parquet import conformed, encoded, known, opened
from glan.units import folder_of

_READERS = 8
_GROUPS_IN_MEMORY = 16
_ROWS_AT_A_TIME = 8_192
_logger = logging.getLogger(__name__)

FOLDER = "_calls"
MERGED = "merged"
"""In place of a writer in the names of parts that hold the rows of others."""

Row = dict[str, Any]

Place = tuple[str, int, int]
"""Where a row is: part, row group, row in the group."""


@dataclass(frozen=True, slots=True)
class _Part:
    """Rows of one discipline, ready to be created under a name that no other rows will ever have."""

    path: str
    body: bytes
    rows: int
    last: int  # number of the last row that is safe once this part and those before it are


class CallLog:
    """The log of one process, in parts `_calls/disc=<discipline_id>/<writer>-<sequence>.parquet`.

    Rows are written by a thread of its own every `flush_seconds` or `flush_rows`, or at once where someone waits for
    them. A part that cannot be written is kept, and tried again under its own name, so that each row is stored once.
    `writer` must be unique to this process start.
    """

    def __init__(
        self,
        files: Files,
        *,
        writer: str,
        flush_seconds: float = 2.0,
        flush_rows: int = 256,
        clock: Clock,
    ) -> None:
        self._files, self._writer, self._clock = files, writer, clock
        self._flush_seconds, self._flush_rows = flush_seconds, flush_rows
        self._state = threading.Lock()  # held for moments, never during I/O
        self._writing = threading.Lock()  # held by whoever flushes
        self._pending: dict[str, list[Row]] = {}
        self._parts: deque[_Part] = deque()
        self._sequence = self._appended = self._encoded = self._acknowledged = self._backlog = 0
        self._started = 0
        self._failed: tuple[int, StoreError] | None = None  # number of the last flush that failed, and how
        self._refused = False
        self._closed = False
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._flush_now_and_then, name="glan-call-log", daemon=True)
        self._thread.start()

    @property
    def backlog(self) -> int:
        """How many rows are not yet in an acknowledged part."""
        return self._backlog

    @property
    def refused(self) -> bool:
        """Whether the last rows could not be written for a reason that does not pass, such as a full disk."""
        return self._refused

    def append(self, row: Mapping[str, Any]) -> None:
        """Take one row of the table `calls`, without `writer`. Never does I/O.

        Raises:
            StoreError: the row has not the columns of the table, or the log is closed.
        """
        whole = {**row, "writer": self._writer}
        check_columns("calls", whole)
        checked(self._part_path(row["discipline_id"], 0))
        with self._state:
            if self._closed:
                raise StoreError("the call log is closed; no further call can be recorded")
            self._pending.setdefault(row["discipline_id"], []).append(whole)
            self._appended += 1
            self._backlog += 1
            if self._appended - self._encoded >= self._flush_rows:
                self._wake.set()

    def wait(self) -> None:
        """Return when every row appended before is in an acknowledged part; those who wait share one flush.

        Raises:
            StoreError: they cannot be written. The rows are kept and tried again by the next flush.
        """
        with self._state:
            goal, entered = self._appended, self._started
        with self._writing:
            if self._acknowledged >= goal:
                return
            if self._failed and self._failed[0] > entered:  # a flush that began after this call, so with its rows
                error = self._failed[1]
                raise type(error)(str(error)) from error
            self._flush()

    def flush(self) -> None:
        """Write all rows appended so far.

        Raises:
            StoreError: they cannot be written. The rows are kept and tried again by the next flush.
        """
        with self._writing:
            self._flush()

    def close(self) -> None:
        """Write what is left and end; appending is an error from now on.

        Raises:
            StoreError: what is left cannot be written; closing again tries again.
        """
        with self._state:
            self._closed = True
        self._wake.set()
        self.flush()
        self._thread.join()

    def _flush_now_and_then(self) -> None:
        told = False
        while not self._closed:
            self._wake.wait(self._flush_seconds)
            self._wake.clear()
            try:
                if self._backlog:
                    self.flush()
            except StoreError as error:
                _logger.warning("call log: %d rows are still unwritten: %s", self._backlog, error)
            except Exception:  # whatever it is, replies that are paid for are tried to be written again
                if not told:
                    _logger.exception("call log: %d rows are still unwritten", self._backlog)
                told = True

    def _flush(self) -> None:
        with self._state:
            self._started += 1
            pending, self._pending = self._pending, {}
            self._encoded = self._appended
        try:
            self._parts.extend(self._encoded_or_kept(pending))
            while self._parts:
                self._write(self._parts[0])
                self._acknowledge(self._parts.popleft())
            self._refused = False
        except StoreError as error:
            self._failed = (self._started, error)
            self._refused = not isinstance(error, StoreWeather)
            raise

    def _encoded_or_kept(self, pending: dict[str, list[Row]]) -> list[_Part]:
        try:
            return self._encode(pending, self._encoded)
        except BaseException:
            with self._state:
                for discipline_id, rows in pending.items():
                    self._pending[discipline_id] = [*rows, *self._pending.get(discipline_id, [])]
            raise

    def _encode(self, pending: Mapping[str, list[Row]], last: int) -> list[_Part]:
        """One part per discipline; only with the final one are all rows up to `last` safe."""
        parts = []
        for number, (discipline_id, rows) in enumerate(pending.items(), start=1):
            self._sequence += 1
            origin = {"writer": self._writer, "sequence": self._sequence, "written_at": self._clock().isoformat()}
            body = encoded("calls", table("calls", rows), {"glan": json.dumps(origin)})
            path = self._part_path(discipline_id, self._sequence)
            parts.append(_Part(path, body, len(rows), last if number == len(pending) else 0))
        return parts

    def _write(self, part: _Part) -> None:
        # A part that failed before may be stored all the same: then the very same bytes are there.
        if not self._files.create(part.path, part.body) and self._files.read(part.path) != part.body:
            raise StoreError(f"{part.path} holds other calls; two processes write as {self._writer}")

    def _acknowledge(self, part: _Part) -> None:
        with self._state:
            self._backlog -= part.rows
            self._acknowledged = max(self._acknowledged, part.last)

    def _part_path(self, discipline_id: str, sequence: int) -> str:
        return f"{folder_of(FOLDER, discipline_id)}/{self._writer}-{sequence:08d}.parquet"


class CallHistory:
    """The calls of one discipline that were on record when this was made. Safe to use from many threads.

    Holds an index of request keys; replies are read, a row group at a time, when they are asked for.
    """

    def __init__(self, files: Files, discipline_id: str) -> None:
        self._files = files
        self._rows = lru_cache(maxsize=_GROUPS_IN_MEMORY)(self._read_group)
        self._places: dict[str, list[Place]] = {}
        with ThreadPoolExecutor(_READERS) as pool:
            for places in pool.map(lambda path: _places(files, path), objects(files, [discipline_id])):
                for request_key, place in places:
                    self._places.setdefault(request_key, []).append(place)

    def __contains__(self, request_key: str) -> bool:
        return request_key in self._places

    def attempts(self, request_key: str) -> list[dict[str, Any]]:
        """The rows of all attempts at a request, in order of attempt, then of the time they ended; [] if none."""
        rows = [self._row(place) for place in self._places.get(request_key, ())]
        return sorted(rows, key=lambda row: (row["attempt"], row["finished_at"]))

    def _row(self, place: Place) -> dict[str, Any]:
        path, group, number = place
        rows: list[dict[str, Any]] = self._rows(path, group).slice(number, 1).to_pylist()
        return rows[0]

    def _read_group(self, path: str, group: int) -> pa.Table:
        with opened(self._files.open_input(path), path, "calls") as file:
            return conformed(file.read_row_group(group), "calls")


class Histories:
    """The history of each discipline for one run: read once, and read again after `forget`. Safe to use from threads.

    `lost` counts the other processes of the run that have died. What they were at is taken over from them, so each
    death makes their calls a part of the history too.
    """

    def __init__(self, files: Files, log: CallLog, lost: Callable[[], int] = lambda: 0) -> None:
        self._files, self._log, self._lost = files, log, lost
        self._read: dict[str, tuple[int, CallHistory]] = {}
        self._lock = threading.Lock()

    def of(self, discipline_id: str) -> CallHistory:
        """What is on record of the discipline, all that this process has asked before the reading included.

        Raises:
            StoreError: the log cannot be written or read.
        """
        lost = self._lost()
        with self._lock:
            if discipline_id not in self._read or self._read[discipline_id][0] < lost:
                self._log.wait()
                self._read[discipline_id] = (lost, CallHistory(self._files, discipline_id))
            return self._read[discipline_id][1]

    def forget(self, discipline_id: str) -> None:
        """Read it again when it is next asked for: more has been recorded meanwhile that someone needs."""
        with self._lock:
            self._read.pop(discipline_id, None)


def objects(files: Files, disciplines: Collection[str] | None = None) -> list[str]:
    """The parts that together hold each call once, of the named disciplines (None: all)."""
    folders = [FOLDER] if disciplines is None else [folder_of(FOLDER, name) for name in sorted(set(disciplines))]
    paths = [entry.path for folder in folders for entry in files.list(folder)]
    gone = replaced(files, paths)
    return [path for path in paths if path not in gone]


def replaced(files: Files, paths: Collection[str]) -> frozenset[str]:
    """The parts whose rows are in merged ones of these."""
    merged = [path for path in paths if is_merged(path)]
    with ThreadPoolExecutor(_READERS) as pool:
        return frozenset[str]().union(*pool.map(lambda path: _replaced_by(files, path), merged))


def is_merged(path: str) -> bool:
    """Whether a part holds the rows of others, which it names."""
    return path.rpartition("/")[2].startswith(f"{MERGED}-")


def merged_path(discipline_id: str, number: int) -> str:
    """Where a merged part of a discipline is."""
    return f"{folder_of(FOLDER, discipline_id)}/{MERGED}-{number:08d}.parquet"


def merged_number(path: str) -> int:
    """The number of a merged part; 0 of any other."""
    return int(path.rpartition("-")[2].removesuffix(".parquet")) if is_merged(path) else 0


def scan(
    files: Files, disciplines: Collection[str] | None = None, columns: list[str] | None = None
) -> Iterator[pa.RecordBatch]:
    """The ledger in batches, each call once: of the named disciplines and with the named columns (None: all)."""
    wanted = columns or SCHEMAS["calls"].names
    for path in objects(files, disciplines):
        with opened(files.open_input(path), path, "calls") as file:
            for batch in file.iter_batches(_ROWS_AT_A_TIME, columns=known(file, wanted)):
                yield from conformed(pa.Table.from_batches([batch]), "calls", wanted).to_batches()


def of_requests(
    files: Files, disciplines: Collection[str], request_keys: Collection[str]
) -> dict[str, list[dict[str, Any]]]:
    """The rows of all attempts at these requests, by key. One column is read of every call, the rest where one is found."""
    wanted = pa.array(sorted(set(request_keys)), pa.string())

    def rows_in(path: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        with opened(files.open_input(path), path, "calls") as file:
            for group in range(file.num_row_groups):
                keys = file.read_row_group(group, ["request_key"])["request_key"]
                if places := pc.indices_nonzero(pc.is_in(keys, wanted)).to_pylist():
                    found += conformed(file.read_row_group(group), "calls").take(places).to_pylist()
        return found

    found: dict[str, list[dict[str, Any]]] = {}
    for row in (row for rows in ahead(rows_in, objects(files, disciplines)) for row in rows):
        found.setdefault(row["request_key"], []).append(row)
    return {key: sorted(rows, key=lambda row: (row["attempt"], row["finished_at"])) for key, rows in found.items()}


def _replaced_by(files: Files, path: str) -> frozenset[str]:
    try:
        with opened(files.open_input(path), path, "calls") as file:
            return _replaces(file, path)
    except FileNotFoundError:  # its rows are in a later one, which names all that this one named
        return frozenset()


def _places(files: Files, path: str) -> list[tuple[str, Place]]:
    with opened(files.open_input(path), path, "calls") as file:
        return [
            (request_key, (path, group, number))
            for group in range(file.num_row_groups)
            for number, request_key in enumerate(file.read_row_group(group, ["request_key"])["request_key"].to_pylist())
        ]


def _replaces(file: pq.ParquetFile, path: str) -> frozenset[str]:
    """Paths of the parts whose rows a merged part holds; it may name them without their folder, which is its own."""
    folder = path.rpartition("/")[0]
    names = json.loads((file.schema_arrow.metadata or {}).get(b"replaces", b"[]"))
    return frozenset(name if "/" in name else f"{folder}/{name}" for name in names)
