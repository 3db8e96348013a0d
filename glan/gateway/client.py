"""The adapter to the openai package: one HTTP call in, a reply or a fault out.

The call is bytes in and bytes out: building the package's request and response models for each call costs as much CPU
as all the rest.
"""

import asyncio
import datetime
import email.utils
import json
import re
from collections.abc import AsyncIterator, Awaitable, Mapping
from typing import Any

import aiohttp
import httpx2
import openai
import orjson

from glan.errors import InputError
from glan.gateway.answers import Fault, Reply
from glan.gateway.sdk import OpenAI, check_size
from glan.gateway.terms import Endpoint

_MESSAGE_LENGTH = 300
_KEY_LIKE = re.compile(
    r"\b(?:sk|rk|pk|gsk|hf|xai|nvapi|key)[-_][\w*.\-]{6,}|\bBearer\s+\S+|\bAIza[\w\-]{10,}", re.IGNORECASE
)
_BROKEN_OFF = frozenset(
    {"error", "abort", "aborted", "cancelled", "network_error", "insufficient_system_resource"}
)  # finish reasons of an engine that gave up: what there is of the text is no reply
_MOST_TOKENS = 1 << 40  # a count beyond is none
_LONGEST_COUNT = 15  # digits

_BREAKS = (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError, aiohttp.ClientPayloadError, ConnectionError)
_FAILURES = (TimeoutError, openai.APIError, httpx2.HTTPError, aiohttp.ClientError, OSError)


class Client:
    """Calls to one endpoint. Belongs to one event loop."""

    def __init__(self, endpoint: Endpoint) -> None:
        """Raises InputError if the address is not an http(s) URL."""
        if not re.match(r"https?://[^/\s]", endpoint.url):
            raise InputError("OPENAI_BASE_URL (or the profile's base_url) must start with http:// or https://")
        self._key = endpoint.api_key
        self._openai = OpenAI(endpoint.url, endpoint.api_key)

    async def ask(self, body: Mapping[str, Any], timeout_seconds: float) -> Reply | Fault:
        """One POST to /chat/completions. Only cancellation and errors of our own making are raised."""
        content = _dumped(body)
        try:
            async with asyncio.timeout(timeout_seconds):
                answer = await self._openai.answer("/chat/completions", content)
        except _FAILURES as error:
            return self._fault(error, timeout_seconds)
        try:
            given = _loaded(answer.content)
        except (ValueError, RecursionError):
            if answer.status < 300:
                return Fault(answer.status, "", request_id=answer.headers.get("x-request-id"))
            given = answer.content.decode("utf-8", "replace")
        return self.read(given, answer.status, answer.headers)

    async def post(self, path: str, timeout_seconds: float, **options: Any) -> Any | Fault:
        """Any other POST, with `body`, or `body` and `files`; the JSON of its answer."""
        return await self._json(self._openai.post(path, cast_to=httpx2.Response, **options), timeout_seconds)

    async def get(self, path: str, timeout_seconds: float, query: Mapping[str, Any] | None = None) -> Any | Fault:
        """A GET; the JSON of its answer."""
        options: Any = {"params": query or {}}
        return await self._json(self._openai.get(path, cast_to=httpx2.Response, options=options), timeout_seconds)

    async def lines(self, path: str, timeout_seconds: float) -> AsyncIterator[bytes | Fault]:
        """The lines of a file as they arrive, a fault as the last if it breaks off; `timeout_seconds` for each piece."""
        begun = bytearray()
        try:
            async with asyncio.timeout(timeout_seconds):
                response = await self._openai.get(path, cast_to=httpx2.Response, stream=True)
            try:
                pieces = response.aiter_bytes()
                while True:
                    async with asyncio.timeout(timeout_seconds):
                        piece = await anext(pieces, None)
                    if piece is None:
                        break
                    end, *further = piece.split(b"\n")  # bytes: a reply may hold what text calls a new line
                    begun += end
                    for start in further:
                        yield bytes(begun)
                        begun = bytearray(start)
                    check_size(begun, "a line")
            finally:
                await response.aclose()
        except _FAILURES as error:
            yield self._fault(error, timeout_seconds)
            return
        if begun:
            yield bytes(begun)

    async def close(self) -> None:
        """Close all connections."""
        await self._openai.close()

    def scrubbed(self, text: str) -> str:
        """One short line without anything that is or looks like a key."""
        if self._key:
            text = text.replace(self._key, "[key]")
        return _unicode(" ".join(_KEY_LIKE.sub("[key]", text[:4_000]).split())[:_MESSAGE_LENGTH])

    def read(self, given: Any, status: int, headers: Mapping[str, str]) -> Reply | Fault:
        """What the answer to a chat completion means, wherever it was found; `headers` in lower case."""
        if status >= 300:
            if isinstance(given, list) and len(given) == 1:  # as Gemini wraps its errors
                [given] = given
            return self._refusal(status, given.get("error", given) if isinstance(given, dict) else given, headers)
        request_id = self._request_id(headers)
        if isinstance(given, dict) and given.get("error") and not given.get("choices"):  # an error within a 200
            code = str(given["error"].get("code")) if isinstance(given["error"], dict) else ""
            status = int(code) if re.fullmatch(r"[45][0-9]{2}", code) else status
            return self._refusal(status, given["error"], headers)
        choices = given.get("choices") if isinstance(given, dict) else None
        choice = choices[0] if isinstance(choices, list) and choices else None
        message = choice.get("message") if isinstance(choice, dict) else None
        if not isinstance(choice, dict) or not isinstance(message, dict):
            return Fault(status, "", request_id=request_id)
        finish = choice.get("finish_reason")
        if isinstance(finish, str) and finish.lower() in _BROKEN_OFF:
            return Fault(status, self.scrubbed(f"finish_reason {finish}"), request_id=request_id)
        text, finish = _text(message, finish)
        return Reply(
            self._kept(text), finish and self.scrubbed(finish), *_usage(given.get("usage")), request_id, status
        )

    async def _json(self, call: Awaitable[httpx2.Response], timeout_seconds: float) -> Any | Fault:
        try:
            async with asyncio.timeout(timeout_seconds):
                response = await call
            return json.loads(response.content)
        except _FAILURES as error:
            return self._fault(error, timeout_seconds)
        except (ValueError, RecursionError):
            return Fault(response.status_code, "the answer is no JSON")

    def _fault(self, error: Exception, timeout_seconds: float) -> Fault:
        if isinstance(error, openai.APIStatusError):
            return self._refusal(error.status_code, error.body, error.response.headers)
        if isinstance(error, (openai.APITimeoutError, aiohttp.ServerTimeoutError)):  # while connecting
            return Fault(0, "")
        if isinstance(error, TimeoutError):
            return Fault(0, f"no answer within {timeout_seconds:g} s", timed_out=True)
        shown = error.__cause__ if isinstance(error, openai.APIError) else error
        broke_off = isinstance(shown, _BREAKS) and not isinstance(shown, aiohttp.ClientConnectorError)
        return Fault(0, self.scrubbed(str(shown or error)), broke_off=broke_off)

    def _request_id(self, headers: Mapping[str, str]) -> str | None:
        given = headers.get("x-request-id")
        return None if given is None else self.scrubbed(given)

    def _kept(self, text: str) -> str:
        """The raw reply as it is stored: valid Unicode, and without the key should the endpoint echo it."""
        text = _unicode(text)
        return text.replace(self._key, "[key]") if len(self._key) >= 8 else text

    def _refusal(self, status: int, body: object, headers: Mapping[str, str]) -> Fault:
        fields = body if isinstance(body, dict) else {}
        message = fields.get("message") or fields.get("detail") or fields.get("error") or body or ""
        if 300 <= status < 400:  # a POST that is sent elsewhere would arrive as a GET
            message = f"it redirects to {headers.get('location')}"
        if not isinstance(message, str):
            message = json.dumps(message, default=str)
        return Fault(
            status,
            "" if message.lstrip().startswith("<") else self.scrubbed(message),  # a proxy's HTML page says nothing
            code=self.scrubbed(str(fields.get("code") or fields.get("type") or "")).lower(),
            parameter=self.scrubbed(str(fields.get("param") or "")),
            retry_after=retry_after(headers),
            request_id=self._request_id(headers),
        )


def retry_after(headers: Mapping[str, str], now: datetime.datetime | None = None) -> float | None:
    """Seconds that the endpoint asks to wait: `retry-after-ms`, or `Retry-After` in seconds or as an HTTP date.

    A date is taken by the endpoint's own clock, its `Date` header, where there is one.
    """
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    given = headers.get("retry-after")
    seconds = _number(given)
    then = _date(given)
    if seconds is not None or then is None:
        return seconds
    return max(0.0, (then - (_date(headers.get("date")) or now or datetime.datetime.now(datetime.UTC))).total_seconds())


def _dumped(body: Mapping[str, Any]) -> bytes:
    try:
        return orjson.dumps(body)
    except TypeError:  # half characters, and numbers beyond 64 bits
        return json.dumps(body).encode()


def _loaded(content: bytes) -> Any:
    try:
        return orjson.loads(content)
    except ValueError:  # it is stricter: half characters and NaN are no JSON to it
        return json.loads(content)


def _date(text: str | None) -> datetime.datetime | None:
    try:
        found = email.utils.parsedate_to_datetime(text or "")
    except (ValueError, OverflowError):  # a year that no date has
        return None
    return found if found.tzinfo else found.replace(tzinfo=datetime.UTC)


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if 0 <= value < float("inf") else None


def _text(message: dict[str, Any], finish: object) -> tuple[str, str | None]:
    """The text of a message and its finish reason; a refusal in its own field becomes a finish reason of that name."""
    content = message.get("content")
    if isinstance(content, list):
        parts = [part.get("text") if isinstance(part, dict) else part for part in content]
        content = "".join(part for part in parts if isinstance(part, str))
    refusal = message.get("refusal")
    if not content and isinstance(refusal, str) and refusal:
        return refusal, "refusal"
    return content if isinstance(content, str) else "", _unicode(finish[:100]) if isinstance(finish, str) else None


def _usage(usage: Any) -> tuple[int | None, int | None, int | None]:
    """Prompt, cached and completion tokens; all None unless the endpoint counted."""
    if not isinstance(usage, dict):
        return None, None, None
    prompt, completion = _count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens"))
    if prompt is None or completion is None:
        return None, None, None
    details = usage.get("prompt_tokens_details")
    cached = _count(details.get("cached_tokens")) if isinstance(details, dict) else None
    return prompt, cached or 0, completion


def _count(value: object) -> int | None:
    """A number of tokens, also one that is written as a decimal fraction or as text."""
    if isinstance(value, str) and len(value) <= _LONGEST_COUNT and value.isascii() and value.isdigit():
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if type(value) is int and 0 <= value < _MOST_TOKENS else None


def _unicode(text: str) -> str:
    """The text without the half characters that JSON can write and nothing can store."""
    return text.encode("utf-8", "replace").decode()
