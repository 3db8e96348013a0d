"""Question and answer calls through the whole stack, beside the best script by hand and the bare limit of the machine.

The whole stack: Prefect, gateway, validation, write-ahead log, Parquet commits, curation. The client has one core for
itself; the model server and the Prefect server share the other. Latencies are log-normal.

python -m bench.throughput [--concurrency 128 1024] [--calls 8000 24000] [--latency 0.5] [--repeat 1] [--json]
"""

import argparse
import json
import shutil
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.world import World, run_config, world

WAYS = ("pipeline", "script", "bare")


@dataclass(frozen=True)
class Figures:
    """One way of making calls, at one concurrency."""

    way: str
    concurrency: int
    calls: int
    per_second: float  # between the first and the last 5 % of calls
    cpu_ms: float  # of the client's process, a call, imports apart


class Throughput:
    """A store in which subjects and syllabi are made already, and what is made of it."""

    def __init__(self, around: World) -> None:
        self._world = around
        self._prepared = around.folder / "prepared"
        self._bodies: list[list[dict[str, Any]]] = []

    def prepare(self, calls: int) -> None:
        """Make the subjects and syllabi that so many calls are about."""
        self._world.run("pipeline", 128, self._prepared, config=run_config(calls, questions=0))

    def measure(self, way: str, concurrency: int, calls: int) -> Figures:
        """One way of making calls. The pipeline goes first: the others send what it sent, as often as it did."""
        endpoint = self._world.endpoint
        endpoint.reset()
        with tempfile.TemporaryDirectory(dir=self._world.folder) as store:
            if way == "pipeline":
                shutil.copytree(self._prepared, store, dirs_exist_ok=True)
            order = {"config": run_config(calls), "calls": calls, "bodies": self._bodies}
            told = self._world.run(way, concurrency, Path(store), **order)
        stats = endpoint.stats()
        if len(stats.answered) != told["calls"]:
            raise SystemExit(f"{way}: {told['calls']} calls made, {len(stats.answered)} answered")
        if way == "pipeline":
            self._bodies = [endpoint.bodies(kind) for kind in ("question", "answer")]
        return Figures(way, concurrency, told["calls"], stats.rate(), 1000 * told["cpu_seconds"] / told["calls"])


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
    with world(latency=given.latency, sigma=given.sigma) as around:
        measured = Throughput(around)
        measured.prepare(max(given.calls))
        figures = [measured.measure(way, concurrency, calls) for concurrency, calls in points for way in WAYS]
    print(json.dumps([asdict(one) for one in figures], indent=2) if given.json else shown(figures))


if __name__ == "__main__":
    main()
