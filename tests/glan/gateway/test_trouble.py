"""Each answer of an endpoint has exactly one meaning."""

import pytest

from glan.gateway.answers import Fault
from glan.gateway.trouble import Way, classify
from glan.models import ModelProfile

PROFILE = ModelProfile(model="gpt-x", extra_body={"top_k": 5})
EXCEEDED = "You exceeded your"
CONTEXT = "This model's maximum context length is 8192 tokens. Please reduce the length of the messages."


@pytest.mark.parametrize(
    ("fault", "way", "kind"),
    [
        (Fault(429, "Rate limit reached for gpt-x"), Way.CAPACITY, "rate_limit"),
        (Fault(401, "Incorrect API key"), Way.FINAL, "unauthorized"),
        (Fault(400, "Incorrect API key provided: [key]. You can obtain one elsewhere."), Way.FINAL, "unauthorized"),  # xAI
        (Fault(400, "API key not valid. Please pass a valid API key.", code="400"), Way.FINAL, "unauthorized"),  # Gemini
        (Fault(400, "Explain: what is an invalid API key?"), Way.CONTENT, "bad_request"),
        (Fault(403, "no access"), Way.FINAL, "forbidden"),
        (Fault(403, "Your account was flagged"), Way.FINAL, "forbidden"),
        (Fault(403, 'gpt-x requires moderation. Your input was flagged for "violence".'), Way.CONTENT, "content_filter"),
        (Fault(429, "Request too large for gpt-x on tokens per min (TPM): Limit 9, Requested 10"), Way.CONTENT, "too_large"),
        (Fault(404, "The model does not exist", code="model_not_found"), Way.FINAL, "not_found"),
        (Fault(405, "Method Not Allowed"), Way.FINAL, "not_found"),
        (Fault(410, "The model is deprecated"), Way.FINAL, "not_found"),
        (Fault(407, ""), Way.FINAL, "proxy"),
        (Fault(0, "refused"), Way.WEATHER, "connection"),
        (Fault(0, "", timed_out=True), Way.WEATHER, "timeout"),
        (Fault(200, ""), Way.WEATHER, "no_completion"),
        (Fault(408, ""), Way.WEATHER, "server"),
        (Fault(424, "Request failed during generation"), Way.WEATHER, "server"),  # TGI
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
        (Fault(400, "", code="unsupported_parameter", parameter="top_p"), 'top_p = "none"'),
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


@pytest.mark.parametrize(
    "fault",
    [
        Fault(429, f"{EXCEEDED} current quota, please check your plan and billing details.", code="insufficient_quota"),
        Fault(429, "Your account is not active, please check your billing details.", code="billing_not_active"),
        Fault(400, "Billing hard limit has been reached", code="billing_hard_limit_reached"),
        Fault(400, "Your credit balance is too low to access the Anthropic API.", code="invalid_request_error"),
        Fault(402, "Insufficient Balance", code="invalid_request_error"),  # DeepSeek
        Fault(402, "This request requires more credits, or fewer max_tokens.", code="402"),  # OpenRouter
        Fault(429, f"{EXCEEDED} current token quota", code="exceeded_current_quota_error"),  # Moonshot
        Fault(429, "Insufficient balance or no resource package. Please recharge.", code="1113"),  # Zhipu
        Fault(400, "Access denied, please make sure your account is in good standing.", code="arrearage"),  # DashScope
        Fault(403, "user quota is not enough", code="insufficient_user_quota"),  # One API
        Fault(200, f"{EXCEEDED} current quota", code="insufficient_quota"),  # an error within a 200
    ],
)
def test_credit_that_is_spent_is_known_by_what_providers_send(fault: Fault) -> None:
    trouble = classify(fault, PROFILE, "host:1")
    assert (trouble.way, trouble.kind) == (Way.FINAL, "quota")


@pytest.mark.parametrize(
    "fault",
    [
        Fault(
            429, f"{EXCEEDED} current quota, please try again in 20 s", code="resource_exhausted"
        ),  # Gemini, by the minute
        Fault(429, "Rate limit reached for requests per day", code="rate_limit_exceeded"),
    ],
)
def test_a_quota_that_comes_back_is_waited_for(fault: Fault) -> None:
    assert classify(fault, PROFILE, "host:1").way is Way.CAPACITY


@pytest.mark.parametrize(
    "prompt",
    [
        "Explain why a firm with insufficient funds is out of credit although its model does not exist on paper.",
        "What does a Python function do with an unexpected keyword argument such as seed or temperature?",
        "A content filter lets through the maximum context of a json_schema: how can that be?",
    ],
)
@pytest.mark.parametrize("status", [400, 422])
@pytest.mark.parametrize("words", ["Invalid prompt: {}", '[{{"msg": "Input is odd", "input": "{}"}}]'])
def test_the_words_of_an_echoed_prompt_mean_nothing(prompt: str, status: int, words: str) -> None:
    sent = f"You write tests.\n\n{prompt}"
    trouble = classify(Fault(status, words.format(prompt)), PROFILE, "h", sent)
    assert (trouble.way, trouble.kind) == (Way.CONTENT, "bad_request")
    assert prompt in trouble.message
