"""Each command of `glan`: what it says, the one document of `--json`, its exit code, and what it leaves alone."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from model_batches import BatchFaults
from model_faults import Faults
from model_server import ModelServer
from prefect.settings import PREFECT_API_URL
from prefect_homes import prefect_home
from stage_world import UNJUDGED
from terminal_world import Said, clean_environment, listing, typed

import glan
from glan import taxonomy
from glan.models import Models

GLAN = Path(sys.executable).with_name("glan")
RUN_FILE = """
disciplines = ["physics"]
subjects = 2
questions = 3
lists = 2
min_sessions = 4
max_sessions = 6
"""


@dataclass(frozen=True)
class Place:
    """A working folder with a RUN.toml, a store and a model server."""

    folder: Path
    server: ModelServer
    environment: dict[str, str]

    def glan(self, *arguments: str, **environment: str) -> Said:
        """Run the program itself, as a process of its own, its output piped."""
        done = subprocess.run(
            [GLAN, *arguments],
            cwd=self.folder,
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            timeout=150,
        )
        return Said(done.returncode, done.stdout, done.stderr)


def place_in(folder: Path, server: ModelServer) -> Place:
    (folder / "RUN.toml").write_text(RUN_FILE)
    environment = clean_environment(
        os.environ,
        OPENAI_BASE_URL=server.base_url,
        OPENAI_API_KEY="sk-test",
        GLAN_MODEL="teacher",
        GLAN_STORE="store",
        GLAN_FLUSH_SECONDS="0.1",
        PREFECT_HOME=str(prefect_home(folder.parent / f"{folder.name}-prefect")),
    )
    return Place(folder, server, environment)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Place, Said]]:
    """A place where `glan run RUN.toml --json` has run once, and what it said."""
    with ModelServer(seed=1) as server:
        place = place_in(tmp_path_factory.mktemp("ran"), server)
        yield place, place.glan("run", "RUN.toml", "--json")


@pytest.fixture
def made(ran: tuple[Place, Said], monkeypatch: pytest.MonkeyPatch) -> Place:
    """The same place, entered."""
    return entered(ran[0], monkeypatch)


@pytest.fixture
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """A place where nothing has run yet, entered."""
    (tmp_path / "work").mkdir()
    with ModelServer(seed=1) as server:
        yield entered(place_in(tmp_path / "work", server), monkeypatch)


def entered(place: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.chdir(place.folder)
    for name in set(os.environ) - set(place.environment):
        monkeypatch.delenv(name)
    for name, value in place.environment.items():
        monkeypatch.setenv(name, value)
    return place


def document(said: Said) -> Any:
    """The one JSON document on standard output."""
    assert said.stderr == ""
    assert said.stdout.endswith("\n")
    return json.loads(said.stdout)


def test_a_run_as_json_is_one_document_with_what_was_made(ran: tuple[Place, Said]) -> None:
    place, said = ran
    assert said.code == 0, said.stderr
    report = document(said)
    assert report["state"] == "Completed"
    assert [stage["stage"] for stage in report["stages"]] == list(UNJUDGED)
    rows = {stage["stage"]: stage["rows"] for stage in report["stages"]}
    assert (rows["syllabi"], rows["questions"], rows["answers"], rows["instructions"]) == (2, 6, 6, 6)
    assert report["kept"] + report["rejected"] == 6
    assert report["store"] == str(place.folder / "store")
    made_by = glan.load("calls", store=report["store"], columns=["run_id"])["run_id"]
    assert sum(stage["calls"] for stage in report["stages"]) == (made_by == report["run_id"]).sum() > 0


def test_a_second_run_asks_nothing_and_says_so_in_plain_text(made: Place) -> None:
    before = made.server.count
    said = made.glan("run", "RUN.toml")
    assert said.code == 0, said.stderr
    assert made.server.count == before
    assert "Everything is up to date: no call was made." in said.stdout
    assert "\x1b" not in said.stdout + said.stderr and "\r" not in said.stdout + said.stderr
    assert said.stderr == ""


def test_a_run_with_rows_in_quarantine_ends_with_code_1(fresh: Place, prefect_server: None) -> None:
    with ModelServer(seed=1, faults=Faults(when=refusal_of_one_answer())) as server:
        there = {"OPENAI_BASE_URL": server.base_url, "PREFECT_API_URL": str(PREFECT_API_URL.value())}
        said = fresh.glan("run", "RUN.toml", **there)
    assert said.code == 1
    assert "PartiallyCompleted" in said.stderr
    assert "Traceback" not in said.stderr and "\x1b" not in said.stdout + said.stderr
    shown = document(typed("status", "--json"))
    assert {record["stage"]: record["quarantined"] for record in shown}["answers"] == 1
    assert "!1" in typed("status").stdout
    for command in ("list", "retry"):
        misspelt = typed("quarantine", command, "--kind", "refusd")
        assert (misspelt.code, misspelt.stdout) == (2, "")
        assert "did you mean `refused`?" in misspelt.stderr


def refusal_of_one_answer() -> Callable[[dict[str, Any], int], str | None]:
    """The first question to arrive for an answer is refused each time it is asked."""
    arrived: list[str] = []

    def when(payload: dict[str, Any], nth: int) -> str | None:
        if payload["temperature"] != Models().answer.temperature:
            return None
        arrived.append(payload["messages"][-1]["content"])
        return "refusal" if arrived[-1].startswith(arrived[0]) else None

    return when


def test_a_spent_budget_ends_the_run_with_code_1_and_one_sentence(fresh: Place, prefect_server: None) -> None:
    with ModelServer(seed=1) as server:
        there = {"OPENAI_BASE_URL": server.base_url, "PREFECT_API_URL": str(PREFECT_API_URL.value())}
        said = fresh.glan("run", "RUN.toml", "--json", "--budget-calls", "9", **there)
        assert server.count == 9
    assert said.code == 1
    assert said.stderr.startswith("glan: the budget is spent: 9 of 9 calls; ") and said.stderr.count("\n") == 1
    assert json.loads(said.stdout)["state"] == "BudgetSpent"


def test_a_cap_on_the_command_line_leaves_the_others_of_the_run_file(fresh: Place, prefect_server: None) -> None:
    before = fresh.server.count
    (fresh.folder / "RUN.toml").write_text(f"{RUN_FILE}[budget]\ntokens = 10\ncalls = 5\n")
    said = fresh.glan("run", "RUN.toml", "--budget-calls", "1000", PREFECT_API_URL=str(PREFECT_API_URL.value()))
    assert said.code == 1
    assert "0 of 10 tokens" in said.stderr and "Traceback" not in said.stderr
    assert "Everything is up to date" not in said.stdout
    assert fresh.server.count == before


def test_a_refused_key_ends_the_run_with_code_1_and_one_sentence(fresh: Place, prefect_server: None) -> None:
    with ModelServer(seed=1, api_key="sk-another") as server:
        there = {"OPENAI_BASE_URL": server.base_url, "PREFECT_API_URL": str(PREFECT_API_URL.value())}
        said = fresh.glan("run", "RUN.toml", "--json", **there)
    assert said.code == 1
    sentences = [line for line in said.stderr.splitlines() if line.startswith("glan: ")]
    assert len(sentences) == 1 and "401" in sentences[0]
    assert "Traceback" not in said.stderr and "sk-test" not in said.stdout + said.stderr


def test_ctrl_c_ends_the_run_with_one_sentence(fresh: Place) -> None:
    with ModelServer(seed=1, latency=0.5) as server:
        environment = {**fresh.environment, "OPENAI_BASE_URL": server.base_url}
        command = [str(GLAN), "run", "RUN.toml"]
        streams: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        with subprocess.Popen(command, cwd=fresh.folder, env=environment, start_new_session=True, **streams) as run:
            server.wait_for_calls(3, timeout=90)
            os.killpg(run.pid, signal.SIGINT)  # as a terminal does: to every process of the command
            stdout, stderr = run.communicate(timeout=60)
        assert run.returncode == 1
        assert stdout == ""
        assert [
            line for line in stderr.splitlines() if not line.endswith("data goes to " + str(fresh.folder / "store"))
        ] == ["glan: stopped; what is committed stays, and the same command goes on from there"]


@pytest.mark.parametrize("command", [["plan", "RUN.toml"], ["run", "RUN.toml", "--dry-run"]])
def test_looking_ahead_makes_no_call_and_writes_nothing(command: list[str], fresh: Place) -> None:
    before, asked = listing(fresh.folder.parent), fresh.server.count
    planned = document(typed(*command, "--json"))
    said = typed(*command)
    assert said.code == 0 and "What would run" in said.stdout
    assert [line["stage"] for line in planned] == [*UNJUDGED]
    by_stage = {line["stage"]: line for line in planned}
    assert by_stage["answers"]["calls"] == by_stage["answers"]["calls_at_most"] == 6
    assert by_stage["answers"]["cost_usd"] is None
    assert listing(fresh.folder.parent) == before and "work/store" not in before
    assert fresh.server.count == asked


def test_a_plan_of_what_is_made_is_empty(made: Place) -> None:
    before = listing(made.folder)
    assert sum(line["calls_at_most"] for line in document(typed("plan", "RUN.toml", "--json"))) == 0
    assert "no call would be made" in typed("plan", "RUN.toml").stdout
    assert listing(made.folder) == before


def test_further_work_by_a_run_file_is_on_the_disciplines_it_names(made: Place) -> None:
    def calls(*named: str) -> int:
        return sum(int(line["calls_at_most"]) for line in document(typed("backfill", *named, "--dry-run", "--json")))

    assert calls("RUN.toml") == 0
    assert calls("RUN.toml", "--discipline", "law") > 0
    assert calls() > 0


def test_a_plan_names_its_price_where_prices_are_known(made: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    (made.folder / "prices.toml").write_text("[teacher]\ninput = 2.0\noutput = 8.0\n")
    monkeypatch.setenv("GLAN_PRICES", "prices.toml")
    by_stage = {one["stage"]: one for one in document(typed("plan", "RUN.toml", "--questions", "5", "--json"))}
    assert by_stage["answers"]["cost_usd"] > 0
    assert by_stage["subjects"]["cost_usd"] == 0


def test_a_plan_by_batches_costs_what_batches_cost(made: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    (made.folder / "prices.toml").write_text("[teacher]\ninput = 2.0\noutput = 8.0\nbatch = 0.5\n")
    monkeypatch.setenv("GLAN_PRICES", "prices.toml")
    monkeypatch.setenv("GLAN_MODE", "realtime")
    line = ("plan", "RUN.toml", "--questions", "5", "--json")
    costs = [{one["stage"]: one["cost_usd"] for one in document(typed(*line, *more))} for more in ([], ["--batch"])]
    assert costs[0]["answers"] > 0
    assert costs[1]["answers"] == pytest.approx(costs[0]["answers"] / 2)


@pytest.mark.parametrize("words", [(), ("taxonomy",), ("quarantine",)], ids=str)
def test_a_command_that_is_missing_is_answered_by_the_help(words: tuple[str, ...]) -> None:
    said = typed(*words)
    assert (said.code, said.stdout) == (2, "")
    assert said.stderr.startswith(f"Usage: {' '.join(('glan', *words))}") and "\n\nCommands:\n" in said.stderr


def test_status_has_a_record_for_each_discipline_and_stage(made: Place) -> None:
    records = document(typed("status", "--json"))
    assert [(record["discipline_id"], record["stage"]) for record in records] == [("physics", one) for one in UNJUDGED]
    assert {record["stage"]: record["done"] for record in records} == dict(zip(UNJUDGED, (1, 2, 2, 2, 2), strict=True))
    assert not any(record["stale"] or record["missing"] or record["waiting"] for record in records)


def test_status_for_people_is_a_line_for_each_discipline(made: Place) -> None:
    said = typed("status", "--discipline", "physics", "--discipline", "economics")
    [line] = [line for line in said.stdout.splitlines() if line.startswith("physics")]
    assert line.split() == ["physics", "1/1", "2/2", "2/2", "2/2", "2/2", "6", "rows"]
    assert "1 discipline not begun." in said.stdout
    assert "of the last run" not in said.stdout and "Of the disciplines of the last run" in typed("status").stdout
    assert "\x1b" not in said.stdout


def test_status_shows_a_changed_setting_as_stale(made: Place) -> None:
    (made.folder / "OTHER.toml").write_text(RUN_FILE.replace("lists = 2", "lists = 3"))
    said = typed("status", "OTHER.toml")
    assert "~1" in said.stdout and "~ made with other inputs, prompts or models" in said.stdout


def test_doctor_finds_a_sound_store_and_a_model_that_answers(fresh: Place) -> None:
    findings = document(typed("doctor", "RUN.toml", "--json"))
    assert [finding["fine"] for finding in findings] == [True, True]
    assert "yes" in typed("doctor").stdout


def test_doctor_says_which_model_does_not_answer(fresh: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    with ModelServer(api_key="sk-another") as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        said = typed("doctor", "--json")
    assert said.code == 1
    assert [finding["fine"] for finding in json.loads(said.stdout)] == [True, False]
    assert said.stderr == "glan: something is wrong; see above\n"


def test_the_key_of_a_profile_may_stand_in_the_env_file(fresh: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEACHER_KEY", "")  # given back at the end, whatever the command sets
    monkeypatch.delenv("TEACHER_KEY")
    (fresh.folder / ".env").write_text("TEACHER_KEY=sk-teacher\n")
    with ModelServer(api_key="sk-teacher") as server:
        own = f'model = "teacher"\nbase_url = "{server.base_url}"\napi_key_env = "TEACHER_KEY"\n'
        roles = ("subject", "syllabus", "question", "answer")
        (fresh.folder / "OWN.toml").write_text("".join(f"[models.{role}]\n{own}" for role in roles))
        said = typed("doctor", "OWN.toml", "--json")
        assert said.code == 0
        assert {call.headers["authorization"] for call in server.calls} == {"matched"}
    assert "sk-teacher" not in said.stdout + said.stderr


def test_files_are_the_objects_that_hold_the_rows(made: Place) -> None:
    paths = document(typed("files", "answers", "--json"))
    assert sum(pq.read_metadata(path).num_rows for path in paths) == 6
    assert typed("files", "answers").stdout.splitlines() == paths
    assert document(typed("files", "answers", "--discipline", "economics", "--json")) == []


def test_a_release_is_written_once_and_never_changes(made: Place) -> None:
    manifest = document(typed("publish", "2026.1", "--json"))
    folder = made.folder / "store/v1/releases/2026.1"
    rows = [json.loads(line) for line in (folder / "data/train-00000.jsonl").read_text().splitlines()]
    assert len(rows) == manifest["rows"] == pq.read_metadata(folder / "data/train-00000.parquet").num_rows
    before = listing(made.folder)
    said = typed("publish", "2026.1")
    assert said.code == 0 and "Release 2026.1" in said.stdout
    assert listing(made.folder) == before


def test_a_release_in_one_format_has_only_that(made: Place) -> None:
    manifest = document(typed("publish", "2026.2", "--format", "jsonl", "--discipline", "physics", "--json"))
    plots = ["plots/rows.png", "plots/lengths.png"]
    assert [one["path"] for one in manifest["files"]] == ["data/train-00000.jsonl", "coverage.csv", *plots, "README.md"]


def test_a_release_says_how_many_rows_it_leaves_out_for_those_held_out(made: Place) -> None:
    said = typed("publish", "2026.3", "--discipline", "physics", "--test", "2", "--apart", "subject")
    left_out = json.loads((made.folder / "store/v1/releases/2026.3/manifest.json").read_text())["left_out"]
    assert left_out and f"{left_out} kept row" in said.stdout


def test_the_taxonomy_shown_is_the_one_that_runs_read(fresh: Place) -> None:
    rows = document(typed("taxonomy", "show", "--json"))
    assert len(rows) == len(taxonomy.shipped())
    said = typed("taxonomy", "show")
    text = said.stdout[: said.stdout.index("The shipped taxonomy")]
    assert [one.discipline for one in taxonomy.read(text)] == [row["discipline"] for row in rows]
    assert not (fresh.folder / "store").exists()


def test_a_file_is_checked_without_a_store(fresh: Place) -> None:
    (fresh.folder / "tree.yaml").write_text("Occult:\n  - Runes\n  - Tarot\n")
    assert document(typed("taxonomy", "validate", "tree.yaml", "--json"))["disciplines"] == 2
    assert "1 field, 0 sub-fields, 2 disciplines." in typed("taxonomy", "validate", "tree.yaml").stdout
    assert not (fresh.folder / "store").exists()


def test_the_taxonomy_grows_by_a_version_for_each_change(fresh: Place) -> None:
    shipped = len(taxonomy.shipped())
    add = ("taxonomy", "add", "Runes", "--field", "Occult", "--json")
    assert document(typed(*add)) == {**document(typed(*add)), "version": 2, "disciplines": shipped + 1}
    (fresh.folder / "tree.yaml").write_text("Occult:\n  - Runes\n  - Tarot\n")
    assert document(typed("taxonomy", "import", "tree.yaml", "--json"))["disciplines"] == shipped + 2
    replaced = document(typed("taxonomy", "import", "tree.yaml", "--replace", "--json"))
    assert (replaced["version"], replaced["disciplines"]) == (4, 2)
    assert "1 field, 0 sub-fields, 2 disciplines" in typed("taxonomy", "show").stdout
    assert len(document(typed("taxonomy", "show", "--version", "1", "--json"))) == shipped


def test_a_tree_of_ones_own_is_planned_without_being_published(fresh: Place) -> None:
    (fresh.folder / "tree.yaml").write_text("Occult:\n  - Runes\n")
    planned = document(typed("plan", "--taxonomy", "tree.yaml", "--lists", "3", "--json"))
    assert planned[0] == {**planned[0], "stage": "subjects", "units": 1, "calls": 6}
    assert not (fresh.folder / "store").exists()


@pytest.mark.parametrize("more", [(), ("--pilot", "2")], ids=str)
def test_a_tree_of_ones_own_is_published_only_where_a_run_can_begin(
    more: tuple[str, ...], fresh: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    (fresh.folder / "tree.yaml").write_text("Occult:\n  - Runes\n")
    monkeypatch.setenv("GLAN_MODE", "batch")
    fresh.server.batches.faults = BatchFaults(no_api=True)
    said = typed("run", "--taxonomy", "tree.yaml", "--json", *more)
    assert said.code == 2 and "has no Batch API" in said.stderr, said
    assert not (fresh.folder / "store").exists()


def test_report_writes_one_page_that_says_what_there_is(made: Place) -> None:
    said = typed("report", "--out", "page.html", "--json")
    assert said.code == 0, said.stderr
    told = json.loads(said.stdout)
    assert told["report"] == "page.html" and told["kept"] + told["rejected"] == 6
    text = (made.folder / "page.html").read_text(encoding="utf-8")
    assert "Physics" in text and "src=" not in text and 'href="http' not in text
    assert "instructions kept" in typed("report", "--out", "page.html").stdout


def test_status_says_what_everything_cost(made: Place) -> None:
    lines = json.loads(typed("status", "--costs", "--json").stdout)
    assert {line["stage"] for line in lines} == {"subjects", "syllabi", "questions", "answers"}
    assert {line["discipline_id"] for line in lines} == {"physics"} and all(line["calls"] for line in lines)
    said = typed("status", "--costs")
    assert said.code == 0 and "in all" in said.stdout
    assert typed("status", "--costs", "--discipline", "nothing").code == 2


def test_a_report_that_cannot_be_written_is_one_sentence(made: Place) -> None:
    said = typed("report", "--out", "no/such/folder/page.html")
    assert said.code == 2 and "--out" in said.stderr
    said = typed("report", "--out", ".")
    assert said.code == 2 and "--out" in said.stderr
