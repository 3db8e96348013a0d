"""A worker of the stack in a process of its own: where its runs work, and how it ends."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from prefect import get_client
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import Worker
from prefect.exceptions import PrefectHTTPStatusError
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect_homes import prefect_home
from prefect_world import PrefectServer, eventually
from serve_world import alive, children

from deployments.worker import SECONDS_TO_END


@pytest.mark.soak
def test_a_worker_whose_server_is_gone_ends_when_it_is_told_to(tmp_path: Path) -> None:
    (tmp_path / "server").mkdir()
    server = PrefectServer(tmp_path / "server")
    server.start()
    environment = {**os.environ, "PREFECT_API_URL": server.url, "PREFECT_HOME": str(prefect_home(tmp_path / "home"))}
    environment.pop("PWD", None)  # as in a container
    command = [sys.executable, "-P", "-m", "deployments.worker", "--pool", "p", "--type", "process"]
    with (tmp_path / "log").open("wb") as log:
        worker = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=log, stderr=log)
    try:
        try:
            with temporary_settings({PREFECT_API_URL: server.url}), get_client(sync_client=True) as client:
                eventually(lambda: bool(workers_of(client)), seconds=60)
        finally:
            server.kill()
        [below, *_] = children(worker.pid)
        assert f"PWD={tmp_path}".encode() in Path(f"/proc/{below}/environ").read_bytes().split(b"\0")
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(SECONDS_TO_END + 30) == 0
        assert alive([below]) == []
    finally:
        for pid in [worker.pid, *children(worker.pid)]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    assert "Traceback" not in (tmp_path / "log").read_text()


def workers_of(client: SyncPrefectClient) -> list[Worker]:
    """Those that have told the server of themselves."""
    try:
        return client.read_workers_for_work_pool("p")
    except PrefectHTTPStatusError:  # no pool yet
        return []
