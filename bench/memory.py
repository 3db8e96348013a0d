"""Peak memory of a run of the whole pipeline, by how many calls it makes: it follows the calls in flight, not the rows.

python -m bench.memory [--calls 10000 100000] [--concurrency 256] [--json]
"""

import argparse
import json
from dataclasses import asdict, dataclass

from bench.world import QUESTIONS, run_config, world
from glan import taxonomy

SUBJECTS = 10
"""Of each discipline in both runs: what is open at once is the same, and the larger one has more disciplines."""


@dataclass(frozen=True)
class Figures:
    """One run from an empty store to curated instructions."""

    calls: int
    peak_mb: float  # resident memory of the process that runs the flow


def disciplines(calls: int) -> tuple[str, ...]:
    """As many as so many calls are about."""
    wanted = max(1, round(calls / 2 / QUESTIONS / SUBJECTS))
    return tuple(one.discipline_id for one in taxonomy.shipped())[:wanted]


def main() -> None:
    """Print the table, or with --json one document."""
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--calls", type=int, nargs="+", default=[10_000, 100_000], help="question and answer calls")
    options.add_argument("--concurrency", type=int, default=256, help="calls in flight")
    options.add_argument("--json", action="store_true")
    given = options.parse_args()
    figures = []
    for calls in given.calls:
        with world() as around:
            config = run_config(calls, disciplines=disciplines(calls))
            told = around.run("pipeline", given.concurrency, around.folder / "store", config=config)
            figures.append(Figures(told["calls"], told["peak_mb"]))
    if given.json:
        print(json.dumps([asdict(one) for one in figures], indent=2))
        return
    print(f"{'calls':>8}  {'peak MB':>8}  {'of the first':>12}")
    for one in figures:
        print(f"{one.calls:>8,}  {one.peak_mb:>8.0f}  {one.peak_mb / figures[0].peak_mb:>12.2f}")


if __name__ == "__main__":
    main()
