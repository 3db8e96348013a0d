"""What a data card says of language and benchmarks: that of the very settings that the rows in it were judged by."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from bare_runs import bare_run
from flow_world import World, config
from model_faults import Faults
from model_server import ModelServer
from terminal_world import typed

from glan.units import Scope

TABLE = "| benchmark | rows compared | rows that hold an item |"


@pytest.fixture
def bare(server: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """An empty store for runs without Prefect."""
    monkeypatch.chdir(tmp_path)
    return World(server, str(tmp_path / "store"), monkeypatch)


def exam(name: str, *questions: str) -> dict[str, str]:
    """A benchmark of these items."""
    Path(f"{name}.jsonl").write_text("".join(json.dumps({"question": text}) + "\n" for text in questions))
    return {"name": name, "path": f"{name}.jsonl"}


def card(world: World, *options: str) -> tuple[dict[str, Any], list[str]]:
    """The front matter and the lines of the card of a release."""
    said = typed("publish", "first", "--test", "0", *options)
    assert said.code == 0, said.stderr
    _, header, body = world.store.files.read("releases/first/README.md").decode().split("---\n", 2)
    return yaml.safe_load(header), body.replace("\\", "").splitlines()


def benchmarks(lines: list[str]) -> list[str]:
    """The rows of its table of benchmarks."""
    first = lines.index(TABLE) + 2
    return lines[first : lines.index("", first)]


def test_every_benchmark_that_was_looked_for_is_named_with_what_was_found(bare: World) -> None:
    bare_run(config())
    questions = bare.load("instructions")["question"]
    hit = max(questions, key=lambda text: len(text.split()))
    none = exam("other-exam", "Which planet is the largest of them all, and how was its mass first measured?")
    bare_run(config(curation={"benchmarks": [exam("exam", hit), none]}), Scope(stage="instructions"))
    _, lines = card(bare)
    assert benchmarks(lines) == [f"| exam | {len(questions)} | 1 |", f"| other-exam | {len(questions)} | 0 |"]


def test_the_language_is_that_of_the_rows_of_the_release(bare: World) -> None:
    certain = {"language": "de", "min_language_certainty": 1.0}  # so that texts in English stay
    bare_run(config(disciplines=["physics"]))
    bare_run(config(disciplines=["economics"], curation=certain))
    both, lines = card(bare)
    assert sorted(both["language"]) == ["de", "en"]
    assert TABLE not in lines


def test_any_language_is_none_on_the_card(bare: World) -> None:
    bare_run(config(curation={"language": None}))
    header, _ = card(bare)
    assert "language" not in header


def test_what_rows_were_judged_by_is_known_after_retries_judgements_and_compaction(bare: World) -> None:
    bare.server.faults = Faults(when=lambda payload, nth: "refusal" if bare.server.count % 7 == 6 else None)
    wanted = config(
        judging={"rubric": True},
        models={role: {"attempts": 1} for role in ("answer", "question", "judge")},
        curation={"benchmarks": [exam("exam", "Which planet is the largest of them all, and how was it weighed?")]},
    )
    bare_run(wanted)
    assert len(bare.load("quarantine"))
    bare.server.faults = Faults()
    bare_run(wanted, Scope(mode="retry"))
    bare_run(config(disciplines=["economics"], curation={"language": None}))
    assert typed("compact").code == 0
    header, lines = card(bare, "--discipline", "physics")
    rows = len(bare.load("instructions", disciplines=["physics"]))
    assert (header["language"], benchmarks(lines)) == (["en"], [f"| exam | {rows} | 0 |"])
