"""What the proofs share."""

import pytest


@pytest.fixture(scope="session")
def prefect_api(prefect_server: None) -> str:
    """The address of a Prefect server that is up, for processes that need not wait for one of their own."""
    from prefect.settings import PREFECT_API_URL

    return str(PREFECT_API_URL.value())
