"""Question and answer calls through the whole stack, beside the best script by hand and the bare limit of the machine.

The whole stack: Prefect, gateway, validation, write-ahead log, Parquet commits, curation. The client has one core for
itself; the model server and the Prefect server share the other. Latencies are log-normal.

python -m bench.throughput [--concurrency 128 1024] [--calls 8000 24000] [--latency 0.5] [--repeat 1] [--json]
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from prefect_world import PrefectServer

from bench.endpoint import ROOT, Endpoint, running

SERVERS, CLIENT = 0, 1  # cores
DISCIPLINES = ("physics", "economics", "linguistics", "statistics")
QUESTIONS = 100  # of a subject: a round, and so a unit; so are their answers
WAYS = ("pipeline", "script", "bare")
QUIET = {
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
    "DO_NOT_TRACK": "1",
}


@dataclass(frozen=True)
class Figures:
    """One way of making calls, at one concurrency."""

    way: str
    concurrency: int
    calls: int
    per_second: float  # between the first and the last 5 % of calls
    cpu_ms: float  # of the client's process, a call, imports apart


class World:
    """A model server, a Prefect server, and a store in which subjects and syllabi are made already."""

    def __init__(self, endpoint: Endpoint, prefect_url: str, folder: Path) -> None:
        self._endpoint = endpoint
        self._prefect_url = prefect_url
        self._folder = folder
        self._prepared = folder / "prepared"
        self._bodies: list[list[dict[str, Any]]] = []

    def prepare(self, calls: int) -> None:
        """Make the subjects and syllabi that so many calls are about."""
        self._run("pipeline", 128, self._prepared, config=_config(calls, questions=0))

    def measure(self, way: str, concurrency: int, calls: int) -> Figures:
        """One way of making calls. The pipeline goes first: the others send what it sent, as often as it did."""
        self._endpoint.reset()
        with tempfile.TemporaryDirectory(dir=self._folder) as store:
            if way == "pipeline":
                shutil.copytree(self._prepared, store, dirs_exist_ok=True)
            order = {"config": _config(calls), "calls": calls, "bodies": self._bodies}
            told = self._run(way, concurrency, Path(store), **order)
        stats = self._endpoint.stats()
        if len(stats.answered) != told["calls"]:
            raise SystemExit(f"{way}: {told['calls']} calls made, {len(stats.answered)} answered")
        if way == "pipeline":
            self._bodies = [self._endpoint.bodies(kind) for kind in ("question", "answer")]
        return Figures(way, concurrency, told["calls"], stats.rate(), 1000 * told["cpu_seconds"] / told["calls"])

    def _run(self, way: str, concurrency: int, store: Path, **order: Any) -> dict[str, Any]:
        order |= {"core": CLIENT, "concurrency": concurrency, "base_url": self._endpoint.base_url}
        settings = {
            "OPENAI_BASE_URL": self._endpoint.base_url,
            "OPENAI_API_KEY": "none",
            "GLAN_MODEL": "teacher",
            "GLAN_STORE": str(store),
            "GLAN_MAX_CONCURRENCY": str(concurrency),
            "PREFECT_API_URL": self._prefect_url,
            "PREFECT_HOME": str(self._folder),
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


def _config(calls: int, questions: int = QUESTIONS) -> dict[str, Any]:
    subjects = max(1, round(calls / (2 * QUESTIONS * len(DISCIPLINES))))
    return {"disciplines": DISCIPLINES, "subjects": subjects, "questions": questions, "lists": 2}


@contextmanager
def world(latency: float, sigma: float) -> Iterator[World]:
    """Everything that a measurement needs, on the servers' core."""
    os.sched_setaffinity(0, {SERVERS})
    with tempfile.TemporaryDirectory() as name, running(latency=latency, sigma=sigma, core=SERVERS) as endpoint:
        folder = Path(name)
        prefect = PrefectServer(folder)
        prefect.start()
        try:
            yield World(endpoint, prefect.url, folder)
        finally:
            prefect.stop()


def shown(figures: list[Figures]) -> str:
    """The table: each way beside the others of its round."""
    lines = [
        f"{'at once':>7}  {'way':<8}  {'calls':>7}  {'calls/s':>8}  {'of bare':>7}  {'of script':>9}  {'CPU ms':>6}"
    ]
    for begin in range(0, len(figures), len(WAYS)):
        group = figures[begin : begin + len(WAYS)]
        rates = {one.way: one.per_second for one in group}
        lines += [
            f"{one.concurrency:>7}  {one.way:<8}  {one.calls:>7}  {one.per_second:>8.1f}  "
            f"{one.per_second / rates['bare']:>7.2f}  {one.per_second / rates['script']:>9.2f}  {one.cpu_ms:>6.2f}"
            for one in group
        ]
    return "\n".join(lines)


def main() -> None:
    """Print the table, or with --json one document."""
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--concurrency", type=int, nargs="+", default=[128, 1024], help="calls in flight")
    options.add_argument("--calls", type=int, nargs="+", default=[8_000, 24_000], help="of each concurrency")
    options.add_argument("--latency", type=float, default=0.5, help="median seconds of a call; 0: none")
    options.add_argument("--sigma", type=float, default=0.3, help="spread of its logarithm")
    options.add_argument("--repeat", type=int, default=1, help="how often all of it is measured")
    options.add_argument("--json", action="store_true")
    given = options.parse_args()
    points = list(zip(given.concurrency, given.calls, strict=True)) * given.repeat
    with world(given.latency, given.sigma) as measured:
        measured.prepare(max(given.calls))
        figures = [measured.measure(way, concurrency, calls) for concurrency, calls in points for way in WAYS]
    print(json.dumps([asdict(one) for one in figures], indent=2) if given.json else shown(figures))


if __name__ == "__main__":
    main()
