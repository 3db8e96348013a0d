"""What each command that reads the whole store costs a row, by how many rows there are: it must not grow.

python -m bench.scale [--questions 10000 100000] [--disciplines 126] [--folder FOLDER] [--json]

Stores are made first (`bench.scribe`), with all their rows and calls, and kept in FOLDER if one is given: a million
questions take half an hour and 4 GB. They end before curation, which `curate` does. CPU and peak memory are those of
the command's own process; a Prefect server runs beside it. What it asks of the store is counted by `bench.counted`.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import fsspec
from prefect_world import PrefectServer

from bench.endpoint import ROOT
from bench.store_maker import settings_of
from bench.world import QUIET

SUBJECTS, QUESTIONS = (
    40,
    200,
)  # of a discipline, as many as a model lists; of a subject, two rounds if there are so many
COMMANDS: Mapping[str, tuple[str, ...]] = {
    "status": ("status", "--json"),
    "curate": ("curate",),
    "curate again": ("curate",),
    "report": ("report", "--out"),
    "publish": ("publish", "r1"),
    "verify": ("verify",),
    "compact": ("compact",),
    "verify after": ("verify",),
}
"""In this order; what is made goes to a folder that is removed."""


@dataclass(frozen=True)
class Figures:
    """One command on a store of one size."""

    questions: int
    command: str
    seconds: float
    cpu_seconds: float
    peak_mb: float
    objects: int  # in the store afterwards
    megabytes: float  # of them
    operations: int = 0  # that the command asked of the store


def measure(folder: Path, disciplines: int, questions: int, home: Path, say: Callable[[str], None]) -> list[Figures]:
    """All commands on a store with about so many questions."""
    store = folder / f"{questions}"
    subjects = min(SUBJECTS, max(1, round(questions / disciplines / QUESTIONS)))
    each = max(1, round(questions / disciplines / subjects))
    size = [f"--disciplines={disciplines}", f"--subjects={subjects}", f"--questions={each}"]
    say(f"making {disciplines * subjects * each:,} questions in {store}")  # or what is missing of them
    timed("make", [sys.executable, "-m", "bench.scribe", str(store), *size], {}, store, questions)
    environment = {**settings_of(store), "PREFECT_HOME": str(home)}
    server = PrefectServer(home)
    try:
        server.start()
        environment["PREFECT_API_URL"] = server.url
        return all_timed(COMMANDS, environment, store, questions, say)
    finally:
        server.stop()


def all_timed(
    commands: Mapping[str, tuple[str, ...]],
    environment: Mapping[str, str],
    store: str | Path,
    questions: int,
    say: Callable[[str], None],
) -> list[Figures]:
    """Run these commands of glan one after another, each figure said as soon as it is known.

    What `report` makes goes to the home of Prefect that the environment names.
    """
    rows = []
    for name, command in commands.items():
        say(f"{questions:,} questions: {name}")
        home = Path(environment["PREFECT_HOME"])
        counts, place = home / "operations.json", [str(home / "report.html")] if name == "report" else []
        glan = [sys.executable, "-m", "bench.counted", str(counts)]
        figures = timed(name, [*glan, *command, *place], environment, store, questions, counts)
        say(f"  {figures.seconds:.0f} s, {figures.cpu_seconds:.0f} s of CPU, {figures.peak_mb:.0f} MB")
        rows.append(figures)
    return rows


def timed(
    name: str,
    command: list[str],
    environment: Mapping[str, str],
    store: str | Path,
    questions: int,
    counts: Path | None = None,
) -> Figures:
    """Run it to its end; it may leave there what it asked of the store. A command that fails ends the measurement."""
    begun = time.perf_counter()
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **QUIET, **environment}, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{name} ended with code {process.returncode}")
    objects, held = size_of(store, environment)
    cpu = used.ru_utime + used.ru_stime
    operations = sum(json.loads(counts.read_text()).values()) if counts else 0
    return Figures(questions, name, seconds, cpu, used.ru_maxrss / 1024, objects, held / 1e6, operations)


def size_of(store: str | Path, environment: Mapping[str, str]) -> tuple[int, int]:
    """Objects and bytes of a store in a folder or on S3."""
    secrets = {"key": "AWS_ACCESS_KEY_ID", "secret": "AWS_SECRET_ACCESS_KEY", "endpoint_url": "AWS_ENDPOINT_URL"}
    options = {name: environment[variable] for name, variable in secrets.items()} if "://" in str(store) else {}
    files, path = fsspec.url_to_fs(str(store), use_listings_cache=False, **options)
    sizes = [one["size"] for one in files.find(path, detail=True).values()]
    return len(sizes), sum(sizes)


def shown(rows: list[Figures]) -> str:
    """The table; CPU and store operations a row beside those of the size before."""
    before: dict[str, tuple[float, float]] = {}
    lines = [
        f"{'questions':>9}  {'command':<13} {'seconds':>8} {'CPU s':>8} {'CPU ms a row':>12} {'of before':>9} "
        f"{'operations a row':>16} {'of before':>9} {'peak MB':>8} {'objects':>8} {'MB':>8}"
    ]
    for one in rows:
        cpu, asked = 1000 * one.cpu_seconds / one.questions, one.operations / one.questions
        earlier = before.get(one.command)
        ratios = [f"{cpu / earlier[0]:9.2f}", f"{asked / earlier[1]:9.2f}"] if earlier else [f"{'':>9}"] * 2
        before[one.command] = cpu, asked
        lines.append(
            f"{one.questions:>9}  {one.command:<13} {one.seconds:>8.1f} {one.cpu_seconds:>8.1f} {cpu:>12.3f} {ratios[0]} "
            f"{asked:>16.3f} {ratios[1]} {one.peak_mb:>8.0f} {one.objects:>8} {one.megabytes:>8.1f}"
        )
    return "\n".join(lines)


def main() -> None:
    """Print the table, or with --json one document."""
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--questions", type=int, nargs="+", default=[10_000, 100_000])
    options.add_argument("--disciplines", type=int, default=126)
    options.add_argument("--folder", type=Path, help="where the stores are kept; default: they are removed again")
    options.add_argument("--json", action="store_true")
    given = options.parse_args()
    rows: list[Figures] = []
    with TemporaryDirectory() as name:
        folder = (given.folder or Path(name) / "stores").absolute()
        for questions in given.questions:
            home = Path(name) / f"home-{questions}"
            home.mkdir()
            rows += measure(folder, given.disciplines, questions, home, lambda text: print(text, file=sys.stderr))
    print(json.dumps([asdict(one) for one in rows], indent=2) if given.json else shown(rows))


if __name__ == "__main__":
    main()
