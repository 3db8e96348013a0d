"""Each answer of an endpoint has exactly one meaning."""

import pytest

from glan.config import ModelProfile
from glan.gateway.answers import Fault
from glan.gateway.trouble import Way, classify

PROFILE = ModelProfile(model="gpt-x", extra_body={"top_k": 5})
CONTEXT = "This model's maximum context length is 8192 tokens. Please reduce the length of the messages."


@pytest.mark.parametrize(
    ("fault", "way", "kind"),
    [
        (Fault(429, "Rate limit reached for gpt-x"), Way.CAPACITY, "rate_limit"),
        (Fault(429, "You exceeded your current quota", code="resource_exhausted"), Way.CAPACITY, "rate_limit"),
        (Fault(429, "You exceeded your current quota", code="insufficient_quota"), Way.FINAL, "quota"),
        (Fault(429, "Insufficient balance"), Way.FINAL, "quota"),
        (Fault(402, "Payment required"), Way.FINAL, "quota"),
        (Fault(400, "Your credit balance is too low"), Way.FINAL, "quota"),
        (Fault(401, "Incorrect API key"), Way.FINAL, "unauthorized"),
        (Fault(403, "no access"), Way.FINAL, "forbidden"),
        (Fault(404, "The model does not exist", code="model_not_found"), Way.FINAL, "not_found"),
        (Fault(0, "refused"), Way.WEATHER, "connection"),
        (Fault(0, "", timed_out=True), Way.WEATHER, "timeout"),
        (Fault(200, ""), Way.WEATHER, "no_completion"),
        (Fault(408, ""), Way.WEATHER, "server"),
        (Fault(500, "boom"), Way.WEATHER, "server"),
        (Fault(503, "overloaded"), Way.WEATHER, "server"),
        (Fault(529, "overloaded"), Way.WEATHER, "server"),
        (Fault(400, CONTEXT, code="context_length_exceeded"), Way.CONTENT, "context_length"),
        (Fault(400, CONTEXT), Way.CONTENT, "context_length"),
        (Fault(413, "too large"), Way.CONTENT, "too_large"),
        (Fault(400, "flagged by our content management policy", code="content_filter"), Way.CONTENT, "content_filter"),
        (Fault(422, "something about this request"), Way.CONTENT, "bad_request"),
        (Fault(400, "response_format is not supported", parameter="response_format"), Way.STRUCTURE, "structure"),
        (Fault(400, "Invalid schema: 'minItems' is not permitted"), Way.STRUCTURE, "structure"),
        (Fault(400, "The model `gpt-x` does not exist"), Way.FINAL, "model"),
        (Fault(400, "bad", parameter="model"), Way.FINAL, "model"),
        (Fault(400, "Unrecognized request argument supplied: seed"), Way.FINAL, "parameter"),
        (Fault(400, "gpt-x does not support temperature here", code="unsupported_value"), Way.FINAL, "parameter"),
        (Fault(400, "extra inputs are not permitted: top_k"), Way.FINAL, "parameter"),
        (Fault(400, "use max_completion_tokens", code="unsupported_parameter", parameter="max_tokens"), Way.FINAL, "parameter"),
    ],
)  # fmt: skip
def test_a_fault_has_one_meaning(fault: Fault, way: Way, kind: str) -> None:
    trouble = classify(fault, PROFILE, "host:1")
    assert (trouble.way, trouble.kind) == (way, kind)


@pytest.mark.parametrize(
    ("fault", "fix"),
    [
        (Fault(401, ""), "TEACHER_KEY"),
        (Fault(404, ""), "/v1"),
        (Fault(400, "", code="unsupported_parameter", parameter="seed"), "send_seed = false"),
        (Fault(400, "", code="unsupported_parameter", parameter="max_tokens"), "max_completion_tokens"),
        (Fault(400, "unknown parameter: top_k"), "remove top_k"),
        (Fault(400, "no such model"), "GLAN_MODEL"),
    ],
)
def test_a_final_fault_names_model_host_and_fix(fault: Fault, fix: str) -> None:
    profile = ModelProfile(model="gpt-x", api_key_env="TEACHER_KEY", extra_body={"top_k": 5})
    message = classify(fault, profile, "host:1").message
    assert "gpt-x" in message
    assert "host:1" in message
    assert fix in message


def test_only_weather_of_the_whole_endpoint_is_an_outage() -> None:
    assert [status for status in (0, 500, 502, 503, 504) if classify(Fault(status, ""), PROFILE, "h").outage] == [
        0,
        502,
        503,
        504,
    ]
    assert not classify(Fault(0, "", timed_out=True), PROFILE, "h").outage


def test_words_far_down_an_echoed_prompt_mean_nothing() -> None:
    echoed = "invalid request: " + "x" * 600 + " maximum context, unsupported parameter seed, model not found"
    assert classify(Fault(400, echoed), PROFILE, "h").kind == "bad_request"
