"""A person with a browser: opens the UI, presses Run on `generate`, fills in the form, watches it complete."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from chromium import CHROMIUM
from serve_world import Served

import glan

sync_api = pytest.importorskip("playwright.sync_api")


FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SECONDS = 90_000

DISCIPLINES = ["astronomy", "economics"]


@pytest.fixture
def page() -> Iterator["sync_api.Page"]:
    if not CHROMIUM.exists():
        pytest.skip("needs Debian's package chromium")
    with sync_api.sync_playwright() as playwright, tempfile.TemporaryDirectory() as profile:
        context = playwright.chromium.launch_persistent_context(
            profile, executable_path=CHROMIUM, args=FLAGS, viewport={"width": 1280, "height": 900}
        )
        context.set_default_timeout(SECONDS)
        yield context.new_page()
        context.close()


@pytest.mark.soak
@pytest.mark.timeout(400)
def test_a_person_starts_generate_from_its_form_and_sees_it_complete(
    page: "sync_api.Page", served: Served, tmp_path_factory: pytest.TempPathFactory
) -> None:
    asked: set[str] = set()
    page.on("response", lambda response: asked.add(response.url.split("/")[2]))
    pictures = tmp_path_factory.mktemp("pictures")
    page.goto(served.url)
    page.get_by_role("link", name="Deployments").first.click()
    page.get_by_role("link", name="generate", exact=True).first.click()
    page.get_by_role("button", name="Run", exact=True).click()
    page.get_by_text("Custom run").click()
    fill_in(page, pictures)
    page.get_by_role("button", name="Submit").click()
    page.get_by_role("link", name="View run").click()

    page.get_by_text("Completed", exact=True).first.wait_for()
    page.get_by_role("tab", name="Subflow Runs").click()
    for name in DISCIPLINES:
        page.get_by_role("link", name=name).first.wait_for()
    page.wait_for_timeout(6_000)  # until the notice is gone and the picture of the run's parts is drawn
    page.screenshot(path=pictures / "run.png")

    assert asked == {served.url.removeprefix("http://")}  # nobody else
    rows = glan.load("instructions", store=str(served.folder / "data"), disciplines=DISCIPLINES)
    assert len(rows) == 2 * 2 * 3
    print(f"pictures: {pictures}")


def fill_in(page: "sync_api.Page", pictures: Path) -> None:
    """Two disciplines from the choices, and small numbers."""
    page.get_by_label("Select Disciplines").click()
    for name in DISCIPLINES:
        page.get_by_placeholder("Search").first.fill(name)
        page.get_by_role("option", name=name, exact=True).click()
    page.keyboard.press("Escape")
    subjects = page.locator("div.group", has=page.get_by_text("Subjects (Optional)", exact=True)).last
    subjects.get_by_role("tab", name="int").click()
    subjects.get_by_role("spinbutton").fill("2")
    numbers = {"Questions": 3, "Lists": 2, "Min Sessions": 4, "Max Sessions": 6, "Concepts Per Session": 3}
    for name, number in numbers.items():
        page.get_by_label(f"{name} (Optional)", exact=True).fill(str(number))
    page.evaluate("window.scrollTo(0, 0)")
    page.screenshot(path=pictures / "form.png")
