"""What several rooms' tests share: one temporary Prefect server for the whole session."""

import os
from collections.abc import Iterator

import pytest

pytest_plugins = ["fixtures_s3"]

os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")


@pytest.fixture(scope="session")
def prefect_server() -> Iterator[None]:
    """A Prefect server with an empty database. It forgets most task records: assert on results and files instead."""
    from prefect.testing.utilities import prefect_test_harness

    with prefect_test_harness(server_startup_timeout=120):
        yield
