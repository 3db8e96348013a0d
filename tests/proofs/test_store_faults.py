"""Whatever a store does while a run writes to it: it is waited for, or named in one sentence; never a wrong table."""

import itertools
import time
from collections.abc import Iterator

import pytest
from faulty_s3 import Asked, FaultyS3
from model_server import ModelServer
from proof_checks import check_complete, check_store, paid_twice, tables, unrecorded
from proof_world import CONCURRENCY, RUN, SEED, environment, one_pass, run_here
from s3_server import S3Server

from glan.store import patience
from glan.store.s3 import S3Files
from tasks import caching
from tasks.answers import answer_questions
from tasks.questions import ask_questions
from tasks.subjects import list_subjects
from tasks.syllabi import write_syllabus

PASSING = ("busy", "failing", "refused", "lost", "late", "slow", "cut")
MORE = {**RUN, "questions": 6}

pytestmark = pytest.mark.usefixtures("prefect_server")


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer(seed=SEED, latency=0.02) as server:
        yield server


@pytest.fixture
def proxy(s3_server: S3Server, s3_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyS3]:
    """Stands between this process and the S3 server."""
    with FaultyS3(s3_server.port) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{proxy.port}")
        yield proxy


@pytest.fixture
def store(proxy: FaultyS3, s3_url: str, server: ModelServer, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty place behind the proxy, which runs in this process use."""
    for name, value in environment(server, s3_url).items():
        monkeypatch.setenv(name, value)
    return s3_url


def test_passing_faults_of_every_kind_leave_the_tables_of_an_undisturbed_run(
    store: str, server: ModelServer, proxy: FaultyS3, undisturbed: str
) -> None:
    dealt = itertools.cycle(PASSING)
    proxy.when = lambda request: next(dealt) if request.number % 6 == 5 else None
    assert run_here(RUN).name == "Completed"
    proxy.when = lambda request: None
    assert proxy.struck.keys() == set(PASSING)
    assert tables(store) == tables(undisturbed)
    check_store(store)
    check_complete(store, RUN)
    assert server.count == one_pass(RUN)


@pytest.mark.soak
@pytest.mark.parametrize(
    ("fault", "sentence"), [("expired", "credentials have expired"), ("full", "the store is full")]
)
def test_a_store_that_refuses_in_the_middle_ends_the_run_with_its_reason(
    store: str, server: ModelServer, proxy: FaultyS3, undisturbed: str, fault: str, sentence: str
) -> None:
    broken: list[int] = []

    def refuse(request: Asked) -> str | None:
        if server.count < one_pass(RUN) // 2:
            return None
        broken.append(server.count)
        return fault if fault == "expired" or request.method == "PUT" else None

    proxy.when = refuse
    state = run_here(RUN)
    assert state.is_failed() and sentence in str(state.message), state
    assert server.count - broken[0] <= 2 * CONCURRENCY, "calls went on that could not be put on record"
    proxy.when = lambda request: None
    check_store(store)
    lost = unrecorded(store, server.calls)
    assert run_here(RUN).name == "Completed"
    assert tables(store) == tables(undisturbed)
    check_store(store)
    check_complete(store, RUN)
    assert paid_twice(server) <= {call.digest for call in lost}
    assert server.count <= one_pass(RUN) + len(lost)


def test_a_run_waits_for_the_store_wherever_it_goes_away(
    store: str, server: ModelServer, proxy: FaultyS3, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every kind of request fails once, and is not tried again where it is made."""
    monkeypatch.setitem(S3Files.__init__.__kwdefaults__, "tries", 1)  # in place of eight, which take 18 seconds
    monkeypatch.setattr(patience, "_PAUSE_SECONDS", 0.05)
    monkeypatch.setattr(caching, "BACKOFF_SECONDS", 0.0)
    seen: set[tuple[str, str, bool]] = set()
    for task in (list_subjects, write_syllabus, ask_questions, answer_questions):
        monkeypatch.setattr(task, "retries", 20)  # one unit may be the first to make more kinds than a unit has retries

    def away(request: Asked) -> str | None:
        kind = request.method, request.key.partition("/v1/")[2].partition("/")[0], request.lists
        if kind in seen:
            return None
        seen.add(kind)
        return "busy"

    proxy.when = away
    assert run_here(RUN).name == "Completed"
    proxy.when = lambda request: None
    assert len(seen) > 30
    check_store(store)
    check_complete(store, RUN)
    assert server.count == one_pass(RUN)


def test_units_wait_for_a_store_that_is_away_for_longer_than_their_tries_take(
    store: str, server: ModelServer, proxy: FaultyS3, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(S3Files.__init__.__kwdefaults__, "tries", 1)
    monkeypatch.setattr(patience, "_PAUSE_SECONDS", 0.1)
    monkeypatch.setattr(caching, "BACKOFF_SECONDS", 0.05)  # all tries of a unit within half a second
    since: list[float] = []

    def away(request: Asked) -> str | None:
        if request.method == "PUT" and "/v1/answers/" in request.key:
            since.append(time.monotonic())
        return "busy" if since and time.monotonic() - since[0] < 5 else None

    proxy.when = away
    assert run_here(RUN).name == "Completed"
    proxy.when = lambda request: None
    assert proxy.struck["busy"] > 10
    check_store(store)
    check_complete(store, RUN)
    assert server.count == one_pass(RUN)


@pytest.mark.soak
def test_listings_that_lag_make_no_wrong_table(store: str, server: ModelServer, proxy: FaultyS3) -> None:
    """A run that sees old listings only adds to what is there; the next one finds whatever that one could not see."""
    assert run_here(RUN).name == "Completed"
    before = tables(store)
    proxy.when = lambda request: "old" if request.lists else None
    assert run_here(MORE).name == "Completed"
    proxy.when = lambda request: None
    check_store(store)
    assert server.count <= 2 * one_pass(MORE)  # what is not listed may be asked again, and is then found to be there
    asked = server.count
    assert run_here(MORE).name == "Completed"
    assert server.count == asked
    check_store(store)
    check_complete(store, MORE)
    after = tables(store)
    for stage in ("subjects", "syllabi", "questions", "answers"):
        assert set(before[stage]) <= set(after[stage])
