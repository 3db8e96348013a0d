"""Whatever an endpoint does, a run ends, its counts add up, and no reply is attached to what it does not answer."""

import itertools
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from model_faults import HARMLESS, UNREADABLE, Faults, Payload
from model_faults import RATED as KINDS
from model_server import ModelServer, Received
from proof_checks import Row, check_complete, check_store, in_flight_when_refused, ledger, paid_twice, rows, unrecorded
from proof_world import CONCURRENCY, RUN, SEED, Desk, environment, one_pass, run_here

from glan.gateway.trouble import WEATHER_KINDS

ATTEMPTS = 3
EVERY = 5
"""Of so many calls, one meets a fault."""

pytestmark = pytest.mark.usefixtures("prefect_server")


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer(seed=SEED, latency=0.02, latency_sigma=0.5) as server:
        yield server


@pytest.fixture
def store(server: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty store, which runs in this process use; calls go to the model server."""
    url = str(tmp_path / "store")
    for name, value in environment(server, url).items():
        monkeypatch.setenv(name, value)
    return url


def test_under_a_mix_of_all_faults_a_run_ends_and_nothing_is_mistaken(server: ModelServer, store: str) -> None:
    run = {**RUN, "questions": 24}
    server.faults = Faults(when=Dealer().kind, hang_seconds=60, retry_after="0.2")
    state = run_here({**run, **timing(2.0)})
    assert state.is_completed() and state.name in ("Completed", "PartiallyCompleted"), state
    struck = Counter(call.fault for call in server.calls)
    assert struck.keys() == {*KINDS, None}
    assert EVERY * (struck.total() - struck[None]) >= struck.total() * 0.8, "too few faults to prove anything"
    check_store(store)
    check_complete(store, run)
    check_attempts(store)
    check_replies(server, store)
    assert len(ledger(store)) == server.count, "a call is not on record, or recorded twice"


class Dealer:
    """Deals every kind of fault in turn to every fifth call, and those of JSON to the first calls that ask for it."""

    def __init__(self) -> None:
        self._calls = 0
        self._for_json = ["truncated_json", "wrong_schema"]
        self._kinds = itertools.cycle(sorted(set(KINDS) - set(self._for_json)))
        self._next = next(self._kinds)

    def kind(self, payload: Payload, nth: int) -> str | None:
        self._calls += 1
        if "response_format" in payload:
            return self._for_json.pop() if self._for_json else None
        if self._calls % EVERY or (self._next == "duplicate" and not is_question(payload)):
            return None
        dealt, self._next = self._next, next(self._kinds)
        return dealt


@pytest.mark.parametrize("kind", ["unauthorized", pytest.param("insufficient_quota", marks=pytest.mark.soak)])
def test_a_condemned_endpoint_ends_the_run_at_once_and_a_repaired_one_goes_on(
    server: ModelServer, store: str, tmp_path: Path, prefect_api: str, kind: str
) -> None:
    desk = Desk(tmp_path / "desk", server, store, RUN)
    server.faults = Faults(when=lambda payload, nth: kind if server.count >= 22 else None)
    ended = desk.run(prefect_api)
    assert ended.code == 1
    sentence = ended.error.strip().splitlines()
    assert len(sentence) == 1 and "OPENAI_API_KEY" in sentence[0], ended.error
    late = in_flight_when_refused(server)
    assert len(late) < CONCURRENCY
    check_store(desk.store)

    server.faults = Faults()
    lost = unrecorded(desk.store, server.calls)
    assert run_here(RUN).name == "Completed"
    assert paid_twice(server) <= {call.digest for call in lost}
    assert len(lost) <= CONCURRENCY
    assert server.count_by_payload(200).total() <= one_pass(RUN) + len(lost)
    check_store(desk.store)
    check_complete(desk.store, RUN)


def test_a_prompt_that_the_endpoint_refuses_is_quarantined_and_stops_nothing(server: ModelServer, store: str) -> None:
    refused = first_asked(is_answer)
    server.faults = Faults(when=lambda payload, nth: "bad_request" if refused(payload) else None)
    state = run_here(RUN)
    assert (state.is_completed(), state.name) == (True, "PartiallyCompleted")
    [failed] = rows(store, "quarantine")
    assert (failed["stage"], failed["error_kind"], failed["attempts"]) == ("answers", "context_length", 1)
    assert server.count == one_pass(RUN)
    check_store(store)
    check_complete(store, RUN)
    assert len(rows(store, "instructions")) == len(rows(store, "questions")) - 1


def test_an_endpoint_that_is_down_is_waited_for_and_said_so(
    server: ModelServer, store: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("GLAN_MAX_CONCURRENCY", "32")
    down = range(20, 30)
    server.faults = Faults(when=lambda payload, nth: "error_503" if server.count in down else None)
    assert run_here(RUN).name == "Completed"
    assert "waiting up to" in caplog.text and "answers again" in caplog.text
    assert not paid_twice(server)
    check_store(store)
    check_complete(store, RUN)


@pytest.mark.soak
def test_two_minutes_without_an_endpoint_cost_time_and_nothing_else(
    server: ModelServer, tmp_path: Path, prefect_api: str
) -> None:
    back: list[float] = []

    def down(payload: Payload, nth: int) -> str | None:
        if server.count < 20:
            return None
        if not back:
            back.append(time.monotonic() + 120)
        return "drop_before" if time.monotonic() < back[0] else None

    server.faults = Faults(when=down)
    desk = Desk(tmp_path / "desk", server, str(tmp_path / "store"), RUN)
    ended = desk.run(prefect_api)
    assert (ended.code, ended.quarantined) == (0, 0), ended.error
    assert "waiting up to" in ended.error and "answers again" in ended.error
    assert time.monotonic() > back[0]
    assert not paid_twice(server)
    check_store(desk.store)
    check_complete(desk.store, RUN)


def test_a_call_that_hangs_stops_no_other(server: ModelServer, store: str) -> None:
    hung = first_asked(is_question)
    server.faults = Faults(when=lambda payload, nth: "hang" if nth == 0 and hung(payload) else None)
    assert run_here({**RUN, **timing(15.0)}).name == "Completed"
    received = server.calls
    again = next(call.index for call in received if call.nth == 1)
    meanwhile = Counter(is_answer(call.payload) for call in received[:again])
    # All other questions and the answers of the other rounds; those of its own round come after it.
    assert sum(is_question(call.payload) for call in received[:again]) == 16
    assert meanwhile[True] == 12
    check_store(store)
    check_complete(store, RUN)


def check_attempts(store: str) -> None:
    """No request was replied to more often than the limit, and none again once a reply was understood."""
    answered: dict[str, list[Row]] = {}
    for row in sorted(ledger(store), key=lambda row: (row["request_key"], row["attempt"])):
        if 200 <= row["status"] < 300 and row["error_kind"] not in WEATHER_KINDS:
            answered.setdefault(row["request_key"], []).append(row)
    for attempts in answered.values():
        assert len(attempts) <= ATTEMPTS
        assert not any(row["understood"] for row in attempts[:-1])
    quarantined = rows(store, "quarantine")
    assert all(answered.get(row["request_key"]) or row["error_kind"] == "context_length" for row in quarantined)


def check_replies(server: ModelServer, store: str) -> None:
    """Each text is what the server replied to the very payload that asks for it, in a call that went well."""
    by_id = {f"req-{call.index}": call for call in server.calls}
    understood = {row["request_key"]: by_id[row["provider_request_id"]] for row in ledger(store) if row["understood"]}
    for question in rows(store, "questions"):
        [call] = [understood[key] for key in question["request_keys"]]
        assert all(concept in user(call.payload) for concept in question["key_concepts"])
        check_reply(question["text"], call)
    asked = {row["question_id"]: row["text"] for row in rows(store, "questions")}
    for answer in rows(store, "answers"):
        [call] = [understood[key] for key in answer["request_keys"]]
        assert asked[answer["question_id"]] in user(call.payload)
        check_reply(answer["text"], call)
    for syllabus in rows(store, "syllabi"):
        check_reply(syllabus["text"], understood[syllabus["request_keys"][0]])
    spoiled = {call.reply_text.strip() for call in server.calls if call.fault in UNREADABLE}
    for stage in ("syllabi", "questions", "answers"):
        assert not {row["text"] for row in rows(store, stage)} & spoiled, f"{stage} holds a reply of a failed attempt"


def check_reply(text: str, call: Received) -> None:
    assert call.fault in (None, *HARMLESS) and call.status == 200
    assert call.reply_text.strip() == text


def timing(seconds: float) -> Mapping[str, Any]:
    """Profiles whose calls time out after so many seconds."""
    return {"models": {role: {"timeout_seconds": seconds} for role in ("subject", "syllabus", "question", "answer")}}


def user(payload: Payload) -> str:
    """All that the payload says as the user: a repair has several turns."""
    return "\n".join(str(message["content"]) for message in payload["messages"] if message["role"] == "user")


def is_answer(payload: Payload) -> bool:
    return "answers the questions of students" in str(payload["messages"][0]["content"])


def is_question(payload: Payload) -> bool:
    return "Key concepts" in user(payload) and "response_format" not in payload and not is_answer(payload)


def first_asked(matches: Callable[[Payload], bool]) -> Callable[[Payload], bool]:
    """Whether a payload is the first that matches, and the same on later askings of it."""
    chosen: list[Payload] = []

    def is_it(payload: Payload) -> bool:
        if not chosen and matches(payload):
            chosen.append(payload)
        return payload in chosen

    return is_it
