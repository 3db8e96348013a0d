"""`kill -9` at any moment loses nothing and pays nothing twice, whatever machine goes on with the work."""

import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from model_server import ModelServer, Received
from proof_checks import check_complete, check_store, paid_twice, tables, unrecorded
from proof_world import CONCURRENCY, FLUSH_SECONDS, LONG_RUN, RUN, SEED, Desk, one_pass
from s3_server import S3Server

from glan.store.store import Store

LATENCY = 0.15
MARGIN = 5.0
"""Seconds by which a busy machine may take its time between a reply and its part in the log."""


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer(seed=SEED, latency=LATENCY, latency_sigma=0.5) as server:
        yield server


@pytest.mark.parametrize("store_url", ["local", "local", "s3"], indirect=True, ids=["early", "late", "s3"])
def test_a_killed_run_goes_on_elsewhere_as_if_nothing_had_happened(
    request: pytest.FixtureRequest,
    server: ModelServer,
    store_url: str,
    undisturbed: str,
    prefect_api: str,
    tmp_path: Path,
) -> None:
    share = {"early": (0.1, 0.4), "late": (0.7, 1.0), "s3": (0.3, 0.9)}[request.node.callspec.id]
    chance = random.Random(request.node.callspec.id)
    desk = Desk(tmp_path / "desk", server, store_url, RUN)
    lost = _killed_run(desk, round(chance.uniform(*share) * one_pass(RUN)), chance.uniform(0, 0.5), prefect_api)
    ended = desk.run()
    assert (ended.code, ended.quarantined) == (0, 0), ended.error
    _check_end(desk, RUN, tables(undisturbed), lost)


@pytest.mark.soak
@pytest.mark.parametrize("store_url", ["local", "s3"], indirect=True)
@pytest.mark.parametrize("seed", range(6))
def test_two_kills_in_a_row_at_any_moment(
    server: ModelServer,
    store_url: str,
    seed: int,
    s3_server: S3Server,
    long_undisturbed: str,
    tmp_path: Path,
) -> None:
    chance = random.Random(f"{seed} {store_url.partition(':')[0]}")
    desk = Desk(tmp_path / "desk", server, store_url, LONG_RUN)
    lost: list[Received] = []
    for first, last in ((0.02, 0.5), (0.4, 1.0)):
        count = max(server.count + 1, round(chance.uniform(first, last) * one_pass(LONG_RUN)))
        lost += _killed_run(desk, min(count, one_pass(LONG_RUN)), chance.uniform(0, 2))
    interrupted = _interrupt(s3_server, server, chance) if store_url.startswith("s3:") and seed % 2 else None
    ended = desk.run()
    if interrupted:
        interrupted.join()
    assert (ended.code, ended.quarantined) == (0, 0), ended.error
    _check_end(desk, LONG_RUN, tables(long_undisturbed), lost)


def _killed_run(desk: Desk, count: int, delay: float, prefect_api: str | None = None) -> list[Received]:
    """A run that is killed `delay` seconds after the server's call number `count`; the calls that are lost with it.

    Checks that they are no more than the log allows: those in flight, and those answered since the last flush.
    """
    server = desk.server
    before = len(server.calls)
    process = desk.start(prefect_api)
    try:
        server.wait_for_calls(count, timeout=90)
        time.sleep(delay)  # the moment of a kill is chance, and that is the point
        in_flight, killed_at = server.in_flight, time.time()
    finally:
        process.kill()
    lost = unrecorded(desk.store, server.calls[before:])
    unwritten = [call for call in lost if call.at < killed_at - FLUSH_SECONDS - 10 * LATENCY - MARGIN]
    assert in_flight <= CONCURRENCY
    assert not unwritten, f"{len(unwritten)} replies were not written within {MARGIN} s"
    if Store.open(desk.store).files.exists("README.txt"):
        check_store(desk.store)
    return lost


def _check_end(desk: Desk, run: dict[str, Any], expected: dict[str, list[str]], lost: list[Received]) -> None:
    assert tables(desk.store) == expected
    check_store(desk.store)
    check_complete(desk.store, run)
    again = paid_twice(desk.server)
    assert again <= {call.digest for call in lost}, "a reply that was on record was paid for again"
    assert desk.server.count <= one_pass(run) + len(lost)
    assert len(desk.server.count_by_payload()) == one_pass(run), "something was asked that no undisturbed run asks"


def _interrupt(s3: S3Server, server: ModelServer, chance: random.Random) -> threading.Thread:
    """Kill the S3 server in the middle of the run that starts now, and bring it back."""
    count = server.count + chance.randint(1, 20)

    def crash() -> None:
        try:
            server.wait_for_calls(count, timeout=60)
        except TimeoutError:
            return  # nothing was left to ask
        s3.kill()
        time.sleep(chance.uniform(0, 3))
        s3.start()

    thread = threading.Thread(target=crash)
    thread.start()
    return thread
