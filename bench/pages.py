"""How long pages of Prefect's UI take to show what they are about, in headless Chromium.

    python -m bench.pages http://127.0.0.1:4200 [--password USER:PASSWORD]

Each page is opened afresh on the first run of `generate` or `fan-out`; the time ends when what a person came for is
seen. Needs Playwright and Debian's package chromium; without them there is nothing to tell.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from chromium import CHROMIUM

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
PATIENCE_SECONDS = 120


@dataclass(frozen=True)
class Opened:
    """A page, and how long it took; None: it did not show in time what a person came for."""

    name: str
    seconds: float | None

    def __str__(self) -> str:
        return f"{self.name:<24} " + (
            f"{self.seconds:5.1f} s" if self.seconds is not None else f"not in {PATIENCE_SECONDS} s"
        )


def opened(url: str, password: str | None = None) -> list[Opened]:
    """The pages a person looks at after a run; empty where there is no browser."""
    user = httpx.BasicAuth(*password.split(":", 1)) if password else None
    with httpx.Client(base_url=f"{url}/api", timeout=60, auth=user) as api, _page(password) as page:
        if page is None:
            return []
        from playwright.sync_api import TimeoutError as NotShown

        runs = api.post("/flow_runs/filter", json={"sort": "START_TIME_DESC", "limit": 200}).json()
        part = next(one for one in runs if one["parent_task_run_id"] and one["name"] != "curate")
        run = next(one for one in reversed(runs) if one["name"].startswith(("generate", "fan")))
        page.goto(url)  # the UI itself is read once
        page.wait_for_load_state("networkidle")

        def took(name: str, path: str, seen: Callable[[], None]) -> Opened:
            begun = time.perf_counter()
            page.goto(f"{url}{path}")
            try:
                seen()
            except NotShown:
                return Opened(name, None)
            return Opened(name, time.perf_counter() - begun)

        def text(words: str) -> Callable[[], None]:
            return lambda: page.get_by_text(words).locator("visible=true").first.wait_for()

        def link(words: str) -> Callable[[], None]:
            return lambda: page.get_by_role("link").filter(has_text=words).locator("visible=true").first.wait_for()

        return [
            took("dashboard", "/dashboard", text("Task Runs")),
            took("list of runs", "/runs", link(runs[0]["name"])),
            took("a run", f"/runs/flow-run/{run['id']}", text("Completed")),
            took("a discipline", f"/runs/flow-run/{part['id']}", text("Task run")),
            took("artifacts", "/artifacts", text("Last Updated")),
        ]


@contextmanager
def _page(password: str | None) -> Iterator[Any]:
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        yield None
        return
    if not CHROMIUM.exists():
        yield None
        return
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as profile:
        context = playwright.chromium.launch_persistent_context(
            profile, executable_path=CHROMIUM, args=FLAGS, viewport={"width": 1280, "height": 900}
        )
        context.set_default_timeout(1000 * PATIENCE_SECONDS)
        if password:  # as the UI keeps it after a login
            context.add_init_script(f"localStorage.setItem('prefect-password', btoa({json.dumps(password)}))")
        yield context.new_page()
        context.close()


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("url", help="of the server, without /api")
    options.add_argument("--password", help="of the API, where it has one")
    given = options.parse_args()
    for page in opened(given.url.rstrip("/"), given.password):
        print(page)


if __name__ == "__main__":
    main()
