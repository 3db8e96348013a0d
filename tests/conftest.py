"""What several rooms' tests share: one temporary Prefect server for the whole session."""

import os
import signal
from collections.abc import Iterator

import pytest

pytest_plugins = ["fixtures_s3", "fixtures_hub", "fixtures_world"]

os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
os.environ.setdefault("HF_HUB_DISABLE_XET", "1")  # the stand-in of the Hub takes large files as the Hub did before Xet

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # so a shell starts what it puts into the background
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def prefect_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A Prefect server that has seen no run, for all that this process does with Prefect."""
    from prefect_world import running_server

    with running_server(tmp_path_factory.mktemp("prefect")):
        yield


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest tests first, so that quick ones fill the time of all test processes to the end."""
    items.sort(key=lambda item: "proofs" not in item.path.parts)
