"""`kill -9` in a refresh, a retry of the quarantine or a compaction harms nothing: the same command goes on with it."""

import hashlib
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from flow_world import copied
from model_faults import Faults, Payload
from model_server import ModelServer
from proof_checks import check_store, ledger, paid_twice, tables, unrecorded
from proof_world import RUN, SEED, Desk

pytestmark = pytest.mark.soak

REFRESH = ("backfill", "RUN.toml", "--mode", "refresh", "--stage", "questions", "--discipline", "physics")
RETRY = ("quarantine", "retry", "RUN.toml")
COMPACT = ("compact", "--part-mb", "1")
LATENCY = 0.15


@dataclass(frozen=True)
class Job:
    """A command, the store it is given, and what it makes of it if nothing happens."""

    command: tuple[str, ...]
    given: Path
    made: dict[str, list[str]]
    calls: int


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer(seed=SEED, latency=LATENCY, latency_sigma=0.5) as server:
        yield server


@pytest.fixture(scope="module")
def refresh(undisturbed: str, prefect_api: str, tmp_path_factory: pytest.TempPathFactory) -> Job:
    return _undisturbed(REFRESH, Path(undisturbed), prefect_api, tmp_path_factory.mktemp("refresh"))


@pytest.fixture(scope="module")
def retry(prefect_api: str, tmp_path_factory: pytest.TempPathFactory) -> Job:
    """Over a store in which about every second answer was refused."""
    folder = tmp_path_factory.mktemp("retry")
    with ModelServer(seed=SEED, faults=Faults(when=_refused)) as server:
        ended = Desk(folder / "before", server, str(folder / "quarantined"), RUN).run(prefect_api)
        assert ended.quarantined > 2, ended.error
    return _undisturbed(RETRY, folder / "quarantined", prefect_api, folder)


@pytest.mark.parametrize("name", ["refresh", "retry"])
@pytest.mark.parametrize("seed", range(3))
def test_a_killed_job_is_gone_on_with_by_the_same_command(
    request: pytest.FixtureRequest, server: ModelServer, name: str, seed: int, prefect_api: str, tmp_path: Path
) -> None:
    job: Job = request.getfixturevalue(name)
    chance = random.Random(f"{name} {seed}")
    desk = Desk(tmp_path / "desk", server, copied(job.given, tmp_path / "store"), RUN)
    before, earlier = tables(desk.store), {row["run_id"] for row in ledger(desk.store)}
    process = desk.start(prefect_api, *job.command)
    try:
        process.wait_for(_count(server, round(chance.random() * job.calls)))
        time.sleep(chance.uniform(0, 2))  # the moment of a kill is chance, and that is the point
    finally:
        process.kill()
    check_store(desk.store)
    if name == "refresh":  # readers see all of it or nothing
        assert tables(desk.store)["answers"] in (before["answers"], job.made["answers"])
    lost = unrecorded(desk.store, server.calls_after_a_kill(), earlier)

    ended = desk.run(prefect_api, *job.command)

    assert ended.code == 0, ended.error
    assert tables(desk.store) == job.made
    check_store(desk.store)
    assert paid_twice(server) <= {call.digest for call in lost}
    assert server.count <= job.calls + len(lost)


def test_a_killed_compaction_changes_nothing_that_anybody_reads(
    server: ModelServer, undisturbed: str, tmp_path: Path
) -> None:
    chance = random.Random("compaction")
    before = tables(undisturbed)
    desk = Desk(tmp_path / "desk", server, copied(Path(undisturbed), tmp_path / "store"), RUN)
    took = _seconds(lambda: desk.run(None, *COMPACT))
    assert tables(desk.store) == before
    desk.store = copied(Path(undisturbed), tmp_path / "another")
    for _ in range(6):
        process = desk.start(None, *COMPACT)
        time.sleep(chance.uniform(0.4, 1.1) * took)  # the moment of a kill is chance, and that is the point
        process.kill()
        assert tables(desk.store) == before
        check_store(desk.store)
    ended = desk.run(None, *COMPACT)
    assert ended.code == 0, ended.error
    assert tables(desk.store) == before
    check_store(desk.store)
    assert server.count == 0


def _undisturbed(command: tuple[str, ...], given: Path, prefect_api: str, folder: Path) -> Job:
    store = copied(given, folder / "store")
    with ModelServer(seed=SEED) as server:
        ended = Desk(folder / "desk", server, store, RUN).run(prefect_api, *command)
        assert ended.code == 0, ended.error
        assert server.count > 0
        check_store(store)
        return Job(command, given, tables(store), server.count)


def _refused(payload: Payload, nth: int) -> str | None:
    """The same for an answer however often it is asked."""
    system, user = (str(message["content"]) for message in payload["messages"][:2])
    answers = "answers the questions of students" in system
    return "refusal" if answers and hashlib.sha256(user.encode()).digest()[0] % 2 == 0 else None


def _count(server: ModelServer, count: int) -> Callable[[], bool]:
    return lambda: server.count >= count


def _seconds(work: Callable[[], object]) -> float:
    begun = time.monotonic()
    work()
    return time.monotonic() - begun
