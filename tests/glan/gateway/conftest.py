"""Fixtures of the gateway's tests."""

import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from gateway_world import KEY, QUICK, MemoryLog, PricesOf, SayAnything

from glan.gateway.gateway import Allowance, Endpoint, Gateway, Limits, Pace
from glan.gateway.prices import Prices


@pytest.fixture
def log() -> MemoryLog:
    return MemoryLog()


@pytest.fixture
def notices() -> list[str]:
    return []


@pytest.fixture
def open_gateway(log: MemoryLog, notices: list[str]) -> Iterator[Callable[..., Gateway]]:
    """`open_gateway(base_url, max_concurrency=…, patience_seconds=…, pace=…, cost=…, log=…)`; closed after the test."""
    opened: list[Gateway] = []

    def build(
        base_url: str,
        pace: Pace = QUICK,
        cost: Any = None,
        log: Any = log,
        run_id: str = "run",
        allowance: Allowance | None = None,
        **limits: Any,
    ) -> Gateway:
        gateway = Gateway(
            endpoint=lambda profile: Endpoint(base_url, KEY), log=log, run_id=run_id,
            limits=Limits(**{"max_concurrency": 16, "patience_seconds": 20.0} | limits),
            prices=PricesOf(cost) if cost else Prices(), notify=notices.append, allowance=allowance,
            randomness=random.Random(0), pace=pace,
        )  # fmt: skip
        opened.append(gateway)
        return gateway

    yield build
    for gateway in opened:
        gateway.close()


@pytest.fixture
def endpoint() -> Iterator[SayAnything]:
    server = SayAnything()
    yield server
    server.close()
