"""The faults of the model server, as the real openai client meets them."""

import json

import openai
import pytest
from model_caller import always, ask, batch_prompt, once, payload, question_payload, text
from model_faults import KINDS, RATED
from model_server import ModelServer

from glan.gateway.reading import structured
from glan.replies import SubjectList, question_list


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
    batch = json.loads(text(server, payload(*batch_prompt(2), schema=question_list(2))))["questions"]
    assert batch[0] in repeated
    assert batch[1] not in repeated


def test_a_broken_script_is_told_at_once(server: ModelServer) -> None:
    server.faults = always("no_such_fault")
    with pytest.raises(openai.PermissionDeniedError, match="no_such_fault"):
        ask(server, payload("Why?"))


def test_every_rated_fault_can_be_scripted() -> None:
    assert set(RATED) < KINDS
