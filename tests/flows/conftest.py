"""A model server and a store for the tests of flows."""

from pathlib import Path

import pytest
from flow_world import World, copied
from model_server import ModelServer


@pytest.fixture
def world(server: ModelServer, prefect_server: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """An empty store in a folder."""
    monkeypatch.chdir(tmp_path)
    return World(server, str(tmp_path / "store"), monkeypatch)


@pytest.fixture
def bare_world(server: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """An empty store in a folder, for what needs no Prefect server."""
    monkeypatch.chdir(tmp_path)
    return World(server, str(tmp_path / "store"), monkeypatch)


@pytest.fixture
def world_anywhere(
    server: ModelServer, prefect_server: None, store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> World:
    """An empty store, once in a folder and once on S3."""
    monkeypatch.chdir(tmp_path)
    return World(server, store_url, monkeypatch)


@pytest.fixture(scope="session")
def made_once(prefect_server: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store that holds one small run, for copies of it."""
    folder = tmp_path_factory.mktemp("made")
    with ModelServer(seed=1) as server, pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        state = World(server, str(folder / "store"), patch).run()
        assert state.name == "Completed", state.message
    return folder / "store"


@pytest.fixture
def made(
    made_once: Path, server: ModelServer, prefect_server: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> World:
    """A store that already holds the small run, and a model server that has not been asked yet."""
    monkeypatch.chdir(tmp_path)
    return World(server, copied(made_once, tmp_path / "store"), monkeypatch)
