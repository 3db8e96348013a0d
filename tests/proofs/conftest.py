"""What the proofs share: a Prefect server, and stores that nothing happened to."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from model_server import ModelServer
from proof_checks import check_complete, check_store
from proof_world import LONG_RUN, RUN, SEED, Desk, one_pass


@pytest.fixture(scope="session")
def prefect_api(prefect_server: None) -> str:
    """The address of a Prefect server that is up, for processes that need not wait for one of their own."""
    from prefect.settings import PREFECT_API_URL

    return str(PREFECT_API_URL.value())


@pytest.fixture(scope="session")
def undisturbed(prefect_api: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A store made by a run of `RUN` that nothing happened to; copy it before you touch it."""
    return _made(RUN, prefect_api, tmp_path_factory.mktemp("undisturbed"))


@pytest.fixture(scope="session")
def long_undisturbed(prefect_api: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The same of `LONG_RUN`."""
    return _made(LONG_RUN, prefect_api, tmp_path_factory.mktemp("undisturbed"))


def _made(run: Mapping[str, Any], prefect_api: str, folder: Path) -> str:
    store = str(folder / "store")
    with ModelServer(seed=SEED) as server:
        ended = Desk(folder, server, store, run).run(prefect_api)
        assert (ended.code, ended.quarantined) == (0, 0), ended
        assert server.count == one_pass(run)
    check_store(store)
    check_complete(store, run)
    return store
