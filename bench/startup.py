"""How long one waits before anything happens: for `glan --help`, for `glan status` and for a run with nothing to do.

python -m bench.startup [--folder FOLDER] [--disciplines 126] [--subjects 127] [--rounds 7] [--questions 100] [--json]

The stores are made first (`bench.store_maker`), the large one unless FOLDER holds it from an earlier measurement. The
run is over as many disciplines, of a few subjects each, with all their rows. A first look finds nothing noted; the
next one finds what a run, or the look itself, has left behind.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect_world import PrefectServer

from bench.endpoint import ROOT
from bench.store_maker import Size, add_size, disciplines_in, leave_notes, make_store, settings_of, size_of
from glan.store import notes, snapshots
from glan.store.files import LAYOUT

GLAN = "import sys; sys.argv[0] = 'glan'; from flows.cli import main; main()"
LISTING = "import os, sys; print(sum(len(names) for _, _, names in os.walk(sys.argv[1])))"


@dataclass(frozen=True)
class Figures:
    """One command, and what it is measured against."""

    command: str
    seconds: float
    baseline: str
    baseline_seconds: float
    task_runs: int | None = None  # that the Prefect server knows of afterwards


def seconds_of(command: Sequence[str], environment: dict[str, str], times: int = 1) -> float:
    """The median over so many processes."""
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        subprocess.run(
            [sys.executable, "-c", *command], cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL
        )
        taken.append(time.perf_counter() - begun)
    return median(taken)


def measure(folder: Path, size: Size, say: Callable[[str], None]) -> list[Figures]:
    """All commands, on a store of this size."""
    environment = {**os.environ, **settings_of(folder)}
    bare = seconds_of(["pass"], environment, 9)
    rows = [Figures("--help", seconds_of([GLAN, "--help"], environment, 9), "python -c pass", bare)]
    os.environ |= settings_of(folder)
    if not (folder / LAYOUT / snapshots.FOLDER).exists():
        say(f"making {size.units:,} units for {size.asked:,} questions in {folder}")
        make_store(size)
    shutil.rmtree(folder / LAYOUT / notes.FOLDER, ignore_errors=True)
    listing = seconds_of([LISTING, str(folder)], environment)
    rows.append(
        Figures("first status", seconds_of([GLAN, "status", "--json"], environment), "listing the folder", listing)
    )
    leave_notes(size)
    rows.append(Figures("status", seconds_of([GLAN, "status", "--json"], environment), "listing the folder", listing))
    return rows + _runs(Size(size.disciplines, subjects=3, rounds=1, questions=20), say)


def _runs(size: Size, say: Callable[[str], None]) -> list[Figures]:
    """Two runs with nothing to do."""
    with TemporaryDirectory() as home:
        folder = Path(home) / "store"
        say(f"making {size.units:,} units with all their rows in {folder}")
        given = [f"--{name}={number}" for name, number in asdict(size).items()]
        # A process of its own: what belongs to the first store is remembered in this one.
        making = [sys.executable, "-m", "bench.store_maker", str(folder), "--whole", *given]
        subprocess.run(making, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        server = PrefectServer(Path(home))
        try:
            server.start()
            environment = {**os.environ, **settings_of(folder), "PREFECT_API_URL": server.url, "PREFECT_HOME": home}
            importing = seconds_of(["import flows.generate"], environment)
            chosen = [option for name in disciplines_in(folder) for option in ("--discipline", name)]
            command = [GLAN, "run", *chosen, "--subjects", str(size.subjects), "--questions", str(size.questions)]
            return [
                Figures(name, seconds_of(command, environment), "importing the flow", importing, _task_runs(server))
                for name in ("first run", "run")
            ]
        finally:
            server.stop()


def _task_runs(server: PrefectServer) -> int:
    with temporary_settings({PREFECT_API_URL: server.url}), get_client(sync_client=True) as client:
        return len(client.read_task_runs(limit=200))


def main() -> None:
    """Print the table, or with --json one document."""
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--folder", type=Path, help="the store; default: one that is removed again")
    add_size(options)
    options.add_argument("--json", action="store_true")
    given = options.parse_args()
    with TemporaryDirectory() as name:
        folder = (given.folder or Path(name) / "store").absolute()
        rows = measure(folder, size_of(given), lambda message: print(message, file=sys.stderr))
    if given.json:
        print(json.dumps([asdict(one) for one in rows], indent=2))
        return
    for one in rows:
        tasks = "" if one.task_runs is None else f", {one.task_runs} task runs"
        print(f"{one.command:<13} {one.seconds:7.2f} s   {one.baseline}: {one.baseline_seconds:.2f} s{tasks}")


if __name__ == "__main__":
    main()
