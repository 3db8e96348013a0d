"""The page in a real browser: on a desk and on a phone, by keyboard, in the dark, with text that would like to act."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import tiny_store
from chromium import CHROMIUM
from report_world import HOSTILE, grown_store
from stage_world import NOON, clock
from store_world import a_call

from glan.dataset import View
from glan.report.figures import figures
from glan.report.page import page as page_of
from glan.store.calls import CallLog

sync_api = pytest.importorskip("playwright.sync_api")


@pytest.fixture(scope="module")
def browser() -> Iterator["sync_api.Browser"]:
    if not CHROMIUM.exists():
        pytest.skip("needs Debian's package chromium")
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--headless"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A page on a store with six rows of physics, and three of law of which one is a duplicate and one contaminated."""
    with tempfile.TemporaryDirectory() as folder:
        store, _, _ = grown_store(Path(folder), follow_ups=1)
        judged = tiny_store.unit("instructions", "law", "courts.000000-000010")
        hit = {
            "benchmark": HOSTILE,
            "item": "7",
            "overlap": 0.9,
            "match": "verbatim",
            "part": "question",
            "ngrams": ["a b"],
        }
        rows = [
            tiny_store.instruction("first", judged, question=f"Who judges? {HOSTILE}"),
            tiny_store.instruction("again", judged, kept=False, reasons=["duplicate"], duplicate_of="first"),
            tiny_store.instruction("known", judged, kept=False, reasons=["contamination"], contamination=hit),
        ]
        tiny_store.publish(
            store, tiny_store.commit(store, judged, rows, [{"error_kind": "refused", "raw_text": HOSTILE}])
        )
        file = Path(folder) / "report.html"
        file.write_text(page_of(figures(View.open(store, "latest")), NOON), encoding="utf-8")
        yield file.as_uri()


@pytest.fixture
def happened() -> list[str]:
    """Requests, dialogs and errors of the page."""
    return []


@pytest.fixture(params=["desk", "phone"])
def page(
    request: pytest.FixtureRequest, browser: "sync_api.Browser", address: str, happened: list[str]
) -> Iterator["sync_api.Page"]:
    size = {"width": 1280, "height": 900} if request.param == "desk" else {"width": 360, "height": 740}
    context = browser.new_context(viewport=size, color_scheme="light" if request.param == "desk" else "dark")
    yield opened(context, address, happened)
    context.close()


def opened(context: "sync_api.BrowserContext", address: str, happened: list[str]) -> "sync_api.Page":
    """The page at this address, once it is drawn."""
    page = context.new_page()
    page.set_default_timeout(20_000)
    page.on("dialog", lambda dialog: (happened.append(dialog.message), dialog.dismiss()))
    page.on("request", lambda asked: happened.append(asked.url))
    page.on("pageerror", lambda error: happened.append(str(error)))
    page.on("console", lambda message: happened.append(message.text))
    page.goto(address)
    page.locator("body[data-ready=yes]").wait_for()
    return page


def test_nothing_in_it_acts_and_all_of_it_fits(page: "sync_api.Page", address: str, happened: list[str]) -> None:
    page.evaluate("""async () => {
        for (let closed; (closed = [...document.querySelectorAll("details:not([open])")]).length; )
            for (const one of closed) { one.open = true; one.dispatchEvent(new Event("toggle")); }
    }""")
    text = page.locator("body").inner_text()
    assert "Freely" not in text and HOSTILE.split("\u202e")[0] in text
    assert page.locator("img, iframe, object").count() == 0 and page.locator("script").count() == 2
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert happened == [address]


def test_a_row_leads_back_to_the_prompt_and_the_raw_reply(page: "sync_api.Page") -> None:
    sample = page.locator("#list > details", has_text="Optics").first
    sample.locator("summary").first.click()
    for part in (
        "Prompt of the question",
        "Raw reply of the question",
        "Prompt of the answer",
        "Raw reply of the answer",
        "Prompt of further turns",
        "Raw reply of further turns",
    ):
        section = sample.locator("details", has_text=part).first
        section.locator("summary").first.click()
        assert section.locator("pre").first.inner_text()
    sample.locator("details", has_text="Subject: Optics").last.locator("summary").first.click()
    sample.get_by_text("Raw reply of the list of subjects").click()
    sample.locator("pre.raw", has_text='"subject_name"').wait_for()
    assert "null" not in sample.inner_text().splitlines()


def test_a_conversation_is_shown_turn_by_turn_and_found_by_what_is_said_in_it(page: "sync_api.Page") -> None:
    page.get_by_label("Search", exact=True).fill("What follows at step 1 optics")
    sample = page.locator("#list > details").first
    sample.locator("summary").first.click()
    titles = [one for one in sample.locator("h3").all_inner_texts() if "way" not in one.lower()]
    assert titles[:4] == ["Question", "Answer", "Turn 2: question", "Turn 2: answer"]
    assert sample.locator("pre").nth(2).inner_text().startswith("What follows at step 1")


def test_samples_are_found_by_text_node_strategy_and_verdict(page: "sync_api.Page") -> None:
    count = page.locator("#browser [role=status]")
    assert count.inner_text() == "9 of 9 samples"
    page.get_by_label("Search", exact=True).fill("who JUDGES")
    assert count.inner_text() == "1 of 9 samples"
    page.get_by_label("Search", exact=True).fill("")
    page.get_by_label("any verdict").select_option(label="rejected: duplicate")
    assert count.inner_text() == "1 of 9 samples"
    page.locator("#list > details summary").click()
    page.get_by_text("Kept instead").first.wait_for()
    assert "Kept instead" in page.locator("#list").inner_text() and "Who judges?" in page.locator("#list").inner_text()
    page.get_by_label("any verdict").select_option("")
    page.get_by_label("any node").select_option(label="\u2003\u2003Law")
    assert count.inner_text() == "3 of 9 samples"
    page.get_by_label("any node").select_option("")
    for number in range(2):
        page.get_by_label("any strategy").select_option(index=number + 1)
        assert 0 < int(count.inner_text().split()[0]) < 9


def test_the_tree_is_walked_by_keyboard(page: "sync_api.Page") -> None:
    cells = page.locator("#treemap g")
    assert [cell.get_attribute("aria-label").partition(":")[0] for cell in cells.all()] == [
        "Natural sciences", "Social sciences",
    ]  # fmt: skip
    cells.first.focus()
    page.keyboard.press("ArrowRight")
    assert "Social" in page.evaluate("document.activeElement.getAttribute('aria-label')")
    page.keyboard.press("Home")
    page.keyboard.press("Enter")  # physics is all there is below: its subjects are shown at once
    assert page.locator("#treemap .crumbs button").all_inner_texts() == [
        "All fields", "Natural sciences", "Physical sciences", "Physics", "samples of it",
    ]  # fmt: skip
    page.keyboard.press("Backspace")
    assert cells.count() == 2
    page.keyboard.press("Enter")
    assert "Optics" in page.evaluate("document.activeElement.getAttribute('aria-label')") + cells.last.get_attribute(
        "aria-label"
    )
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.type") == "search"
    assert page.locator("#browser [role=status]").inner_text() == "3 of 9 samples"
    page.get_by_role("button", name="by cost of all calls").click()
    cells.first.click()
    assert page.get_by_text("Costs are not known by subject.").is_visible()
    page.get_by_role("button", name="All fields").click()
    assert cells.count() == 1
    assert cells.first.get_attribute("aria-label").startswith("Natural sciences › Physical sciences › Physics: $")


@pytest.mark.parametrize("rows", [0, 2], ids=["no rows anywhere", "rows elsewhere"])
def test_samples_are_only_offered_of_nodes_that_have_some(
    browser: "sync_api.Browser", tmp_path: Path, happened: list[str], rows: int
) -> None:
    store = tiny_store.new_store(str(tmp_path / "store"))
    log = CallLog(store.files, writer="w", clock=clock)
    log.append(a_call("1" * 64, discipline_id="physics", cost_usd=2.0))
    log.append(a_call("2" * 64, discipline_id="law", cost_usd=1.0))
    log.close()
    judged = tiny_store.unit("instructions", "law", "courts.000000-000010")
    kept = [tiny_store.instruction(str(number), judged) for number in range(rows)]
    tiny_store.publish(store, tiny_store.commit(store, judged, kept))
    file = tmp_path / "report.html"
    file.write_text(page_of(figures(View.open(store, "latest")), NOON), encoding="utf-8")

    with browser.new_context() as context:
        page = opened(context, file.as_uri(), happened)
        offered = page.get_by_role("button", name="samples of it")
        page.get_by_role("button", name="by cost of all calls").click()
        page.locator("#treemap g", has_text="Natural sciences").click()
        assert page.locator("#treemap g").get_attribute("aria-label").endswith("Physics: $2")
        assert offered.count() == 0
        page.get_by_role("button", name="All fields").click()
        page.locator("#treemap g", has_text="Social sciences").click()
        assert offered.count() == bool(rows)
        if rows:
            offered.click()
            assert page.locator("#browser [role=status]").inner_text() == "2 of 2 samples"
    assert happened == [file.as_uri()]
