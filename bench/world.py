"""What a measurement of the pipeline needs around it: a model server, a Prefect server, and a process that does the work.

The servers share one core, so that the client has the other to itself.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prefect_world import PrefectServer

from bench.endpoint import ROOT, Endpoint, running

SERVERS, CLIENT = 0, 1  # cores
DISCIPLINES = ("physics", "economics", "linguistics", "statistics")
QUESTIONS = 100  # of a subject: a round, and so a unit; so are their answers
QUIET = {
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
    "DO_NOT_TRACK": "1",
}


@dataclass(frozen=True)
class World:
    """The servers that run, and a folder for whatever a measurement writes."""

    endpoint: Endpoint
    prefect_url: str
    folder: Path

    def run(self, way: str, concurrency: int, store: Path, **order: Any) -> dict[str, Any]:
        """Have calls made in a process of their own, one of the ways of `bench.clients`; what it tells.

        It has the clients' core to itself, unless the order says on which `cores` it may run.
        """
        order = {"cores": [CLIENT], "concurrency": concurrency, "base_url": self.endpoint.base_url, **order}
        settings = {
            "OPENAI_BASE_URL": self.endpoint.base_url,
            "OPENAI_API_KEY": "none",
            "GLAN_MODEL": "teacher",
            "GLAN_STORE": str(store),
            "GLAN_MAX_CONCURRENCY": str(concurrency),
            "PREFECT_API_URL": self.prefect_url,
            "PREFECT_HOME": str(self.folder),
        }
        ended = subprocess.run(
            [sys.executable, "-m", "bench.clients", way],
            cwd=ROOT,
            env={**os.environ, **QUIET, **settings},
            input=json.dumps(order).encode(),
            stdout=subprocess.PIPE,
            check=True,
        )
        told: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
        return told


def run_config(calls: int, questions: int = QUESTIONS, disciplines: tuple[str, ...] = DISCIPLINES) -> Mapping[str, Any]:
    """A run of about so many question and answer calls."""
    subjects = max(1, round(calls / (2 * QUESTIONS * len(disciplines))))
    return {"disciplines": disciplines, "subjects": subjects, "questions": questions, "lists": 2}


@contextmanager
def world(**behaviour: Any) -> Iterator[World]:
    """Both servers while the block runs; `behaviour` is the model server's, see `endpoint.running`."""
    os.sched_setaffinity(0, {SERVERS})
    with tempfile.TemporaryDirectory() as name, running(core=SERVERS, **behaviour) as endpoint:
        folder = Path(name)
        prefect = PrefectServer(folder)
        try:
            prefect.start()
            yield World(endpoint, prefect.url, folder)
        finally:
            prefect.stop()
