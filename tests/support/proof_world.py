"""The world of the proofs: whole `glan` processes that are started, killed and started again on one store.

Every process gets a working folder of its own and an empty Prefect home, as on another machine: all that is handed
from one to the next is the store. What a store has to be at any time is in `proof_checks`.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model_server import ModelServer
from prefect.client.schemas.objects import State
from prefect_homes import prefect_home

from glan.config import RunConfig

RUN: dict[str, Any] = {"disciplines": ["physics", "economics"], "subjects": 2, "questions": 4, "lists": 2}
LONG_RUN: dict[str, Any] = {
    "disciplines": ["physics", "economics", "law"], "subjects": 4, "questions": 10, "cross_subject_questions": 2, "lists": 3,
}  # fmt: skip
SEED = 7
"""Of the model server: the same in all proofs, so that their tables can be compared."""

GLAN = Path(sys.executable).with_name("glan")
FLUSH_SECONDS = 0.5
CONCURRENCY = 8
PATIENCE = 300.0
"""Seconds that a process may take in all on a busy machine."""

_OWN_SETTINGS = ("GLAN_", "PREFECT_", "OPENAI_")


@dataclass(frozen=True)
class Ended:
    """How a process ended, and what it said."""

    code: int
    out: str
    error: str

    @property
    def report(self) -> dict[str, Any]:
        """The JSON document of `glan run --json`."""
        assert self.out, f"glan ended with {self.code} and without a report: {self.error}"
        found: dict[str, Any] = json.loads(self.out)
        return found

    @property
    def quarantined(self) -> int:
        """Rows of all stages that could not be made."""
        return sum(stage["quarantined"] for stage in self.report["stages"])


class Process:
    """A `glan` process in a process group of its own."""

    def __init__(self, arguments: list[str], folder: Path, env: Mapping[str, str]) -> None:
        self._out, self._error = folder / "out", folder / "error"
        with self._out.open("w") as out, self._error.open("w") as error:
            self._process = subprocess.Popen(
                [str(GLAN), *arguments], cwd=folder, env=env, stdout=out, stderr=error, start_new_session=True
            )

    @property
    def pid(self) -> int:
        """Of the process and of its group."""
        return self._process.pid

    @property
    def ended(self) -> bool:
        """Whether it has come to an end."""
        return self._process.poll() is not None

    def wait_for(self, happened: Callable[[], bool]) -> None:
        """Wait until something has happened, or the process has ended.

        Raises:
            TimeoutError: it takes longer than anyone would wait.
        """
        deadline = time.monotonic() + PATIENCE
        while not (happened() or self.ended):
            if time.monotonic() > deadline:
                raise TimeoutError(f"nothing happened within {PATIENCE:g} s: {self._error.read_text()}")
            time.sleep(0.02)

    def kill(self) -> None:
        """SIGKILL for it and everything it started. Whether it had ended by itself makes no difference."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def end(self) -> Ended:
        """Wait for its end.

        Raises:
            TimeoutExpired: it takes longer than anyone would wait; it is killed then.
        """
        try:
            code = self._process.wait(PATIENCE)
        finally:
            self.kill()
        return Ended(code, self._out.read_text(), self._error.read_text())


class Desk:
    """Someone who types `glan run`, each time on another machine, against one model server and one store."""

    def __init__(self, folder: Path, server: ModelServer, store: str, run: Mapping[str, Any], **settings: str) -> None:
        self.server, self.store = server, store
        self._folder, self._settings = folder, settings
        self._run = run
        self._started = 0

    def start(self, prefect_api: str | None = None, *command: str, **settings: str) -> Process:
        """Start `glan run RUN.toml`, or another command in the folder of this file, with further settings.

        Without `prefect_api` it starts a Prefect server of its own on an empty database.
        """
        self._started += 1
        folder = self._folder / f"machine-{self._started}"
        home = {"PREFECT_API_URL": prefect_api} if prefect_api else {}
        folder.mkdir(parents=True)
        (folder / "RUN.toml").write_text(_toml(self._run))
        arguments = [*(command or ("run", "RUN.toml")), "--json"]
        return Process(arguments, folder, self._env(folder) | home | settings)

    def run(self, prefect_api: str | None = None, *command: str, **settings: str) -> Ended:
        """`glan run`, or another command, to its end."""
        return self.start(prefect_api, *command, **settings).end()

    def _env(self, folder: Path) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(_OWN_SETTINGS)}
        return (
            inherited
            | environment(self.server, self.store)
            | {"PREFECT_HOME": str(prefect_home(folder / "prefect"))}
            | self._settings
        )


def environment(server: ModelServer, store: str) -> dict[str, str]:
    """The settings that point a run at the model server and the store."""
    return {
        "OPENAI_BASE_URL": server.base_url,
        "OPENAI_API_KEY": "sk-proof",
        "GLAN_MODEL": "teacher",
        "GLAN_STORE": store,
        "GLAN_MAX_CONCURRENCY": str(CONCURRENCY),
        "GLAN_FLUSH_SECONDS": str(FLUSH_SECONDS),
    }


def run_here(run: Mapping[str, Any]) -> State[Any]:
    """The flow in this process, by its environment and Prefect server: cheaper than a process of its own."""
    from flows.generate import generate

    state: State[Any] = generate(RunConfig.checked(dict(run), source="proof"), return_state=True)
    return state


def one_pass(run: Mapping[str, Any]) -> int:
    """Calls of an undisturbed run over a configuration with two steps and one question a call."""
    subjects = len(run["disciplines"]) * run["subjects"]
    later = subjects - len(
        run["disciplines"]
    )  # than the first of its discipline: those that can be asked about with another
    questions = subjects * run["questions"] + later * run.get("cross_subject_questions", 0)
    return 2 * len(run["disciplines"]) * run["lists"] + 2 * subjects + 2 * questions


def _toml(run: Mapping[str, Any]) -> str:
    return "".join(f"{name} = {_inline(value)}\n" for name, value in run.items())


def _inline(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{name} = {_inline(inner)}" for name, inner in value.items()) + " }"
    return json.dumps(value)
