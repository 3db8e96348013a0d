"""The coverage picture and the page: figures that add up, every size readable, text from models inert."""

import datetime
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from store_world import a_call
from tiny_store import NOON, clock, commit, instruction, new_store, publish, unit

from glan.costs import Spent, money
from glan.dataset import View
from glan.report.coverage import Cover, Coverage, Place, coverage
from glan.report.figures import Figures, figures
from glan.report.island import island
from glan.report.page import page
from glan.report.picture import MOST_LINES, fields, picture
from glan.store import runs
from glan.store.calls import CallLog
from glan.store.runs import RunRecord
from glan.store.store import Store

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\u202e{{ 7 * 7 }}"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Ten questions planned on economics: five kept, two rejected, one in quarantine, two to come; and some calls."""
    store = new_store(str(tmp_path))
    address = "markets.000000-000010"
    syllabus = unit("syllabi", "economics", "markets")
    asked = unit("questions", "economics", address)
    judged = unit("instructions", "economics", address)
    rows = [
        instruction(f"q{n}", judged, syllabus_id="s", session_indexes=[1], sample_index=n, question=f"{n} {HOSTILE}")
        for n in range(5)
    ]
    bad = [instruction(f"b{n}", judged, kept=False, reasons=["refusal", "truncation"][: n + 1]) for n in range(2)]
    sessions = [{"title": name, "description": "", "key_concepts": ["a"]} for name in ("First", HOSTILE)]
    publish(
        store,
        commit(store, syllabus, [{"syllabus_id": "s", "sessions": sessions}]),
        commit(
            store,
            asked,
            [{"question_id": str(n)} for n in range(9)],
            [{"request_key": "r", "error_kind": "refused", "message": HOSTILE}],
        ),
        commit(store, judged, [*rows, *bad]),
    )
    log = CallLog(store.files, writer="w", clock=clock)
    log.append(a_call("1" * 64, cost_usd=1.5))
    log.append(a_call("2" * 64, cost_usd=None))
    log.append(a_call("3" * 64, cost_usd=None, prompt_tokens=None, completion_tokens=None, understood=False))
    log.append(a_call("4" * 64, model="free", stage="answers", cost_usd=0.0))
    log.close()
    return store


def data_of(store: Store) -> Any:
    """What the page's script is given."""
    return json.loads(island(read(store)))


def read(store: Store) -> Figures:
    return figures(View.open(store, "latest"))


class Page(HTMLParser):
    """The tags of a page, their attributes, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


def test_every_planned_question_is_counted_once(store: Store) -> None:
    covered = coverage(View.open(store, "latest"))
    assert covered.total == Cover(kept=5, rejected=2, quarantined=1, planned=10)
    assert covered.total.coming == 2
    assert covered.reasons == {"refusal": 2, "truncation": 1}
    assert [place.discipline for place in covered.places] == ["Physics", "Economics", "Law"]
    assert covered.begun == 1


def test_money_is_by_stage_model_and_discipline_and_what_is_unknown_is_said(store: Store) -> None:
    spent = read(store).ledger.by(lambda account: account[:2])
    assert spent["subjects", "m"] == Spent(3, 2, 20, 0, 40, 1.5, unpriced=2)  # of a call that broke off nobody knows
    assert money(spent["subjects", "m"]) == "$1.50 + 2 calls of unknown cost"
    assert money(Spent(calls=2, unpriced=2)) == "unknown"
    assert money(spent["answers", "free"]) == "$0.00"
    assert read(store).ledger.by(lambda account: (account.discipline_id,)) == {("physics",): read(store).ledger.total}


def test_rows_tokens_and_money_are_placed_in_time(store: Store) -> None:
    time = data_of(store)["time"]
    series = time["series"]
    assert sum(series["rows"]["kept"]) == 5 and sum(series["rows"]["rejected"]) == 2
    assert sum(series["tokens"]["subjects"]) == 60 and sum(series["cost"]["subjects"]) == 1.5
    assert len(series["rows"]["kept"]) == time["steps"] <= 100
    assert datetime.datetime.fromtimestamp(3600 * time["start"], datetime.UTC) <= NOON


def test_a_page_needs_no_network_and_text_from_models_does_nothing(store: Store) -> None:
    text = page(read(store), NOON, run_id="run-1")
    made = Page(text)
    assert not {"img", "link", "iframe", "object", "base", "form"} & set(made.tags)
    assert made.tags.count("script") == 2  # its data and its own
    assert not any(name.startswith("on") or name == "src" for name, _ in made.attributes)
    assert all((value or "").startswith("#") for name, value in made.attributes if name == "href")
    assert HOSTILE not in text and HOSTILE in "\n".join(data_of(store)["texts"])
    assert "@media (prefers-color-scheme: dark)" in text


@pytest.mark.parametrize("end", ["</script>", "<!--<script>", "<!-- ", "]]>", "\u2028", "&lt;/script&gt;"])
def test_no_text_ends_the_data(store: Store, end: str) -> None:
    judged = unit("instructions", "law", "courts.000000-000010")
    publish(store, commit(store, judged, [instruction("q", judged, question=f"{end}<img src=x>", answer=end)]))
    document = island(read(store))
    assert not {"<", ">", "&", "\u2028"} & set(document)
    assert end in json.loads(document)["texts"]


def test_there_are_samples_of_every_reason_and_each_row_is_there_once(store: Store) -> None:
    some = read(store).samples
    assert sorted(sample.row["question_id"] for sample in some) == ["b0", "b1", "q0", "q1", "q2", "q3", "q4"]
    few = figures(View.open(store, "latest"), most=1).samples
    assert {reason for sample in few for reason in sample.row["reasons"]} == {"refusal", "truncation"}
    assert [one.row for one in read(store).samples] == [one.row for one in some]


def test_a_duplicate_stands_beside_what_was_kept_instead(store: Store) -> None:
    judged = unit("instructions", "law", "courts.000000-000010")
    rows = [instruction("again", judged, kept=False, reasons=["duplicate"], duplicate_of="q3", question="3 once more")]
    publish(store, commit(store, judged, rows))
    [sample] = [one for one in figures(View.open(store, "latest"), most=1).samples if one.row["duplicate_of"]]
    assert sample.instead and sample.instead["question"] == f"3 {HOSTILE}"


def test_what_a_check_speaks_against_is_counted_and_shown_with_its_samples(store: Store) -> None:
    judged = unit("instructions", "economics", "checked.000000-000003")
    disagree, fails = ["answers_disagree"], ["code_fails"]
    rows = [
        instruction("flagged", judged, flags=disagree),
        instruction("both", judged, flags=disagree + fails, kept=False, reasons=["refusal"]),
        instruction("unknown", judged, flags=None),
    ]
    publish(store, commit(store, judged, rows))
    found = read(store)
    assert found.coverage.flags == {
        ("answers_disagree", True): 1,
        ("answers_disagree", False): 1,
        ("code_fails", False): 1,
    }
    cells = re.findall(r"<bdi>([^<]*)</bdi></td>", page(found, NOON))
    assert cells[cells.index("answers_disagree") :][:6] == ["answers_disagree", "2", "1", "code_fails", "1", "0"]
    assert {tuple(one["flags"]) for one in data_of(store)["samples"]} == {(), tuple(disagree), tuple(disagree + fails)}


def test_each_sample_leads_back_to_sessions_and_concepts(store: Store) -> None:
    data = data_of(store)
    kept = next(sample for sample in data["samples"] if sample["kept"])
    assert kept["path"] == ["Social sciences", "", "Economics", "Basics"] and kept["concepts"] == ["scarcity", "choice"]
    assert data["syllabi"][kept["syllabus"]]["sessions"][kept["sessions"][0]][0] == HOSTILE


def test_depth_variety_and_lengths_of_kept_rows_are_shown(store: Store) -> None:
    found = read(store).instructions.texts
    assert [(path.discipline, one.rows) for path, one in found.nodes.items() if path.subject] == [("Economics", 5)]
    assert found.diversity.questions == 5
    longest = len(f"0 {HOSTILE}")
    assert set(found.lengths["question"]) == {longest}
    assert sum(found.bars["question"].counts) == 5
    text = " ".join(Page(page(read(store), NOON)).text.split())
    assert "self-BLEU-4" in text
    assert f"question{longest}" in text.replace(" ", "")


def test_a_store_without_rows_has_a_page_too(tmp_path: Path) -> None:
    text = Page(page(read(new_store(str(tmp_path))), datetime.datetime.now(datetime.UTC))).text
    assert "0 instructions kept of 0 planned; 0 of 3 disciplines begun" in text
    assert data_of(new_store(str(tmp_path / "other")))["samples"] == []


def places(disciplines: int, sub_fields: int = 1, names: str = "Discipline") -> Coverage:
    cover = Cover(kept=3, rejected=1, quarantined=0, planned=5)
    return Coverage(
        tuple(
            Place("Field", f"Sub-field {number % sub_fields}", f"{names} {number}", cover)
            for number in sorted(range(disciplines), key=lambda number: number % sub_fields)
        )
    )


def bars_end(svg: str) -> float:
    return max(float(x) + float(width) for x, width in re.findall(r"M([\d.]+) \d+h([\d.]+)", svg))


@pytest.mark.parametrize("disciplines", [1, 25, 197])
def test_each_discipline_has_a_line_in_the_picture(disciplines: int) -> None:
    svg = picture(places(disciplines, sub_fields=max(1, disciplines // 5)))
    root = ElementTree.fromstring(svg)
    texts = [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]
    assert texts.count("3 of 5") == disciplines
    assert bars_end(svg) < float(root.attrib["width"])
    assert len(svg) < 50_000


def test_a_picture_of_thousands_sums_up_and_says_so() -> None:
    svg = picture(places(5_000, sub_fields=100))
    assert svg.count("150 of 250") == 100
    assert "summed up" in svg
    many = picture(places(3 * MOST_LINES, sub_fields=3 * MOST_LINES))
    assert "3,600 of 6,000" in many and len(many) < 5_000


def test_fields_that_have_not_begun_are_a_line_each(store: Store) -> None:
    svg = picture(coverage(View.open(store, "latest")))
    assert "Natural sciences: 1 not begun" in svg
    assert "5 of 10" in svg


@pytest.mark.parametrize("name", ["<b>&\"'", "\u202eback", "not\x00XML\x0b", "物理学" * 30, "long " * 50])
def test_any_name_leaves_the_picture_whole(name: str) -> None:
    covered = places(3, names=name)
    ElementTree.fromstring(picture(covered))
    for svg in fields(covered):
        ElementTree.fromstring(svg)


def test_whoever_has_no_more_time_can_stop_the_reading(store: Store) -> None:
    def no_time() -> None:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        figures(View.open(store, "latest"), go_on=no_time)


def test_the_report_of_a_run_is_no_run(store: Store) -> None:
    runs.keep(store.files, RunRecord(run_id="one", started_at=NOON, config="c"))
    assert runs.keep_report(store.files, "one", "<p>first</p>") == "_runs/one.html"
    runs.keep_report(store.files, "one", "<p>second</p>")
    assert store.files.read("_runs/one.html") == b"<p>first</p>"
    last: Any = runs.last(store.files)
    assert last.run_id == "one"
