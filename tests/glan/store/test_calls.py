"""The write-ahead log: what was acknowledged is there, once; and what is read back is what was written."""

import datetime
import io
import json
import random
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from store_world import NOW, a_call, child_environment, clock

from glan.errors import StoreError, StoreWeather
from glan.store import calls
from glan.store.calls import CallHistory, CallLog
from glan.store.files import Files
from glan.store.local import LocalFiles

_WRITER = """
import os, sys, threading, uuid
from store_world import a_call, clock
from glan.store.calls import CallLog
from glan.store.files import Files
log = CallLog(Files.open(sys.argv[1]), writer=uuid.uuid4().hex, flush_seconds=0.05, flush_rows=20, clock=clock)
def work(name):
    number = 0
    while True:
        keys = [f"{sys.argv[2]}-{name}-{number + more}" for more in range(3)]
        for key in keys:
            log.append(a_call(key, discipline_id=("physics", "law")[number % 2]))
        log.wait()
        os.write(1, (" ".join(keys) + "\\n").encode())
        number += 3
for name in range(4):
    threading.Thread(target=work, args=(name,), daemon=True).start()
threading.Event().wait()
"""


class Gated(LocalFiles):
    """A folder whose writes wait for a gate, and fail while there is `trouble` with `where`; counts the attempts."""

    def __init__(self, folder: str) -> None:
        super().__init__(folder)
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Event()
        self.trouble = self.where = ""
        self.attempts = 0

    def create(self, path: str, body: bytes) -> bool:
        self.attempts += 1
        self.entered.set()
        self.gate.wait()
        if self.trouble and self.where in path:
            raise StoreWeather(self.trouble)
        return super().create(path, body)


def a_log(files: Files, writer: str = "w1", flush_seconds: float = 3600, flush_rows: int = 10_000) -> CallLog:
    """A log that flushes only when asked, unless told otherwise."""
    return CallLog(files, writer=writer, flush_seconds=flush_seconds, flush_rows=flush_rows, clock=clock)


def recorded(files: Files, *disciplines: str) -> list[str]:
    """The request keys on record, sorted."""
    batches = calls.scan(files, disciplines or None, ["request_key"])
    return sorted(key for batch in batches for key in batch.column(0).to_pylist())


def test_every_row_appended_before_waiting_is_on_record_afterwards(store_url: str) -> None:
    files = Files.open(store_url)
    log = a_log(files)
    for number in range(5):
        log.append(a_call(f"r{number}", discipline_id=("physics", "law")[number % 2]))
    assert log.backlog == 5
    assert files.list("") == []
    log.wait()
    assert log.backlog == 0
    assert recorded(files) == ["r0", "r1", "r2", "r3", "r4"]
    assert [entry.path for entry in files.list("_calls")] == [
        "_calls/disc=law/w1-00000002.parquet",
        "_calls/disc=physics/w1-00000001.parquet",
    ]
    log.close()


def test_rows_come_back_as_they_were_appended(store_url: str) -> None:
    files = Files.open(store_url)
    log = a_log(files)
    row = a_call("r1", cost_usd=0.25, reply="Grüße, ∞ and\nnew lines", status=200, provider_request_id="p")
    log.append(row)
    log.close()
    assert CallHistory(files, "physics").attempts("r1") == [{**row, "writer": "w1"}]


def test_those_who_wait_share_one_flush(tmp_path: Path) -> None:
    files = Gated(str(tmp_path))
    log = a_log(files)
    files.gate.clear()
    with ThreadPoolExecutor(20) as pool:
        log.append(a_call("first"))
        waiting = [pool.submit(log.wait)]
        files.entered.wait()
        for number in range(19):
            log.append(a_call(f"r{number}"))
        waiting += [pool.submit(log.wait) for _ in range(19)]
        files.gate.set()
        for one in waiting:
            one.result()
    assert files.attempts == 2
    assert len(recorded(files)) == 20
    log.close()


def test_appending_never_waits_for_a_write(tmp_path: Path) -> None:
    files = Gated(str(tmp_path))
    log = a_log(files, flush_rows=1)
    files.gate.clear()
    log.append(a_call("r1"))
    files.entered.wait()
    log.append(a_call("r2"))
    assert log.backlog == 2
    files.gate.set()
    log.close()
    assert recorded(files) == ["r1", "r2"]


@pytest.mark.parametrize(("flush_seconds", "flush_rows"), [(0.01, 10_000), (3600.0, 3)])
def test_rows_are_written_though_nobody_waits(tmp_path: Path, flush_seconds: float, flush_rows: int) -> None:
    files = Gated(str(tmp_path))
    log = a_log(files, flush_seconds=flush_seconds, flush_rows=flush_rows)
    for number in range(3):
        log.append(a_call(f"r{number}"))
    assert files.entered.wait(30)
    log.close()
    assert recorded(files) == ["r0", "r1", "r2"]


def test_rows_that_could_not_be_written_are_written_by_the_next_flush_once(tmp_path: Path) -> None:
    files = Gated(str(tmp_path))
    log = a_log(files)
    log.append(a_call("r1"))
    log.append(a_call("r2", discipline_id="law"))
    files.trouble = "the store is away"
    for _ in range(2):
        with pytest.raises(StoreWeather, match="the store is away"):
            log.wait()
    assert log.backlog == 2
    files.trouble = ""
    log.append(a_call("r3"))
    log.wait()
    assert (log.backlog, recorded(files)) == (0, ["r1", "r2", "r3"])
    log.close()


def test_a_log_says_that_it_is_refused_until_it_can_be_written_again(tmp_path: Path) -> None:
    class Full(Gated):
        def create(self, path: str, body: bytes) -> bool:
            if self.trouble == "the disk is full":
                raise StoreError(self.trouble)
            return super().create(path, body)

    files = Full(str(tmp_path))
    log = a_log(files)
    log.append(a_call("r1"))
    for trouble, refused in (("the store is away", False), ("the disk is full", True)):
        files.trouble = trouble
        with pytest.raises(StoreError, match=trouble):
            log.wait()
        assert log.refused == refused
    files.trouble = ""
    log.wait()
    assert not log.refused
    log.close()


def test_rows_count_as_written_only_when_all_parts_of_their_flush_are(tmp_path: Path) -> None:
    files = Gated(str(tmp_path))
    log = a_log(files)
    log.append(a_call("r1"))
    log.append(a_call("r2", discipline_id="law"))
    files.trouble, files.where = "the store is away", "disc=law"
    for _ in range(2):
        with pytest.raises(StoreWeather):
            log.wait()
        assert (log.backlog, recorded(files)) == (1, ["r1"])
    files.trouble = ""
    log.wait()
    assert (log.backlog, recorded(files)) == (0, ["r1", "r2"])
    log.close()


def test_a_part_that_was_stored_though_its_write_failed_is_not_written_twice(tmp_path: Path) -> None:
    class AnswersLost(LocalFiles):
        lost = 1

        def create(self, path: str, body: bytes) -> bool:
            created = super().create(path, body)
            if self.lost:
                self.lost -= 1
                raise StoreWeather("the answer was lost")
            return created

    files = AnswersLost(str(tmp_path))
    log = a_log(files)
    log.append(a_call("r1"))
    with pytest.raises(StoreWeather):
        log.wait()
    log.append(a_call("r2"))
    log.wait()
    assert recorded(files) == ["r1", "r2"]
    log.close()


def test_all_who_wait_for_a_flush_that_failed_hear_of_it(tmp_path: Path) -> None:
    files = Gated(str(tmp_path))
    log = a_log(files)
    files.gate.clear()
    files.trouble = "the store is away"
    with ThreadPoolExecutor(8) as pool:
        for number in range(8):
            log.append(a_call(f"r{number}"))
        waiting = [pool.submit(log.wait) for _ in range(8)]
        files.entered.wait()
        files.gate.set()
        assert [type(one.exception()) for one in waiting] == [StoreWeather] * 8
    assert log.backlog == 8
    files.trouble = ""
    log.close()
    assert len(recorded(files)) == 8


def test_a_timed_flush_that_fails_keeps_the_rows_and_goes_on(tmp_path: Path) -> None:
    files = Gated(str(tmp_path))
    files.trouble = "the store is away"
    log = a_log(files, flush_seconds=0.01)
    log.append(a_call("r1"))
    assert files.entered.wait(30)
    files.entered.clear()
    assert files.entered.wait(30)
    files.trouble = ""
    log.close()
    assert recorded(files) == ["r1"]


def test_rows_are_written_by_themselves_after_a_failure_of_any_kind(tmp_path: Path) -> None:
    class Broken(LocalFiles):
        failures = 2

        def create(self, path: str, body: bytes) -> bool:
            if self.failures:
                self.failures -= 1
                raise RuntimeError("a fault that nobody has thought of")
            return super().create(path, body)

    files = Broken(str(tmp_path))
    log = a_log(files, flush_seconds=0.01)
    log.append(a_call("r1"))
    give_up = time.monotonic() + 10
    while log.backlog and time.monotonic() < give_up:
        time.sleep(0.01)
    assert recorded(files) == ["r1"]
    log.close()


def test_two_processes_under_one_writer_name_are_found_out(tmp_path: Path) -> None:
    files = Files.open(str(tmp_path))
    one, two = a_log(files), a_log(files)
    one.append(a_call("r1"))
    one.close()
    two.append(a_call("r2"))
    with pytest.raises(StoreError, match="two processes write as w1"):
        two.wait()
    assert recorded(files) == ["r1"]


def test_a_closed_log_takes_no_rows(store_url: str) -> None:
    log = a_log(Files.open(store_url))
    log.append(a_call("r1"))
    log.close()
    log.close()
    with pytest.raises(StoreError, match="the call log is closed"):
        log.append(a_call("r2"))
    assert recorded(Files.open(store_url)) == ["r1"]


@pytest.mark.parametrize(
    "row", [{"request_key": "r1"}, a_call("r1", discipline_id="../x"), a_call("r1", writer="me", x=1)]
)
def test_a_row_that_could_not_be_written_later_is_refused_at_once(tmp_path: Path, row: dict[str, object]) -> None:
    log = a_log(Files.open(str(tmp_path)))
    with pytest.raises(StoreError):
        log.append(row)
    assert log.backlog == 0
    log.close()


def test_nobody_is_told_that_rows_are_on_record_which_no_table_can_hold(tmp_path: Path) -> None:
    log = a_log(Files.open(str(tmp_path)))
    log.append(a_call("r1", status="two hundred"))
    for _ in range(2):
        with pytest.raises(StoreError, match="rows of calls do not fit"):
            log.wait()
    assert log.backlog == 1


def test_attempts_come_in_order(store_url: str) -> None:
    files = Files.open(store_url)
    later = NOW + datetime.timedelta(seconds=5)
    for writer, rows in {
        "w2": [a_call("r1", attempt=2, reply="c"), a_call("r2")],
        "w1": [a_call("r1", attempt=1, reply="b", finished_at=later), a_call("r1", attempt=1, reply="a")],
    }.items():
        log = a_log(files, writer)
        for row in rows:
            log.append(row)
        log.close()
    history = CallHistory(files, "physics")
    assert [row["reply"] for row in history.attempts("r1")] == ["a", "b", "c"]
    assert "r1" in history
    assert "r3" not in history
    assert history.attempts("r3") == []
    assert "r1" not in CallHistory(files, "law")


def test_the_ledger_has_each_call_once_with_the_columns_asked_for(store_url: str) -> None:
    files = Files.open(store_url)
    log = a_log(files)
    for discipline_id in ("law", "physics", "physic"):
        for number in range(3):
            log.append(a_call(f"{discipline_id}-{number}", discipline_id=discipline_id))
            log.wait()
    log.close()
    assert len(recorded(files)) == 9
    assert recorded(files, "physics", "law") == [
        f"{name}-{number}" for name in ("law", "physics") for number in range(3)
    ]
    assert recorded(files, "history") == []
    [first, *_] = calls.scan(files, ["law"], ["reply", "writer"])
    assert first.to_pylist() == [{"reply": "reply to law-0", "writer": "w1"}]
    assert list(calls.scan(Files.open(f"{store_url}/none"))) == []


@pytest.mark.parametrize("folder", ["", "_calls/disc=physics/"])
def test_a_merged_part_counts_instead_of_the_parts_it_replaces(store_url: str, folder: str) -> None:
    files = Files.open(store_url)
    log = a_log(files)
    for number in range(4):
        log.append(a_call(f"r{number}"))
        log.wait()
    log.close()
    parts = calls.objects(files, ["physics"])
    replaced = parts[:3]
    rows = pq.read_table(files.open_input(replaced[0]))
    for path in replaced[1:]:
        rows = rows.from_batches([*rows.to_batches(), *pq.read_table(files.open_input(path)).to_batches()])
    names = [f"{folder}{path.rpartition('/')[2]}" for path in replaced]
    sink = io.BytesIO()
    metadata = {**(rows.schema.metadata or {}), b"replaces": json.dumps(names).encode()}
    pq.write_table(rows.replace_schema_metadata(metadata), sink, row_group_size=2)
    merged = "_calls/disc=physics/merged-00000001.parquet"
    files.create(merged, sink.getvalue())
    assert recorded(files) == ["r0", "r1", "r2", "r3"]
    assert calls.objects(files) == [merged, parts[3]]
    history = CallHistory(files, "physics")
    for number in range(4):
        assert [row["reply"] for row in history.attempts(f"r{number}")] == [f"reply to r{number}"]


def test_a_damaged_part_is_named(store_url: str) -> None:
    files = Files.open(store_url)
    files.create("_calls/disc=physics/w1-00000001.parquet", b"PAR1 and then nothing")
    for use in (lambda: CallHistory(files, "physics"), lambda: list(calls.scan(files))):
        with pytest.raises(StoreError, match=r"_calls/disc=physics/w1-00000001.parquet is damaged"):
            use()


def test_after_kills_every_acknowledged_row_is_on_record_exactly_once(store_url: str) -> None:
    acknowledged: list[str] = []
    for round_number in range(4):
        command = [sys.executable, "-c", _WRITER, store_url, str(round_number)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=child_environment()) as writer:
            assert writer.stdout
            acknowledged += writer.stdout.readline().split()
            with pytest.raises(subprocess.TimeoutExpired):
                writer.wait(random.uniform(0.05, 0.5))
            writer.send_signal(signal.SIGKILL)
            lines = writer.stdout.readlines()
            acknowledged += [key for line in lines if line.endswith("\n") for key in line.split()]
    on_record = recorded(Files.open(store_url))
    assert len(acknowledged) > 12
    assert len(on_record) == len(set(on_record))
    assert set(acknowledged) <= set(on_record)
    histories = [CallHistory(Files.open(store_url), name) for name in ("physics", "law")]
    assert all(any(key in history for history in histories) for key in acknowledged)
