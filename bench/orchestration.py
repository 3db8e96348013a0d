"""What Prefect costs: the same units made by the flow and without Prefect, at the same number of calls in flight.

The servers share a core of their own. Rates are taken between the first and the last 5 % of calls.

python -m bench.orchestration [--concurrency 50] [--calls 8000] [--latency 0.5] [--repeat 1] [--json]
"""

import argparse
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.world import World, run_config, world


@dataclass(frozen=True)
class Figures:
    """One way of making the units."""

    way: str
    calls: int
    per_second: float
    cpu_ms: float  # of the process, a call


def measure(around: World, way: str, concurrency: int, calls: int) -> Figures:
    """From subjects to instructions, in an empty store."""
    around.endpoint.reset()
    with TemporaryDirectory(dir=around.folder) as store:
        told = around.run(way, concurrency, Path(store), config=run_config(calls))
    return Figures(way, told["calls"], around.endpoint.stats().rate(), 1000 * told["cpu_seconds"] / told["calls"])


def main() -> None:
    """Print the table, or with --json one document."""
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--concurrency", type=int, default=50, help="calls in flight")
    options.add_argument("--calls", type=int, default=8_000, help="question and answer calls")
    options.add_argument("--latency", type=float, default=0.5, help="seconds of every call")
    options.add_argument("--repeat", type=int, default=1, help="how often both are measured")
    options.add_argument("--json", action="store_true")
    given = options.parse_args()
    with world(latency=given.latency) as around:
        figures = [
            measure(around, way, given.concurrency, given.calls)
            for _ in range(given.repeat)
            for way in ("plain", "pipeline")
        ]
    if given.json:
        print(json.dumps([asdict(one) for one in figures], indent=2))
        return
    print(f"{'way':<8}  {'calls':>6}  {'calls/s':>7}  {'CPU ms':>6}  {'Prefect takes':>13}")
    for plain, pipeline in zip(figures[::2], figures[1::2], strict=True):
        shares = ("", f"{1 - pipeline.per_second / plain.per_second:.1%}")
        for one, share in zip((plain, pipeline), shares, strict=True):
            print(f"{one.way:<8}  {one.calls:>6}  {one.per_second:>7.1f}  {one.cpu_ms:>6.2f}  {share:>13}")


if __name__ == "__main__":
    main()
