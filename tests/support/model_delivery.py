"""How an answer of the model server reaches its caller: whole, cut, slowly, twice, or not as HTTP at all."""

import asyncio
import socket
import struct
from collections.abc import Mapping

from aiohttp import web

UNDELIVERED = frozenset({"drop_before", "drop_inside", "reset_inside", "trickle", "no_http"})
"""Kinds of fault after which a caller that is not very patient has no whole answer."""

_PIECES = 20


async def delivered(
    request: web.BaseRequest, kind: str | None, status: int, body: bytes, headers: Mapping[str, str], seconds: float
) -> web.StreamResponse:
    """Send the answer as a fault of this kind would have it; `seconds` is how long it takes, where it is late."""
    if kind == "hang":
        await asyncio.sleep(seconds)
    if kind == "drop_before":
        return _closed(request, web.Response())
    if kind == "no_http":
        _write(request, b"\x16\x03\x01 this is not HTTP\r\n\r\n")
        return _closed(request, web.Response())
    if kind in ("drop_inside", "reset_inside", "trickle"):
        return await _in_part(request, kind, body, headers, seconds)
    if kind == "sent_twice":
        return await _twice(request, body, headers)
    return web.Response(status=status or 200, body=body, headers={"Content-Type": "application/json", **headers})


async def _twice(request: web.BaseRequest, body: bytes, headers: Mapping[str, str]) -> web.StreamResponse:
    """The second reply follows in the same breath, as if it belonged to the body; the connection stays open."""
    response = web.StreamResponse(headers={"Content-Type": "application/json", **headers})
    response.content_length = len(body)
    await response.prepare(request)
    await response.write(body[:-1])
    _write(request, body[-1:] + _as_http(body))
    return response


async def _in_part(
    request: web.BaseRequest, kind: str, body: bytes, headers: Mapping[str, str], seconds: float
) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json", **headers})
    response.content_length = len(body)
    await response.prepare(request)
    if kind == "trickle":
        size = -(-len(body) // _PIECES)
        for start in range(0, len(body), size):
            await response.write(body[start : start + size])
            await asyncio.sleep(seconds / _PIECES)
        return response
    await response.write(body[: len(body) // 2])
    return _closed(request, response, reset=kind == "reset_inside")


def _closed(request: web.BaseRequest, response: web.StreamResponse, reset: bool = False) -> web.StreamResponse:
    transport = request.transport
    if transport is not None:
        if reset:
            held = transport.get_extra_info("socket")
            held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.close()
    return response


def _write(request: web.BaseRequest, raw: bytes) -> None:
    transport = request.transport
    if transport is not None and not transport.is_closing():
        transport.write(raw)


def _as_http(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body
