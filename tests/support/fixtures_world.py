"""A model server and an empty store as fixtures, for `pytest_plugins` of the root conftest."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from model_server import ModelServer

if TYPE_CHECKING:
    from flow_world import World


@pytest.fixture
def server() -> Iterator[ModelServer]:
    """A model server of the test's own; faults and latency are set on it."""
    with ModelServer(seed=1) as running:
        yield running


@pytest.fixture
def world(server: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "World":
    """An empty store in a folder, for runs without Prefect."""
    from flow_world import World  # here, because it imports Prefect

    monkeypatch.chdir(tmp_path)
    return World(server, str(tmp_path / "store"), monkeypatch)
