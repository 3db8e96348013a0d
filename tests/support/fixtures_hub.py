"""The stand-in of the Hugging Face Hub as a fixture, for `pytest_plugins` of the root conftest."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hub_server import TOKEN, HubServer


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    """A Hub that knows `me`, whose token is in the environment; nobody waits between attempts."""
    from huggingface_hub import constants

    from glan.release import hub as client

    with HubServer({TOKEN: "me"}) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "nobody-is-logged-in"))
        monkeypatch.setattr(client, "WAITS", (0, 0))
        yield server
