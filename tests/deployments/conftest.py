"""One `glan serve` for all tests that only look at it and start runs on it."""

from collections.abc import Iterator

import pytest
from model_server import ModelServer
from serve_world import Served


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Its runs are answered by a model server that takes a moment for each call."""
    with ModelServer(seed=1, latency=0.2) as model, Served(tmp_path_factory.mktemp("serve") / "work", model) as running:
        yield running
