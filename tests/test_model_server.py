"""The model server itself, driven by the real openai client, and its texts against the prompts that are shipped."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import openai
import pytest
from model_faults import KINDS, RATED, Faults
from model_server import ModelServer, payload_digest
from pydantic import BaseModel

from glan.gateway.reading import prose, structured
from glan.gateway.requests import Understood
from glan.gateway.structure import instruction, response_format
from glan.keys import normalised
from glan.prompts import Prompts
from glan.replies import SubjectList, question_list, subject_list, syllabus_sessions
from glan.spellings import spellings_of
from glan.stages import question_shape, syllabi

KEY = "sk-test-0123456789abcdef"
PROMPTS = Prompts.load()
DISCIPLINE = {"field": "Natural sciences", "sub_field": "Physical sciences", "discipline": "Physics"}
SIZES = {"min_sessions": 10, "max_sessions": 30, "concepts_per_session": 5}
COURSE = {
    "discipline": "Physics", "subject": "Optics", "level": "advanced",
    "introduction": "Light and lenses.", "subtopics": ["rays", "waves"], **SIZES,
}  # fmt: skip
Payload = dict[str, Any]


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer(api_key=KEY) as running:
        yield running


@cache  # making one takes longer than a test
def client(server: ModelServer, key: str = KEY, timeout: float = 20.0) -> openai.OpenAI:
    return openai.OpenAI(api_key=key, base_url=server.base_url, max_retries=0, timeout=timeout)


def payload(*messages: Any, schema: type[BaseModel] | None = None, seed: int | None = 1, **more: Any) -> Payload:
    """A call's body; a text stands for a user message."""
    given = [{"role": "user", "content": each} if isinstance(each, str) else each for each in messages]
    body: Payload = {"model": "teacher", "messages": given, "temperature": 1.0, "seed": seed, **more}
    if schema:
        body["response_format"] = response_format(schema, "json_schema")
    return {name: value for name, value in body.items() if value is not None}


def ask(server: ModelServer, body: Payload, **options: Any) -> Any:
    return client(server, **options).chat.completions.create(**body)


def text(server: ModelServer, body: Payload) -> str:
    return str(ask(server, body).choices[0].message.content)


def always(kind: str, **settings: Any) -> Faults:
    return Faults(when=lambda payload, nth: kind, **settings)


def once(kind: str, **settings: Any) -> Faults:
    return Faults(when=lambda payload, nth: kind if nth == 0 else None, **settings)


def question_payload(index: int, seed: int = 1) -> Payload:
    sample = {
        "strategy": "single_session",
        "sessions": [{"number": 2, "title": "Lenses", "description": "How lenses bend light."}],
        "key_concepts": ["focal length", f"aberration of order {index}"],
    }
    inputs = {**{name: COURSE[name] for name in ("discipline", "subject", "level")}, "syllabus": "Session 1: Rays"}
    return payload(*PROMPTS["question"].render({**inputs, "samples": [sample]}), seed=seed)


def grams(question: str) -> set[tuple[str, ...]]:
    words = normalised(question).split()
    return set(zip(words, words[1:], words[2:], strict=False))


# --- the protocol


def test_an_answer_is_a_whole_chat_completion_with_usage_and_request_id(server: ModelServer) -> None:
    raw = client(server).chat.completions.with_raw_response.create(**payload("x" * 8_000))
    completion = raw.parse()
    assert raw.headers["x-request-id"] == "req-0"
    assert completion.choices[0].finish_reason == "stop"
    assert completion.usage.prompt_tokens == pytest.approx(2_000, abs=5)
    assert 0 < completion.usage.prompt_tokens_details.cached_tokens < completion.usage.prompt_tokens
    assert completion.usage.completion_tokens > 20


def test_models_are_listed(server: ModelServer) -> None:
    assert [model.id for model in client(server).models.list()] == ["test-model"]


def test_a_large_prompt_is_taken(server: ModelServer) -> None:
    assert text(server, payload("word " * 600_000))


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_a_reply_is_cut_at_the_token_limit(server: ModelServer, name: str) -> None:
    choice = ask(server, payload("Why is the sky blue?", **{name: 10})).choices[0]
    assert (choice.finish_reason, len(choice.message.content)) == ("length", 40)


def test_a_response_format_that_is_not_taken_is_named() -> None:
    body = payload("Go", schema=SubjectList)
    with ModelServer(structures={"json_object"}) as server:
        with pytest.raises(openai.BadRequestError, match="response_format") as caught:
            ask(server, body)
        assert caught.value.param == "response_format"
        assert json.loads(text(server, {**body, "response_format": {"type": "json_object"}}))


def test_streaming_is_refused_by_name(server: ModelServer) -> None:
    with pytest.raises(openai.BadRequestError, match="stream"):
        ask(server, payload("Go", stream=True))


# --- what is recorded


def test_calls_are_recorded_without_the_key(server: ModelServer) -> None:
    body = payload("Why?")
    said = text(server, body)
    with pytest.raises(openai.AuthenticationError):
        ask(server, body, key="sk-another-key-0123456789")
    first, second = server.calls
    assert (first.index, first.payload, first.fault, first.status, first.reply_text) == (0, body, None, 200, said)
    assert (first.headers["authorization"], second.headers["authorization"]) == ("matched", "other")
    assert second.status == 401
    assert "sk-" not in repr(server.calls)


def test_calls_are_counted_by_payload_and_status(server: ModelServer) -> None:
    one, other = payload("one"), payload("other")
    server.faults = Faults(when=lambda body, nth: "error_500" if body == one and nth == 0 else None)
    with pytest.raises(openai.InternalServerError):
        ask(server, one)
    ask(server, one)
    ask(server, other)
    assert server.count == 3
    assert server.count_by_payload() == {payload_digest(one): 2, payload_digest(other): 1}
    assert server.count_by_payload(status=200) == {payload_digest(one): 1, payload_digest(other): 1}


def test_reset_forgets_everything(server: ModelServer) -> None:
    body = payload("Why?", seed=None)
    first, second = text(server, body), text(server, body)
    server.reset()
    assert (server.count, server.calls, server.count_by_payload()) == (0, [], {})
    assert text(server, body) == first != second


def test_waiting_for_calls_ends_with_the_call_or_the_time(server: ModelServer) -> None:
    caller = threading.Thread(target=ask, args=(server, payload("Why?")))
    caller.start()
    server.wait_for_calls(1, timeout=20)
    caller.join()
    with pytest.raises(TimeoutError, match="1 calls arrived"):
        server.wait_for_calls(2, timeout=0.01)


def test_calls_above_the_limit_are_turned_away_and_change_no_later_reply() -> None:
    body = payload("Why?", seed=None)
    with ModelServer() as plain:
        expected = text(plain, body)
    with ModelServer(limit=1, faults=Faults(when=_hang_on_held, hang_seconds=60)) as server:
        held = threading.Thread(target=_expect_break, args=(server, payload("held")))
        held.start()
        server.wait_for_calls(1)
        with pytest.raises(openai.RateLimitError):
            ask(server, body)
        assert (server.in_flight_max, server.calls[1].fault, server.calls[1].status) == (2, "limit", 429)
        server.limit = None
        assert text(server, body) == expected
    held.join(10)
    assert not held.is_alive()


def _hang_on_held(body: Payload, nth: int) -> str | None:
    return "hang" if body["messages"][0]["content"] == "held" else None


def _expect_break(server: ModelServer, body: Payload) -> None:
    with pytest.raises(openai.APIConnectionError):
        ask(server, body)


# --- sameness


def test_a_payload_with_a_seed_always_gets_the_same_reply_in_any_order() -> None:
    bodies = [question_payload(index) for index in range(12)]
    with ModelServer(seed=3) as server:
        forwards = [text(server, body) for body in bodies]
        again = [text(server, body) for body in bodies]
    with ModelServer(seed=3) as server, ThreadPoolExecutor(6) as threads:
        backwards = list(threads.map(lambda body: text(server, body), reversed(bodies)))
    with ModelServer(seed=4) as server:
        elsewhere = text(server, bodies[0])
    assert forwards == again == backwards[::-1]
    assert elsewhere != forwards[0]


def test_without_a_seed_each_asking_draws_anew_unless_the_temperature_is_zero(server: ModelServer) -> None:
    warm, cold = payload("Why?", seed=None), payload("Why?", seed=None, temperature=0)
    assert text(server, warm) != text(server, warm)
    assert text(server, cold) == text(server, cold)


def test_rates_strike_the_same_calls_whatever_their_order() -> None:
    bodies = [payload(f"Explain item {index}.") for index in range(120)]
    faults = Faults(rate_limit=0.1, error_503=0.1, empty=0.1, refusal=0.1)

    def struck(order: list[Payload]) -> dict[str, str | None]:
        with ModelServer(seed=1, faults=faults) as server:
            for body in order:
                with suppress(openai.APIStatusError):
                    ask(server, body)
            return {call.digest: call.fault for call in server.calls}

    first = struck(bodies)
    assert first == struck(bodies[::-1])
    assert set(first.values()) == {None, "rate_limit", "error_503", "empty", "refusal"}
    assert 25 <= sum(fault is not None for fault in first.values()) <= 75


# --- faults


@pytest.mark.parametrize(
    ("kind", "error", "code"),
    [
        ("rate_limit", openai.RateLimitError, "rate_limit_exceeded"),
        ("error_500", openai.InternalServerError, None),
        ("error_503", openai.InternalServerError, None),
        ("bad_request", openai.BadRequestError, "context_length_exceeded"),
        ("unauthorized", openai.AuthenticationError, "invalid_api_key"),
        ("insufficient_quota", openai.RateLimitError, "insufficient_quota"),
        ("billing", openai.APIStatusError, "payment_required"),
        ("model_not_found", openai.NotFoundError, "model_not_found"),
        ("unsupported_parameter", openai.BadRequestError, "unsupported_parameter"),
    ],
)
def test_refusals_look_like_those_of_openai(
    server: ModelServer, kind: str, error: type[openai.APIStatusError], code: str | None
) -> None:
    server.faults = once(kind)
    with pytest.raises(error) as caught:
        ask(server, payload("Why?"))
    assert caught.value.code == code
    assert "retry-after" not in caught.value.response.headers
    assert server.calls[0].fault == kind
    assert text(server, payload("Why?"))


def test_an_unsupported_parameter_is_the_one_that_was_set(server: ModelServer) -> None:
    server.faults = always("unsupported_parameter", parameter="top_p")
    with pytest.raises(openai.BadRequestError, match="'top_p'") as caught:
        ask(server, payload("Why?"))
    assert caught.value.param == "top_p"


@pytest.mark.parametrize("wanted", ["2", "0.25", "Wed, 21 Oct 2065 07:28:00 GMT"])
def test_retry_after_is_sent_as_it_was_set(server: ModelServer, wanted: str) -> None:
    server.faults = always("rate_limit_after", retry_after=wanted)
    with pytest.raises(openai.RateLimitError) as caught:
        ask(server, payload("Why?"))
    assert caught.value.response.headers["retry-after"] == wanted


@pytest.mark.parametrize("kind", ["drop_before", "drop_inside"])
def test_a_dropped_connection_is_a_connection_error(server: ModelServer, kind: str) -> None:
    server.faults = once(kind)
    with pytest.raises((openai.APIConnectionError, openai.APIError)) as caught:
        ask(server, payload("Why?"))
    assert not isinstance(caught.value, openai.APIStatusError)
    assert (server.calls[0].fault, server.calls[0].status) == (kind, 0)
    assert text(server, payload("Why?"))


def test_a_hanging_call_ends_when_its_time_is_over_or_the_caller_leaves(server: ModelServer) -> None:
    server.faults = always("hang")
    with pytest.raises(openai.APITimeoutError):
        ask(server, payload("Why?"), timeout=0.2)
    server.faults = always("hang", hang_seconds=0.01)
    assert text(server, payload("Why?"))
    assert server.in_flight_max == 1


def test_faults_of_content_arrive_as_good_status(server: ModelServer) -> None:
    found = {}
    for kind in ("truncated_json", "wrong_schema", "empty", "refusal", "length", "content_filter"):
        server.faults = always(kind)
        found[kind] = ask(server, payload("Go", schema=SubjectList)).choices[0]
    reasons = {kind: choice.finish_reason for kind, choice in found.items()}
    read = structured(SubjectList)
    problems = {
        kind: getattr(read(choice.message.content, choice.finish_reason), "kind", "none")
        for kind, choice in found.items()
    }
    assert reasons == dict.fromkeys(found, "stop") | {"length": "length", "content_filter": "content_filter"}
    assert problems | {"truncated_json": ""} == {
        "truncated_json": "", "wrong_schema": "schema", "empty": "empty", "refusal": "refused",
        "length": "truncated", "content_filter": "filtered",
    }  # fmt: skip
    with pytest.raises(json.JSONDecodeError):
        json.loads(found["truncated_json"].message.content)


def test_faults_of_structure_leave_prose_alone(server: ModelServer) -> None:
    for kind in ("truncated_json", "wrong_schema", "duplicate"):
        server.faults = always(kind)
        assert text(server, payload("Why?")).endswith(".")
    assert [call.fault for call in server.calls] == [None] * 3


def test_duplicates_of_one_course_repeat_each_other_word_for_word(server: ModelServer) -> None:
    plain = [text(server, question_payload(index)) for index in range(2)]
    server.faults = always("duplicate")
    repeated = {text(server, question_payload(index)) for index in range(3)}
    assert len(repeated) == 1
    assert repeated.isdisjoint(plain)
    batch = json.loads(text(server, payload(*_batch(2), schema=question_list(2))))["questions"]
    assert batch[0] in repeated
    assert batch[1] not in repeated


def test_a_broken_script_is_told_at_once(server: ModelServer) -> None:
    server.faults = always("no_such_fault")
    with pytest.raises(openai.PermissionDeniedError, match="no_such_fault"):
        ask(server, payload("Why?"))


def test_every_rated_fault_can_be_scripted() -> None:
    assert set(RATED) < KINDS


# --- texts


@pytest.mark.parametrize("example", [False, True])
def test_subjects_listed_and_then_structured_are_the_same(server: ModelServer, example: bool) -> None:
    asked = PROMPTS["subject_list"].render(DISCIPLINE, example=example)
    listed = text(server, payload(*asked))
    turns = [*asked, {"role": "assistant", "content": listed}, *PROMPTS["subject_structure"].render({})]
    reply = SubjectList.model_validate_json(text(server, payload(*turns, schema=subject_list())))
    assert len(reply.subjects) >= 15
    for subject in reply.subjects:
        assert subject.subject_name in listed
        assert subject.introduction in listed
        assert "; ".join(subject.subtopics) in listed
        assert f"Level: {subject.level}" in listed


def test_lists_of_one_discipline_overlap_partly_and_name_no_subject_twice(server: ModelServer) -> None:
    lists = []
    for seed in range(10):
        body = payload(*PROMPTS["subject_direct"].render(DISCIPLINE), schema=subject_list(), seed=seed)
        lists.append([each.subject_name for each in SubjectList.model_validate_json(text(server, body)).subjects])
    keys = [[min(spellings_of(name)) for name in names] for names in lists]
    assert all(len(set(one)) == len(one) for one in keys)
    assert len(set(map(frozenset, keys))) == 10
    assert len(set.intersection(*map(set, keys))) >= 2
    assert len(set.union(*map(set, keys))) > max(map(len, keys))


def test_disciplines_have_subjects_of_their_own(server: ModelServer) -> None:
    names: set[str] = set()
    for index in range(12):
        inputs = {**DISCIPLINE, "discipline": f"Discipline number {index}"}
        body = payload(*PROMPTS["subject_direct"].render(inputs), schema=subject_list())
        names |= {each.subject_name for each in SubjectList.model_validate_json(text(server, body)).subjects}
    assert len(names) > 200


@pytest.mark.parametrize("example", [False, True])
def test_a_syllabus_written_and_then_structured_is_the_same(server: ModelServer, example: bool) -> None:
    asked = PROMPTS["syllabus"].render(COURSE, example=example)
    written = text(server, payload(*asked))
    schema = syllabus_sessions(**SIZES)
    turns = [*asked, {"role": "assistant", "content": written}, *PROMPTS["syllabus_structure"].render(SIZES)]
    reply = schema.model_validate_json(text(server, payload(*turns, schema=schema)))
    assert all(session.title in written and session.description in written for session in reply.sessions)
    _expect_a_good_syllabus(reply)


def test_a_syllabus_in_one_call_has_sessions_and_concepts_of_their_own(server: ModelServer) -> None:
    schema = syllabus_sessions(**SIZES)
    body = payload(*PROMPTS["syllabus_direct"].render(COURSE), schema=schema)
    _expect_a_good_syllabus(schema.model_validate_json(text(server, body)))


def _expect_a_good_syllabus(reply: Any) -> None:
    assert 10 <= len(reply.sessions) <= 30
    assert len(syllabi.usable_sessions(reply)) == len(reply.sessions)
    concepts = [concept for session in reply.sessions for concept in session.key_concepts]
    assert len(concepts) == len(set(map(normalised, concepts))) >= 4 * len(reply.sessions)


def test_questions_are_good_questions_about_their_concepts_and_unlike_each_other() -> None:
    with ModelServer() as server:
        asked = [text(server, question_payload(index)) for index in range(300)]
    for index, question in enumerate(asked):
        assert question.endswith("?")
        assert question == question_shape.bare(question)
        assert isinstance(prose(question_shape.check)(question, "stop"), Understood), index
    assert sum("focal length" in question or "aberration of order" in question for question in asked) > 250
    sets = [grams(question) for question in asked]
    closest = max(len(a & b) / len(a | b) for i, a in enumerate(sets) for b in sets[:i])
    assert closest < 0.5


def _batch(size: int) -> list[dict[str, str]]:
    sample = {"strategy": "single_session", "sessions": [{"number": 1, "title": "Rays", "description": "On rays."}]}
    samples = [{**sample, "key_concepts": [f"shadow number {index}"]} for index in range(size)]
    inputs = {**{name: COURSE[name] for name in ("discipline", "subject", "level")}, "syllabus": None}
    return PROMPTS["question_batch"].render({**inputs, "samples": samples})


def test_a_batch_has_one_question_for_each_sample(server: ModelServer) -> None:
    schema = question_list(4)
    reply = schema.model_validate_json(text(server, payload(*_batch(4), schema=schema)))
    assert len(set(reply.questions)) == 4
    assert all(question.endswith("?") and question_shape.check(question) is None for question in reply.questions)
    assert not any(f"shadow number {other}" in reply.questions[0] for other in range(1, 4))


def test_answers_are_paragraphs_of_different_sentences(server: ModelServer) -> None:
    answers = [
        text(server, payload(*PROMPTS["answer"].render({"question": f"Why is item {i} so?"}))) for i in range(20)
    ]
    assert len(set(answers)) == 20
    for answer in answers:
        lines = [line for line in answer.splitlines() if line]
        assert answer.endswith(".")
        assert len(lines) == len(set(lines)) >= 2
        assert answer.count(". ") + len(lines) >= 4


def test_a_repaired_asking_is_answered_like_the_first(server: ModelServer) -> None:
    asked = question_payload(0)["messages"]
    turns = [
        *asked,
        {"role": "assistant", "content": "Bad"},
        "Do not do that.\n\nWrite the whole answer again, in full.",
    ]
    assert text(server, payload(*turns)).endswith("?")


def test_a_schema_spelled_out_in_the_prompt_is_followed(server: ModelServer) -> None:
    schema = syllabus_sessions(3, 4, 2)
    asked = f"Write the syllabus.\n\n{instruction(schema, 'text')}"
    for body in (payload(asked), payload(asked, response_format={"type": "json_object"})):
        assert 3 <= len(schema.model_validate_json(text(server, body)).sessions) <= 4


def test_any_schema_is_filled(server: ModelServer) -> None:
    schema = {
        "$defs": {"Colour": {"enum": ["red", "blue"]}, "Part": {"type": "object", "properties": {"weight": {"type": "number"}}}},
        "type": "object",
        "properties": {
            "colour": {"$ref": "#/$defs/Colour"}, "parts": {"type": "array", "items": {"$ref": "#/$defs/Part"}, "minItems": 2},
            "count": {"type": "integer", "minimum": 3, "maximum": 5}, "ready": {"type": "boolean"},
            "note": {"anyOf": [{"type": "string", "maxLength": 30}, {"type": "null"}]},
            "tags": {"type": "array", "items": {"type": "string", "maxLength": 12}, "minItems": 6, "maxItems": 6},
            "long": {"type": "string", "minLength": 200}, "kind": {"const": "thing"}, "odd": {"type": ["null", "string"]},
        },
    }  # fmt: skip
    form = {"type": "json_schema", "json_schema": {"name": "any", "schema": schema}}
    found = json.loads(text(server, payload("Fill it.", response_format=form)))
    assert found["colour"] in ("red", "blue")
    assert len(found["parts"]) >= 2
    assert all(isinstance(part["weight"], float) for part in found["parts"])
    assert 3 <= found["count"] <= 5
    assert isinstance(found["ready"], bool)
    assert len(found["note"]) <= 30
    assert len(found["tags"]) == len(set(found["tags"])) == 6
    assert max(map(len, found["tags"])) <= 12
    assert len(found["long"]) >= 200
    assert (found["kind"], isinstance(found["odd"], str)) == ("thing", True)


# --- as a process


def test_as_a_process_it_serves_until_it_is_told_to_stop() -> None:
    script = Path(__file__).with_name("model_server.py")
    command = [sys.executable, str(script), "--latency", "0.001", "--latency-sigma", "0.5", "--fault", "error_500=1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        with (
            pytest.raises(openai.InternalServerError),
            openai.OpenAI(api_key="k", base_url=url, max_retries=0) as caller,
        ):
            caller.chat.completions.create(**payload("Why?"))
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


def test_a_port_that_is_taken_is_an_error(server: ModelServer) -> None:
    port = int(server.base_url.split(":")[2].split("/")[0])
    with pytest.raises(OSError), ModelServer(port=port):
        pass
