"""A run on the team's stack: PostgreSQL, Redis, S3 over HTTP, and two workers, each with half of the disciplines.

python -m bench.team [--pairs 10000] [--disciplines 126] [--subjects 8] [--concurrency 128] [--json]

The services are those of docker-compose.yml as plain processes (`tests/support/stack_world.py`), the runs are started as the UI
starts them, and the model server answers at once. Afterwards come the commands that read the store, over S3, and pages
of the UI in Chromium, where there is one.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

import httpx
import pandas as pd
from compose_file import SECRETS
from prefect import get_client
from prefect.client.schemas.objects import FlowRun
from prefect.deployments import run_deployment
from stack_world import Stack

import glan
from bench.endpoint import running
from bench.pages import Opened, opened
from bench.scale import Figures, all_timed, shown, size_of
from bench.whole_run import AFTERWARDS
from glan import taxonomy

WORKERS = 2
PASSWORD = SECRETS["PREFECT_API_AUTH_STRING"]


@dataclass(frozen=True)
class Runs:
    """What both workers made together."""

    pairs: int
    calls: int
    seconds: float  # from the start of the first run to the end of the last, their processes' start included
    busy_seconds: float  # from the first call to the last
    objects: int
    megabytes: float
    flow_runs: int
    task_runs: int


def halves(disciplines: int) -> list[list[str]]:
    """Which disciplines each worker takes on."""
    names = [one.discipline_id for one in taxonomy.shipped()][:disciplines]
    return [names[worker::WORKERS] for worker in range(WORKERS)]


def run_all(given: argparse.Namespace) -> float:
    """Start a run for each worker, and wait for all of them; the seconds it took."""
    questions = max(1, round(given.pairs / given.disciplines / given.subjects))
    common = {"subjects": given.subjects, "questions": questions, "lists": 2}
    begun = time.perf_counter()
    for run in [start({**common, "disciplines": names}) for names in halves(given.disciplines)]:
        await_end(run.id)
    return time.perf_counter() - begun


def start(config: dict[str, Any]) -> FlowRun:
    """It goes to whichever worker is free."""
    run = run_deployment("generate/generate", parameters={"config": config}, timeout=0, as_subflow=False)
    assert isinstance(run, FlowRun)
    return run


def await_end(run_id: UUID) -> None:
    """Until it is over; a run that is not whole ends the measurement."""
    with get_client(sync_client=True) as client:
        while not (state := client.read_flow_run(run_id).state) or not state.is_final():
            time.sleep(1)
    if state.name != "Completed":
        raise SystemExit(f"a run ended as {state.name}: {state.message}")


def measure(given: argparse.Namespace, say: Callable[[str], None]) -> tuple[Runs, list[Figures], list[Opened]]:
    """The runs, the commands that follow, and the pages."""
    with running(questions=2 * given.pairs) as endpoint:
        variables = {"OPENAI_BASE_URL": endpoint.base_url, "OPENAI_API_KEY": "none", "GLAN_MODEL": "teacher"}
        with Stack(variables, GLAN_MAX_CONCURRENCY=str(given.concurrency)) as stack, stack.api():
            stack.add("worker")
            environment = stack.environment("worker")
            os.environ.update({name: value for name, value in environment.items() if name.startswith("AWS_")})
            store = environment["GLAN_STORE"]
            say("runs")
            seconds = run_all(given)
            made = _told(stack, store, given.pairs, seconds)
            say(f"  {seconds:.0f} s, {made.calls:,} calls, {made.task_runs:,} task runs")
            figures = all_timed(AFTERWARDS, environment, store, given.pairs, say)
            say("pages")
            return made, figures, opened(stack.api_url.removesuffix("/api"), PASSWORD)


def _told(stack: Stack, store: str, pairs: int, seconds: float) -> Runs:
    calls: pd.DataFrame = glan.load("calls", store=store, columns=["started_at", "finished_at"])
    objects, held = size_of(store, stack.environment("worker"))
    busy = (calls["finished_at"].max() - calls["started_at"].min()).total_seconds()
    return Runs(pairs, len(calls), seconds, busy, objects, held / 1e6, _count(stack, "flow"), _count(stack, "task"))


def _count(stack: Stack, kind: str) -> Any:
    user = httpx.BasicAuth(*PASSWORD.split(":", 1))
    return httpx.post(f"{stack.api_url}/{kind}_runs/count", json={}, timeout=60, auth=user).json()


def main() -> None:
    """Print the tables, or with --json one document."""
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--pairs", type=int, default=10_000)
    options.add_argument("--disciplines", type=int, default=126)
    options.add_argument("--subjects", type=int, default=8, help="of each discipline")
    options.add_argument("--concurrency", type=int, default=128, help="of each worker")
    options.add_argument("--json", action="store_true")
    given = options.parse_args()
    made, figures, pages = measure(given, lambda text: print(text, file=sys.stderr))
    if given.json:
        pieces = {"runs": asdict(made), "commands": [asdict(one) for one in figures], "pages": [asdict(page) for page in pages]}  # fmt: skip
        print(json.dumps(pieces, indent=2))
        return
    print(f"{made.pairs:,} pairs by {WORKERS} workers: {made.calls:,} calls in {made.seconds:.0f} s, "
          f"{made.calls / made.busy_seconds:.0f} a second while calls were made; {made.objects:,} objects, "
          f"{made.megabytes:.0f} MB; {made.flow_runs:,} flow runs, {made.task_runs:,} task runs\n")  # fmt: skip
    print(shown(figures))
    print("".join(f"  {page}\n" for page in pages))


if __name__ == "__main__":
    main()
