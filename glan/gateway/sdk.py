"""The openai package's client, made cheap for the one request that is made millions of times.

Of a plain `post` the package rebuilds URL, headers, timeouts and cookies each time and wraps the answer in four layers:
that costs three times the CPU of the call itself. Here address and headers are built once by the package, then
repeated with another body over the same aiohttp session.
"""

import logging
from collections.abc import Mapping, Sized
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
import httpx2
import openai
from multidict import CIMultiDict
from openai._models import FinalRequestOptions
from openai._vendor.httpx_aiohttp import AiohttpTransport
from yarl import URL

_LARGEST = 32 * 2**20  # bytes; the longest completions are a tenth of it

_CONNECT_SECONDS = 30.0
_KEEP_ALIVE_SECONDS = 4.0  # below the 5 s after which uvicorn (vLLM, llama.cpp's peers) closes idle connections
_NO_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS)
_PER_REQUEST = ("content-length", "host", "accept-encoding")  # aiohttp knows them better

for _name in ("openai", "httpx2"):  # one line per call otherwise, where the root logger is at INFO
    logging.getLogger(_name).setLevel(logging.WARNING)


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer as it came, of whatever status; names of headers in any case."""

    status: int
    headers: Mapping[str, str]
    content: bytes


class OpenAI(openai.AsyncOpenAI):
    """The package's client for one address; `answer` is the cheap way, all its other methods are the usual one.

    Its own retries are off, since a 429 has to reach the limiter, and it follows no redirect. Belongs to one event loop.
    """

    def __init__(self, url: str, key: str) -> None:
        self._sessions = _Sessions(url)
        self._repeated: dict[str, tuple[URL, CIMultiDict[str]]] = {}
        super().__init__(
            api_key=key or "none",  # local servers need none, the package insists on one
            base_url=url,
            max_retries=0,
            timeout=httpx2.Timeout(None, connect=_CONNECT_SECONDS),
            http_client=openai.DefaultAioHttpClient(transport=self._sessions.transport, follow_redirects=False),
        )

    async def answer(self, path: str, content: bytes) -> Answer:
        """The answer to a POST of JSON, whatever its status."""
        url, headers = self._repeated.get(path) or await self._build_once(path, content)
        async with self._sessions.one().post(
            url, data=content, headers=headers, allow_redirects=False, timeout=_NO_TIMEOUT
        ) as response:
            return Answer(response.status, response.headers, await _whole(response))

    async def _build_once(self, path: str, content: bytes) -> tuple[URL, CIMultiDict[str]]:
        options = FinalRequestOptions.construct(method="post", url=path, content=content)
        built = self._build_request(await self._prepare_options(options))
        headers = CIMultiDict((name, value) for name, value in built.headers.items() if name not in _PER_REQUEST)
        self._repeated[path] = URL(str(built.url), encoded=True), headers
        return self._repeated[path]


async def _whole(response: aiohttp.ClientResponse) -> bytes:
    """The body of an answer."""
    content = bytearray()
    async for piece in response.content.iter_any():
        content += piece
        check_size(content, "an answer")
    return bytes(content)


def check_size(received: Sized, what: str) -> None:
    """Give up on a server that does not stop sending: hundreds of such would fill the memory.

    Raises:
        aiohttp.ClientPayloadError: so much of it has arrived.
    """
    if len(received) > _LARGEST:
        raise aiohttp.ClientPayloadError(f"{what} of more than {_LARGEST >> 20} MB")


class _Sessions:
    """The one aiohttp session of a client, made at its first use, when the event loop runs."""

    def __init__(self, url: str) -> None:
        self._behind_proxy = _behind_proxy(url)
        self.transport = AiohttpTransport(client=self._open)

    def one(self) -> aiohttp.ClientSession:
        """The session, which the package's transport uses as well and closes."""
        if not isinstance(self.transport.client, aiohttp.ClientSession):
            self.transport.client = self._open()
        return self.transport.client

    def _open(self) -> aiohttp.ClientSession:
        connector = _Connector(
            limit=0,  # no bound but the gateway's
            keepalive_timeout=_KEEP_ALIVE_SECONDS,
            ssl=self.transport.ssl_context,
        )
        return aiohttp.ClientSession(
            connector=connector, trust_env=self._behind_proxy, cookie_jar=aiohttp.DummyCookieJar()
        )


class _Connector(aiohttp.TCPConnector):
    """Takes no connection on which something has arrived unasked: it would be taken for the answer to the next call."""

    async def connect(self, req: Any, traces: Any, timeout: Any) -> Any:
        while True:
            connection = await super().connect(req, traces, timeout)
            if connection.protocol is None or not connection.protocol.should_close:
                return connection
            connection.close()


def _behind_proxy(url: str) -> bool:
    """Whether HTTP_PROXY and its like concern an address: found out once, since aiohttp reads them again for each call."""
    parts = urlsplit(url)
    return parts.scheme in getproxies() and not proxy_bypass(parts.hostname or "")
