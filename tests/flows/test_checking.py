"""A run that is to check answers says at once where that cannot be done safely, and neither asks nor writes anything."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from flow_world import environment
from model_server import ModelServer
from terminal_world import clean_environment

RUN = 'disciplines = ["physics"]\n\n[checking]\nmath = true\ncode = true\n'
NO_NAMESPACES = 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"'


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer() as running:
        yield running


def glan(server: ModelServer, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command where no user namespace may be made, as in many containers."""
    (folder / "RUN.toml").write_text(RUN)
    given = clean_environment(os.environ, **environment(server, str(folder / "store")), PYTHONPATH=os.getcwd())
    command = [sys.executable, "-c", "from flows.cli import main; main()", *arguments]
    ended = subprocess.run(
        ["unshare", "--user", "--map-root-user", "sh", "-c", NO_NAMESPACES, "sh", *command],
        cwd=folder, env=given, capture_output=True, text=True,
    )  # fmt: skip
    if ended.stderr.startswith("unshare:"):
        pytest.skip("this machine gives no user namespaces to take away")
    return ended


def test_a_run_that_could_not_run_code_safely_does_not_begin(server: ModelServer, tmp_path: Path) -> None:
    ended = glan(server, tmp_path, "run", "RUN.toml")
    assert ended.returncode == 2
    [line] = ended.stderr.strip().splitlines()
    assert "code cannot be checked safely on this machine" in line and "switch it off" in line
    assert server.count == 0
    assert not (tmp_path / "store").exists()


def test_the_doctor_says_so(server: ModelServer, tmp_path: Path) -> None:
    ended = glan(server, tmp_path, "doctor", "RUN.toml", "--json")
    assert ended.returncode == 1
    fine = {one["what"]: one["fine"] for one in json.loads(ended.stdout)}
    assert (fine["comparing results"], fine["running code safely"]) == (True, False)
