"""What a fault means and what to do about it: four kinds, four ways. Pure."""

import re
from dataclasses import dataclass, replace
from enum import Enum

from glan.gateway.answers import Fault
from glan.models import ModelProfile


class Way(Enum):
    """Whom a fault concerns, and so how the gateway goes on."""

    CAPACITY = "capacity"  # slow down and try again; never counts
    WEATHER = "weather"  # back off and try again
    CONTENT = "content"  # this request cannot be answered
    STRUCTURE = "structure"  # the endpoint does not take this way of asking for JSON
    FINAL = "final"  # the endpoint is condemned


@dataclass(frozen=True, slots=True)
class Trouble:
    """`kind` is the `error_kind` of the calls table; `message` one clear sentence without secrets."""

    way: Way
    kind: str
    message: str
    outage: bool = False  # weather that concerns the whole endpoint rather than one request
    reached: bool = True  # something was there that took the request


NOT_JSON = "not_json"
"""What the model wrote is no JSON, by the endpoint's own account: like any reply of that kind it is asked for again."""

REPLAYED_KINDS = frozenset({"context_length", "too_large", "content_filter", NOT_JSON})
"""Refusals that rest on the request's own content, or on the reply to it, so that a recorded one holds."""

WEATHER_KINDS = frozenset({"timeout", "connection", "no_completion", "server"})
"""Of the calls table: what passes. A request that nothing else came of ends in quarantine as `weather`."""

_OUTAGE = frozenset({0, 502, 503, 504, 521, 522, 523, 529})
_WEATHER = frozenset({408, 409, 424, 425, 499})  # 424: an inference server whose engine failed
_NOT_THERE = frozenset({404, 405, 410})  # 410: a model that was withdrawn
_ON_THE_REQUEST = frozenset({400, 413, 422})
_QUOTA_CODES = frozenset(
    {
        "insufficient_quota",
        "insufficient_user_quota",
        "exceeded_current_quota_error",
        "billing_not_active",
        "billing_hard_limit_reached",
        "insufficient_balance",
        "insufficient_credits",
        "insufficient_funds",
        "payment_required",
        "account_deactivated",
        "arrearage",
    }
)
_MODEL_CODES = frozenset(
    {"model_not_found", "model_not_supported", "invalid_model", "unknown_model", "deploymentnotfound"}
)
_FILTER_CODES = frozenset(
    {"content_filter", "content_policy_violation", "data_inspection_failed", "moderation_blocked"}
)

_NOT_JSON_CODES = frozenset({"json_validate_failed"})  # Groq

_QUOTA = re.compile(
    r"insufficient (?:quota|balance|credits?|funds)|out of credits?|credit balance is too low", re.IGNORECASE
)
_QUOTA_OPENING = re.compile(r"your credit balance is too low", re.IGNORECASE)  # of Anthropic: a 400 like any other
_KEY_OPENING = re.compile(r"(?:incorrect|invalid) api key|api key (?:not valid|expired)", re.IGNORECASE)  # xAI, Gemini
_SIZE_OPENING = re.compile(r"request too large", re.IGNORECASE)  # of OpenAI: a 429 like any other, and for good
_LENGTH = re.compile(
    r"context[ _](?:length|window|size)|maximum context|too many (?:input )?tokens|prompt is too long|input is too long"
    r"|reduce (?:the|your) (?:length|prompt|input)",
    re.IGNORECASE,
)
_FILTER = re.compile(
    r"content (?:management )?(?:policy|filter)|content_filter|safety (?:system|filter|policy)|flagged", re.IGNORECASE
)
_FLAGGED = re.compile(r"(?:input|prompt|request|content|messages?) (?:was|were|is|are|has been) flagged", re.IGNORECASE)
_STRUCTURE = re.compile(
    r"response_format|json_schema|json_object|structured output|json mode|guided_|grammar|schema", re.IGNORECASE
)
_PARAMETER = re.compile(
    r"unsupported (?:parameter|value|argument)"
    r"|un(?:known|recognized|expected) (?:request )?(?:parameter|argument|field|keyword)"
    r"|extra (?:inputs|fields) (?:are )?not permitted|extra_forbidden|does not support|is not supported",
    re.IGNORECASE,
)
_MODEL = re.compile(
    r"\bmodel\b.{0,120}?(?:does not exist|not found|not exist|is not supported|not available|no longer)"
    r"|(?:invalid|unknown|unsupported|no such) model\b",
    re.IGNORECASE,
)
_FIXES = {
    "max_tokens": 'set token_limit_name = "max_completion_tokens" in the model profile, or lower max_tokens',
    "max_completion_tokens": 'set token_limit_name = "max_tokens" in the model profile, or lower max_tokens',
    "seed": "set send_seed = false in the model profile",
    "temperature": 'set temperature = "none" in the model profile',
    "top_p": 'set top_p = "none" in the model profile',
    "stop": "remove stop from the model profile",
}


_ECHOED = 5  # words in a row


def classify(fault: Fault, profile: ModelProfile, host: str, sent: str = "") -> Trouble:
    """What the fault of a call with this profile means; `sent`: the prompt, whose words an endpoint may give back."""
    said = f": {fault.message}" if fault.message else ""
    fault = replace(fault, message=_own_words(fault.message, sent))
    if 0 < fault.status < 500:
        condemned = _final(fault, profile, host, said)
        if condemned:
            return Trouble(Way.FINAL, condemned[0], condemned[1])
    if _is_too_large(fault):
        return Trouble(Way.CONTENT, "too_large", f"{host} finds the request too large ({fault.status}){said}")
    if fault.status == 429:
        return Trouble(Way.CAPACITY, "rate_limit", f"{host} is at its limit (429){said}")
    if fault.status < 400 or fault.status >= 500 or fault.status in _WEATHER:
        return _weather(fault, host, said)
    return _content(fault, profile, host, said)


def _own_words(message: str, sent: str) -> str:
    """A message up to where it begins to repeat what was sent."""
    words, prompt = message.split(), " ".join(sent.split())
    for start in range(len(words) - _ECHOED + 1):
        if " ".join(words[start : start + _ECHOED]) in prompt:
            return " ".join(words[:start])
    return message


def _final(fault: Fault, profile: ModelProfile, host: str, said: str) -> tuple[str, str] | None:
    """The kind and sentence of a fault that condemns the endpoint whatever is asked."""
    key = profile.api_key_env or "OPENAI_API_KEY"
    if _is_spent(fault):
        fix = f"add credit, or set {key} to another key"
        return "quota", f"{host} reports that the quota or credit for {profile.model} is spent; {fix}{said}"
    if fault.status == 401 or (fault.status == 400 and _KEY_OPENING.match(fault.message)):
        refused = f"{host} refuses the API key for {profile.model} ({fault.status})"
        return "unauthorized", f"{refused}; set {key} to a valid key{said}"
    if fault.status == 403 and not _is_filtered(fault):
        return (
            "forbidden",
            f"{host} forbids {profile.model} to this key (403); set {key} to a key that may use it{said}",
        )
    if fault.status in _NOT_THERE:
        fix = "check the model's name and the base URL, which usually ends with /v1"
        return "not_found", f"{host} has no model {profile.model} or no such address ({fault.status}); {fix}{said}"
    if fault.status == 407:
        return (
            "proxy",
            f"the proxy before {host} wants a user and a password (407); set HTTPS_PROXY or HTTP_PROXY{said}",
        )
    return None


def _is_spent(fault: Fault) -> bool:
    """Whether it is the quota or credit. What judges the request may speak of money because the prompt does."""
    if fault.status == 402 or fault.code in _QUOTA_CODES:
        return True
    if fault.status in _ON_THE_REQUEST:
        return _QUOTA_OPENING.match(fault.message) is not None
    return _QUOTA.search(fault.message) is not None


def _is_filtered(fault: Fault) -> bool:
    """Whether a 403 is about this prompt, which moderation stopped, and not about the key."""
    return fault.code in _FILTER_CODES or _FLAGGED.search(fault.message) is not None


def _is_too_large(fault: Fault) -> bool:
    """Whether the request is larger than the endpoint ever takes; a 429 may say so, and waiting does not help."""
    return fault.status == 413 or (fault.status == 429 and _SIZE_OPENING.match(fault.message) is not None)


def _weather(fault: Fault, host: str, said: str) -> Trouble:
    if fault.timed_out:
        return Trouble(Way.WEATHER, "timeout", f"{host} did not answer in time{said}")
    if fault.broke_off:
        return Trouble(Way.WEATHER, "connection", f"{host} broke off the connection{said}", outage=True)
    if fault.status == 0:
        return Trouble(Way.WEATHER, "connection", f"{host} cannot be reached{said}", outage=True, reached=False)
    if fault.status < 400:
        message = f"{host} answered {fault.status} without a chat completion; check the base URL{said}"
        return Trouble(Way.WEATHER, "no_completion", message)
    return Trouble(Way.WEATHER, "server", f"{host} failed ({fault.status}){said}", outage=fault.status in _OUTAGE)


def _content(fault: Fault, profile: ModelProfile, host: str, said: str) -> Trouble:
    """A 4xx about the body: the model, a parameter, or this very request."""
    text = fault.message
    if fault.code in _MODEL_CODES or fault.parameter == "model":
        return _no_model(profile, host, said)
    if fault.code in ("context_length_exceeded", "string_above_max_length") or _LENGTH.search(text):
        return Trouble(Way.CONTENT, "context_length", f"the request is longer than {profile.model} takes{said}")
    if fault.code in _FILTER_CODES or _FILTER.search(text):
        return Trouble(Way.CONTENT, "content_filter", f"the endpoint's content filter refuses the request{said}")
    if fault.code in _NOT_JSON_CODES:
        said = "The answer was no JSON that follows the schema. Answer with one JSON object only."
        return Trouble(Way.CONTENT, NOT_JSON, said)
    if fault.parameter.startswith("response_format") or _STRUCTURE.search(text):
        wrong = f"{host} does not take this response_format for {profile.model}"
        return Trouble(Way.STRUCTURE, "structure", f'{wrong}; set structure = "auto" in the model profile{said}')
    parameter = _named_parameter(fault, profile, text)
    if parameter:
        fix = _FIXES.get(parameter, f"remove {parameter} from the model profile")
        return Trouble(Way.FINAL, "parameter", f"{host} does not take {parameter} for {profile.model}; {fix}{said}")
    if _MODEL.search(text):
        return _no_model(profile, host, said)
    return Trouble(Way.CONTENT, "bad_request", f"{host} refuses the request ({fault.status}){said}")


def _no_model(profile: ModelProfile, host: str, said: str) -> Trouble:
    message = f"{host} has no model {profile.model}; set GLAN_MODEL or the profile's model to one that it has{said}"
    return Trouble(Way.FINAL, "model", message)


def _named_parameter(fault: Fault, profile: ModelProfile, text: str) -> str | None:
    sent = (profile.token_limit_name, *(name for name in _FIXES if "max" not in name), *profile.extra_body)
    if fault.parameter in sent:
        return fault.parameter
    if fault.code in ("unsupported_parameter", "unsupported_value", "unknown_parameter") or _PARAMETER.search(text):
        named = [name for name in sent if re.search(rf"\b{re.escape(name)}\b", text)]
        return named[0] if named else fault.parameter or None
    return None
