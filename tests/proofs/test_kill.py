"""`kill -9` at any moment loses nothing and pays nothing twice, whatever machine goes on with the work.

Each kill has its own way of working (realtime or batch, threads or Dask), and so has the run that goes on after it:
what they share is the store alone.
"""

import random
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
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

MODES: dict[str, dict[str, str]] = {
    "realtime": {},
    "batch": {"GLAN_MODE": "batch", "GLAN_BATCH_GATHER_SECONDS": "0.4"},
}
PROCESSES = {"threads": 1, "dask": 2}
"""That make calls; each may have `GLAN_MAX_CONCURRENCY` of them in flight."""
RUNNERS: dict[str, dict[str, str]] = {
    "threads": {},
    "dask": {"GLAN_TASK_RUNNER": "dask", "GLAN_DASK_WORKERS": str(PROCESSES["dask"])},
}
KILLS = 20


@dataclass(frozen=True)
class Kill:
    """A run that is killed `delay` seconds after a share of all calls; before the first one if the share is 0."""

    mode: str
    runner: str
    share: float
    delay: float

    @property
    def settings(self) -> dict[str, str]:
        return {**MODES[self.mode], **RUNNERS[self.runner]}


def drawn() -> list[tuple[str, list[Kill]]]:
    """Stores, each with two kills one after another; every setting has half of all kills."""
    chance = random.Random("kills")
    modes, runners = ([*names] * (KILLS // len(names)) for names in (MODES, RUNNERS))
    chance.shuffle(modes)
    chance.shuffle(runners)
    kills = [
        Kill(mode, runner, chance.choice((0.0, 1.0, *(chance.random() for _ in range(6)))), chance.uniform(0, 4))
        for mode, runner in zip(modes, runners, strict=True)
    ]
    pairs = [sorted(pair, key=lambda kill: kill.share) for pair in zip(kills[::2], kills[1::2], strict=True)]
    return [(("local", "s3")[number % 2], pair) for number, pair in enumerate(pairs)]


def name(kills: Sequence[Kill]) -> str:
    return ",".join(f"{kill.mode}-{kill.runner}-{kill.share:.2f}" for kill in kills)


DRAWN = drawn()
QUICK = [
    ("local", [Kill("realtime", "threads", 0.4, 0.2)]),
    ("local", [Kill("batch", "threads", 0.3, 0.3)]),
]


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer(seed=SEED, latency=LATENCY, latency_sigma=0.5) as server:
        yield server


@pytest.mark.parametrize(
    ("store_url", "kills"), QUICK, indirect=["store_url"], ids=[f"{where}-{name(kills)}" for where, kills in QUICK]
)
def test_a_killed_run_goes_on_elsewhere_as_if_nothing_had_happened(
    server: ModelServer, store_url: str, kills: list[Kill], undisturbed: str, prefect_api: str, tmp_path: Path
) -> None:
    desk = Desk(tmp_path / "desk", server, store_url, RUN)
    lost = [call for kill in kills for call in _killed_run(desk, RUN, kill, prefect_api)]
    ended = desk.run(prefect_api)
    assert (ended.code, ended.quarantined) == (0, 0), ended.error
    _check_end(desk, RUN, tables(undisturbed), lost)


@pytest.mark.soak
@pytest.mark.parametrize(
    ("store_url", "kills"), DRAWN, indirect=["store_url"], ids=[f"{where}-{name(kills)}" for where, kills in DRAWN]
)
def test_two_kills_in_a_row_at_any_moment(
    request: pytest.FixtureRequest,
    server: ModelServer,
    store_url: str,
    kills: list[Kill],
    s3_server: S3Server,
    long_undisturbed: str,
    tmp_path: Path,
) -> None:
    """Every process has a Prefect server of its own on an empty database; on S3, sometimes that server dies as well."""
    chance = random.Random(request.node.callspec.id)
    desk = Desk(tmp_path / "desk", server, store_url, LONG_RUN)
    lost = [call for kill in kills for call in _killed_run(desk, LONG_RUN, kill)]
    interrupted = (
        _interrupt(s3_server, server, chance) if store_url.startswith("s3:") and chance.random() < 0.5 else None
    )
    ended = desk.run(**kills[chance.randrange(2)].settings)
    if interrupted:
        interrupted.join()
    assert (ended.code, ended.quarantined) == (0, 0), ended.error
    _check_end(desk, LONG_RUN, tables(long_undisturbed), lost)


def test_every_setting_is_drawn_often_enough() -> None:
    kills = [kill for _, pair in DRAWN for kill in pair]
    assert len(kills) == KILLS
    for setting in (*MODES, *RUNNERS):
        assert sum(setting in (kill.mode, kill.runner) for kill in kills) >= 5
    for where in ("local", "s3"):
        assert sum(len(pair) for place, pair in DRAWN if place == where) >= 5


def _killed_run(desk: Desk, run: dict[str, Any], kill: Kill, prefect_api: str | None = None) -> list[Received]:
    """The calls that are lost with a run that is killed: no more than the log allows.

    That is those in flight, and those answered since the last flush.
    """
    server = desk.server
    before = len(server.calls)
    process = desk.start(prefect_api, **kill.settings)
    try:
        process.wait_for(lambda: server.count >= round(kill.share * one_pass(run)))
        time.sleep(kill.delay)  # the moment of a kill is chance, and that is the point
        in_flight, killed_at = server.in_flight, time.time()
    finally:
        process.kill()
    lost = unrecorded(desk.store, server.calls_after_a_kill()[before:])
    if kill.mode == "realtime":  # what a provider's batch has answered waits there to be fetched
        unwritten = [call for call in lost if call.at < killed_at - FLUSH_SECONDS - 10 * LATENCY - MARGIN]
        assert in_flight <= CONCURRENCY * PROCESSES[kill.runner]
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
