"""Two worker processes on one endpoint: twice the calls where it has no limit; where it has one, fair shares of it.

Each is the whole pipeline in a process of its own, at 64 calls in flight, on disciplines of its own in one store. The
figures come from the ledger in the store. Both may run on either core: one core is not enough for two.

python -m bench.sharing [--calls 6000] [--rate 60] [--latency 0.5] [--json]
"""

import argparse
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd

from bench.world import CLIENT, DISCIPLINES, SERVERS, World, run_config, world
from glan.store import calls
from glan.store.files import Files

CONCURRENCY = 64  # of each process
SETTLED_AFTER = timedelta(seconds=10)
WORKERS = (DISCIPLINES[:2], DISCIPLINES[2:])


@dataclass(frozen=True)
class Figures:
    """What came of one or two processes at an endpoint, from ten seconds after the start until the first of them ended."""

    endpoint: str
    processes: int
    per_second: float  # calls answered, of all processes together
    refused: float  # share of 429s among all calls
    smallest_share: float  # of the calls answered, that of the process that got the fewest


def measure(around: World, endpoint: str, workers: Sequence[Sequence[str]], calls_each: int) -> Figures:
    """All processes start at once, with the same amount of work."""
    with TemporaryDirectory(dir=around.folder) as name, ThreadPoolExecutor(len(workers)) as pool:
        store = Path(name)

        def work(disciplines: Sequence[str]) -> Any:
            config = run_config(calls_each, disciplines=tuple(disciplines))
            return around.run("pipeline", CONCURRENCY, store, config=config, cores=[SERVERS, CLIENT])

        list(pool.map(work, workers))
        return figures(endpoint, ledger(str(store)))


def ledger(store: str) -> pd.DataFrame:
    """Every call: who made it, when it ended, and how."""
    columns = ["run_id", "status", "finished_at"]
    frame: pd.DataFrame = pd.concat([batch.to_pandas() for batch in calls.scan(Files.open(store), columns=columns)])
    return frame


def figures(endpoint: str, made: pd.DataFrame) -> Figures:
    """Of the time in which all processes were at work."""
    ends = made.groupby("run_id")["finished_at"].agg(["min", "max"])
    begin: datetime = ends["min"].max() + SETTLED_AFTER
    end: datetime = ends["max"].min()
    meanwhile = made[made["finished_at"].between(begin, end)]
    answered = meanwhile[meanwhile["status"] == 200]
    of_each = answered.groupby("run_id").size()
    return Figures(
        endpoint=endpoint,
        processes=len(ends),
        per_second=len(answered) / (end - begin).total_seconds(),
        refused=float((meanwhile["status"] == 429).mean()),
        smallest_share=float(of_each.min() / of_each.sum()),
    )


def main() -> None:
    """Print the table, or with --json one document."""
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--calls", type=int, default=6_000, help="question and answer calls of each process")
    options.add_argument("--rate", type=float, default=60.0, help="calls a second that a limited endpoint takes")
    options.add_argument("--latency", type=float, default=0.5, help="median seconds of a call")
    options.add_argument("--sigma", type=float, default=0.3, help="spread of its logarithm")
    options.add_argument("--json", action="store_true")
    given = options.parse_args()
    behaviour = {"latency": given.latency, "sigma": given.sigma}
    rows = []
    with world(**behaviour) as around:
        rows += [measure(around, "no limit", workers, given.calls) for workers in (WORKERS[:1], WORKERS)]
    for says_when in (True, False):
        name = f"{given.rate:g}/s, {'with' if says_when else 'without'} Retry-After"
        with world(**behaviour, rate=given.rate, says_when=says_when) as around:
            rows.append(measure(around, name, WORKERS, given.calls // 2))
    print(json.dumps([asdict(one) for one in rows], indent=2) if given.json else shown(rows))


def shown(rows: Sequence[Figures]) -> str:
    """The table; what two do is told in terms of one."""
    lines = [f"{'endpoint':<25}  {'processes':>9}  {'calls/s':>7}  {'of one':>6}  {'429s':>6}  {'smallest share':>14}"]
    for one in rows:
        of_one = f"{one.per_second / rows[0].per_second:>6.2f}" if one.endpoint == rows[0].endpoint else " " * 6
        lines.append(
            f"{one.endpoint:<25}  {one.processes:>9}  {one.per_second:>7.1f}  {of_one}  "
            f"{one.refused:>6.2%}  {one.smallest_share:>14.0%}"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
