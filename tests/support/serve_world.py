"""`glan serve` as a process of its own, and what a person sees and does on its server."""

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from flow_world import environment
from free_ports import free_ports
from model_server import ModelServer
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import FlowRun
from prefect_homes import prefect_home

from glan.config import RunConfig


def form(**given: Any) -> dict[str, Any]:
    """What the UI sends: the whole form, with what a person has filled in."""
    return {"config": {**RunConfig().model_dump(mode="json"), **given}}


class Served:
    """`glan serve` in a folder and a Prefect home of its own, until the `with` block ends."""

    def __init__(self, folder: Path, server: ModelServer | None, *options: str, **variables: str) -> None:
        [self.port] = free_ports(1)
        self.folder = folder
        self._options = options
        self._variables = variables
        self._model = environment(server, "data") if server else {}
        self._process: subprocess.Popen[str] | None = None
        self._client: SyncPrefectClient | None = None

    @property
    def environment(self) -> dict[str, str]:
        """What `glan serve` finds set: nothing of Prefect but a home."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "GLAN_"))}
        return {**kept, **self._model, "PREFECT_HOME": str(self.folder / "prefect"), **self._variables}

    def __enter__(self) -> "Served":
        prefect_home(self.folder / "prefect")
        command = [str(Path(sys.executable).with_name("glan")), "serve", "--port", str(self.port), *self._options]
        self._process = subprocess.Popen(
            command, cwd=self.folder, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        assert self._process.stdout
        said = []
        for line in self._process.stdout:
            said.append(line)
            if match := re.search(r"Prefect's UI: (\S+)", line):
                self.url = match[1]
                self._client = SyncPrefectClient(api=f"{self.url}/api")
                return self
        raise AssertionError(f"it did not start: {''.join(said)}\n{self.log()}")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process and self._process.poll() is None:
            self.stop()

    @property
    def client(self) -> SyncPrefectClient:
        assert self._client
        return self._client

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    def log(self) -> str:
        """What the server and the worker have said."""
        return "\n".join(path.read_text() for path in (self.folder / "prefect").glob("glan-serve-*.log"))

    def stop(self, how: signal.Signals = signal.SIGINT, seconds: float = 90) -> int:
        """Send a signal; the exit code."""
        assert self._process
        self._process.send_signal(how)
        return self._process.wait(seconds)

    def start(self, deployment: str, parameters: Mapping[str, Any]) -> FlowRun:
        """What the UI's Run does."""
        found = self.client.read_deployment_by_name(deployment)
        return self.client.create_flow_run_from_deployment(found.id, parameters=dict(parameters))

    def run(self, deployment: str, parameters: Mapping[str, Any], seconds: float = 120) -> FlowRun:
        """Start a run and wait for its end."""
        run = self.start(deployment, parameters)
        return self.awaited(run, lambda now: now.state is not None and now.state.is_final(), seconds)

    def awaited(self, run: FlowRun, true: Any, seconds: float = 90) -> FlowRun:
        """The run, once something holds for it."""
        deadline = time.monotonic() + seconds
        while not true(now := self.client.read_flow_run(run.id)):
            assert time.monotonic() < deadline, f"{now.state}\n{self.log()[-3000:]}"
            time.sleep(0.3)
        return now


def children(pid: int) -> list[int]:
    """Every process that descends from one, whatever its session."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(") ")[2].split()
        except OSError:
            continue
        parents[int(path.parent.name)] = int(fields[1])
    found, newest = [], [pid]
    while newest:
        newest = [child for child, parent in parents.items() if parent in newest]
        found += newest
    return found


def alive(pids: list[int]) -> list[str]:
    """Those that still run, by what was typed."""
    commands = []
    for pid in pids:
        try:
            stat = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2]
            command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if not stat.startswith("Z"):
            commands.append(command)
    return commands


def page(url: str) -> tuple[str, Mapping[str, str]]:
    """A page as a browser gets it, with its headers."""
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read().decode(errors="replace"), dict(answer.headers)
