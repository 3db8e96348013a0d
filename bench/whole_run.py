"""Runs of the paper's shape, whole: 126 disciplines from an empty store to a checked release, by the commands people type.

python -m bench.whole_run [--pairs 10000 100000] [--disciplines 126] [--subjects 8] [--concurrency 128] [--folder FOLDER]
    [--json]

The model server answers at once, so all that is seen is the project's own cost. A Prefect server with its usual SQLite
runs beside it. CPU and peak memory are those of the command's own process; calls and rows are counted in the store.
Afterwards pages of Prefect's UI are opened in Chromium, where there is one (`bench.pages`).
"""

import argparse
import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
from prefect_world import PrefectServer

import glan
from bench.endpoint import Endpoint, running
from bench.pages import Opened, opened
from bench.scale import COMMANDS, Figures, all_timed, shown
from bench.store_maker import settings_of
from glan import taxonomy

AFTERWARDS = {name: command for name, command in COMMANDS.items() if command != ("curate",)}
"""A run has curated already."""


def run_file(folder: Path, disciplines: int, subjects: int, pairs: int) -> Path:
    """What to make."""
    names = [one.discipline_id for one in taxonomy.shipped()][:disciplines]
    each = max(1, round(pairs / disciplines / subjects))
    path = folder / f"run-{pairs}.toml"
    path.write_text(f"disciplines = {json.dumps(names)}\nsubjects = {subjects}\nquestions = {each}\nlists = 2\n")
    return path


def measure(
    given: argparse.Namespace, pairs: int, endpoint: Endpoint, folder: Path, say: Callable[[str], None]
) -> tuple[list[Figures], dict[str, Any], list[Opened]]:
    """One run and what follows it, in a new store; then pages of the UI."""
    store, home = folder / f"store-{pairs}", folder / f"home-{pairs}"
    home.mkdir(parents=True)
    server = PrefectServer(home)
    os.environ["PREFECT_SERVER_UI_API_URL"] = server.url  # for the server, whose pages talk to port 4200 otherwise
    environment = {
        **settings_of(store),
        "OPENAI_BASE_URL": endpoint.base_url,
        "OPENAI_API_KEY": "none",
        "GLAN_MODEL": "teacher",
        "GLAN_MAX_CONCURRENCY": str(given.concurrency),
        "PREFECT_API_URL": server.url,
        "PREFECT_HOME": str(home),
    }
    asked = str(run_file(folder, given.disciplines, given.subjects, pairs))
    commands = {"run": ("run", asked), "run again": ("run", asked), **AFTERWARDS}
    try:
        server.start()
        rows = all_timed(commands, environment, store, pairs, say)
        records = recorded(server.url, home)
        pages = opened(server.url.removesuffix("/api"))
    finally:
        server.stop()
    return rows, {**counted(store), **records}, pages


def recorded(api_url: str, home: Path) -> dict[str, Any]:
    """What Prefect has kept: runs of flows and of tasks, and the bytes of its database."""
    counts = {
        f"{kind} runs": httpx.post(f"{api_url}/{kind}_runs/count", json={}, timeout=60).json()
        for kind in ("flow", "task")
    }
    return {**counts, "database bytes": sum(path.stat().st_size for path in home.glob("prefect.db*"))}


def counted(store: Path) -> dict[str, Any]:
    """What is in a store: calls, tokens of a call by stage, rows of every stage, and how many are kept."""
    calls = glan.load("calls", store=str(store), columns=["stage", "prompt_tokens", "completion_tokens"])
    kept = glan.load("instructions", store=str(store), columns=["kept"])["kept"]
    mean = calls.groupby("stage")[["prompt_tokens", "completion_tokens"]].mean().round(1)
    return {
        "calls": calls["stage"].value_counts().to_dict(),
        "tokens of a call": mean.to_dict("index"),
        "instructions": len(kept),
        "kept": int(kept.sum()),
    }


def main() -> None:
    """Print the tables, or with --json one document."""
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--pairs", type=int, nargs="+", default=[10_000, 100_000])
    options.add_argument("--disciplines", type=int, default=126)
    options.add_argument("--subjects", type=int, default=8, help="of each discipline")
    options.add_argument("--concurrency", type=int, default=128)
    options.add_argument("--folder", type=Path, help="where the stores are kept; default: they are removed again")
    options.add_argument("--json", action="store_true")
    given = options.parse_args()
    rows: list[Figures] = []
    pages: dict[int, list[Opened]] = {}
    counts: dict[int, dict[str, Any]] = {}
    with TemporaryDirectory() as name:
        folder = (given.folder or Path(name)).absolute()
        for pairs in given.pairs:
            with running(questions=2 * pairs) as endpoint:  # few come twice, as from a model
                figures, counts[pairs], pages[pairs] = measure(
                    given, pairs, endpoint, folder, lambda text: print(text, file=sys.stderr)
                )
            rows += figures
    if given.json:
        told = {pairs: [asdict(page) for page in seen] for pairs, seen in pages.items()}
        print(json.dumps({"commands": [asdict(one) for one in rows], "stores": counts, "pages": told}, indent=2))
        return
    print(shown(rows))
    for pairs, count in counts.items():
        run = next(one for one in rows if one.questions == pairs and one.command == "run")
        calls = sum(count["calls"].values())
        print(f"\n{pairs:,} pairs: {calls:,} calls, {calls / run.seconds:.0f} a second, {1000 * run.cpu_seconds / calls:.2f} "
              f"ms of CPU each; {count['instructions']:,} instructions, {count['kept']:,} kept; Prefect keeps "
              f"{count['flow runs']:,} flow runs and {count['task runs']:,} task runs in {count['database bytes'] / 1e6:.0f} MB")  # fmt: skip
        print("".join(f"  {page}\n" for page in pages[pairs]))


if __name__ == "__main__":
    main()
