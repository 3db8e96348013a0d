"""A real Prefect server that can be killed and started again, runs in threads of the test, and a `serve` process."""

import contextvars
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from free_ports import free_ports
from prefect import get_client
from prefect.client.schemas.objects import FlowRun, State
from prefect.events.worker import EventsWorker
from prefect.logging.handlers import APILogWorker
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.states import Cancelling
from prefect_homes import prefect_home

ROOT = Path(__file__).resolve().parents[2]
QUIET = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "200",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_READ_BATCH_SIZE": "200",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "1",
    "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_FLUSH_INTERVAL": "1",
}


class PrefectServer:
    """`prefect server start` on a port and in a home of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        [self._port] = free_ports(1)
        self.url = f"http://127.0.0.1:{self._port}/api"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, for the first time or again, and wait until it answers."""
        command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(self._port)]
        environment = {**os.environ, "PREFECT_HOME": str(prefect_home(self.home)), **QUIET}
        environment.pop("PREFECT_API_URL", None)
        with (self.home / "log").open("ab") as log:
            self._process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        eventually(lambda: answers(f"{self.url}/health"), seconds=120)

    def kill(self) -> None:
        """End it as a crash would."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """End it in order."""
        assert self._process is not None
        self._process.terminate()
        self._process.wait(30)


@contextmanager
def running_server(home: Path) -> Iterator[PrefectServer]:
    """A server, and everything that this process does with Prefect done there."""
    server = PrefectServer(home)
    server.start()
    try:
        forget_other_servers()
        with temporary_settings({PREFECT_API_URL: server.url}):
            yield server
            forget_other_servers()
    finally:
        server.stop()


def forget_other_servers() -> None:
    """Let Prefect's own threads send what they hold and end: new ones talk to the server that is set then."""
    APILogWorker.instance().drain()
    EventsWorker.drain_all()


class Started:
    """Something that runs in a thread with the settings of the test: a flow, told to return its state."""

    def __init__(self, run: Callable[[], State[Any]]) -> None:
        self._ended: list[State[Any]] = []
        context = contextvars.copy_context()
        self._thread = threading.Thread(target=context.run, args=(lambda: self._ended.append(run()),), daemon=True)
        self._thread.start()

    def state(self, within: float) -> State[Any]:
        """How it ended, which has to come in time."""
        self._thread.join(within)
        assert self._ended, "it did not end in time"
        return self._ended[0]


@contextmanager
def served(server: PrefectServer, folder: Path, **environment: str) -> Iterator["subprocess.Popen[bytes]"]:
    """`generate.serve` in a process of its own, asked for runs every second."""
    script = "from flows.generate import generate; generate.serve(name='test', pause_on_shutdown=False)"
    known = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    settings = {"PREFECT_API_URL": server.url, "PREFECT_HOME": str(folder), "PREFECT_RUNNER_POLL_FREQUENCY": "1"}
    with (folder / "serve.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", script],
            cwd=ROOT,
            env={**known, "PYTHONPATH": str(ROOT), **QUIET, **settings, **environment},
            stdout=log,
            stderr=log,
        )
    try:
        eventually(lambda: deployment_exists("generate/test"), seconds=120)
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def deployment_exists(name: str) -> bool:
    """Whether somebody has deployed it."""
    with get_client(sync_client=True) as client:
        return any(f"generate/{found.name}" == name for found in client.read_deployments())


def run_of(run_id: UUID) -> FlowRun:
    """A flow run as the server sees it."""
    with get_client(sync_client=True) as client:
        return client.read_flow_run(run_id)


def newest(flow_name: str) -> FlowRun:
    """The newest run of a flow."""
    with get_client(sync_client=True) as client:
        flow = client.read_flow_by_name(flow_name)
        runs = [run for run in client.read_flow_runs(limit=200) if run.flow_id == flow.id]
    return max(runs, key=lambda run: run.created or run.expected_start_time)


def cancel(run_id: UUID) -> None:
    """What the button in the UI does."""
    with get_client(sync_client=True) as client:
        client.set_flow_run_state(run_id, Cancelling())


def eventually(true: Callable[[], bool], seconds: float = 30.0) -> None:
    """Wait until something that others do by themselves is done."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)


def answers(url: str) -> bool:
    """Whether something answers well at an address."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
