"""Runs by a Batch API: the tables of realtime, each reply paid for once whatever is killed, and one sentence where none is."""

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from model_batches import BatchFaults
from model_server import ModelServer
from proof_checks import check_complete, check_store, ledger, paid_twice, tables
from proof_world import LONG_RUN, RUN, SEED, Desk, Ended, one_pass

from flows.terminal.status import at_providers
from glan.clock import now
from glan.store.batches import BatchBook
from glan.store.store import Store

DELAY = 0.8
MODE = {"GLAN_MODE": "batch", "GLAN_BATCH_GATHER_SECONDS": "0.4"}


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer(seed=SEED) as server:
        server.batches.faults = BatchFaults(delay=DELAY)
        yield server


@pytest.mark.soak
def test_a_run_stopped_then_killed_while_a_batch_is_out_goes_on_elsewhere_and_pays_once(
    server: ModelServer, undisturbed: str, prefect_api: str, tmp_path: Path
) -> None:
    desk = Desk(tmp_path / "desk", server, str(tmp_path / "store"), RUN, **MODE)
    server.batches.faults.delay = 3600.0
    stopped = _terminate(desk, prefect_api)
    assert "left there" in stopped.error and stopped.code not in (0, 1, 2)
    [waiting] = at_providers(Store.open(desk.store))
    assert waiting.startswith("1 batch with") and "the oldest since" in waiting

    server.batches.faults.delay = DELAY
    _kill(desk, 3, 0.0, prefect_api)
    ended = desk.run(prefect_api)
    assert (ended.code, ended.quarantined) == (0, 0), ended.error
    assert "is gone on with" in ended.error
    _check_end(desk, RUN, tables(undisturbed))
    assert len(server.batches.all) < one_pass(RUN) / 3, "a batch holds the calls of many units"


@pytest.mark.soak
@pytest.mark.parametrize("store_url", ["local", "s3"], indirect=True)
@pytest.mark.parametrize("seed", range(4))
def test_kills_at_any_moment_pay_nothing_twice(
    server: ModelServer, store_url: str, seed: int, long_undisturbed: str, tmp_path: Path
) -> None:
    chance = random.Random(f"{seed} {store_url.partition(':')[0]}")
    desk = Desk(tmp_path / "desk", server, store_url, LONG_RUN, **MODE)
    for _ in range(3):
        _kill(desk, len(server.batches.all) + chance.randint(0, 3), chance.uniform(0, 2 * DELAY))
    ended = desk.run()
    assert (ended.code, ended.quarantined) == (0, 0), ended.error
    _check_end(desk, LONG_RUN, tables(long_undisturbed))


def test_an_endpoint_without_a_batch_api_is_told_before_anything_is_written(
    server: ModelServer, prefect_api: str, tmp_path: Path
) -> None:
    server.batches.faults = BatchFaults(no_api=True)
    store = tmp_path / "store"
    ended = Desk(tmp_path / "desk", server, str(store), RUN, **MODE).run(prefect_api)
    assert ended.code == 2
    [sentence] = ended.error.strip().splitlines()
    assert "has no Batch API (404" in sentence and "GLAN_MODE=realtime" in sentence
    assert not store.exists() and server.count == 0


def _kill(desk: Desk, batches: int, delay: float, prefect_api: str | None = None) -> None:
    """Start a run and kill it a moment after so many batches have been created, or when nothing is left to do."""
    process = desk.start(prefect_api)
    try:
        _eventually(lambda: len(desk.server.batches.all) >= batches or process.ended)
        time.sleep(delay)  # the moment of a kill is chance, and that is the point
    finally:
        process.kill()
    if Store.open(desk.store).files.exists("README.txt"):
        check_store(desk.store)


def _terminate(desk: Desk, prefect_api: str) -> Ended:
    """Start a run and stop it, as services are stopped, when its first batch is out."""
    process = desk.start(prefect_api)
    _eventually(lambda: bool(desk.server.batches.all) or process.ended)
    _eventually(lambda: any(at_providers(Store.open(desk.store))))
    os.killpg(process.pid, signal.SIGTERM)
    return process.end()


def _eventually(happened: Callable[[], bool], seconds: float = 120.0) -> None:
    until = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < until, "it has not happened"
        time.sleep(0.02)


def _check_end(desk: Desk, run: dict[str, object], expected: dict[str, list[str]]) -> None:
    assert tables(desk.store) == expected
    check_store(desk.store)
    check_complete(desk.store, run)
    assert not paid_twice(desk.server)
    assert desk.server.count == one_pass(run)
    assert {row["batch_id"] for row in ledger(desk.store)} <= {batch.id for batch in desk.server.batches.all}
    assert not any(kept.open for kept in BatchBook(Store.open(desk.store).files, now).unfinished())
