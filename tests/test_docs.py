"""The documentation names every setting, column and command, and nothing that does not exist."""

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pages import DOCS, PAGES, ROOT, commands, sections, table
from pydantic import BaseModel

from glan.benchmark import Benchmark
from glan.config import Budget, Curation, RunConfig
from glan.gateway.prices import Prices
from glan.judging import Checking, Judging
from glan.models import ModelProfile, Models
from glan.question_mix import Difficulties, QuestionTypes
from glan.records import SCHEMAS
from glan.settings import Settings

NOT_COLUMNS = ("How to read a store", "Every table", "Written by a model")


def shown_default(cell: str) -> Any:
    """The value of the first code of a cell: `1.0` (answers: `0.7`) -> 1.0."""
    return json.loads(cell.split("`")[1])


def defaults(model: type[BaseModel]) -> dict[str, Any]:
    return {name: field.get_default(call_default_factory=True) for name, field in model.model_fields.items()}


@pytest.mark.parametrize(
    ("heading", "model", "column"),
    [
        ("RUN.toml", RunConfig, 0),
        ("Profiles", ModelProfile, 0),
        ("Question types", QuestionTypes, 0),
        ("Difficulties", Difficulties, 0),
        ("Judging", Judging, 0),
        ("Checking", Checking, 0),
        ("Curation", Curation, 0),
        ("Benchmarks", Benchmark, 0),
        ("Budget", Budget, 0),
        ("Environment", Settings, 1),
    ],
)
def test_every_setting_stands_in_the_settings_page_with_its_default(
    heading: str, model: type[BaseModel], column: int
) -> None:
    documented = table(sections(DOCS / "settings.md")[heading])
    assert documented.keys() == model.model_fields.keys()
    real = {name: value for name, value in defaults(model).items() if not model.model_fields[name].is_required()}
    told = {
        name: cells[column]
        for name, cells in documented.items()
        if not isinstance(real.get(name, model), BaseModel | type)
    }
    assert {name: shown_default(cell) for name, cell in told.items()} == {name: real[name] for name in told}


def test_a_role_differs_from_the_other_profiles_only_as_documented() -> None:
    usual = ModelProfile()
    differing = {
        (role, name): value
        for role in Models.model_fields
        for name, value in getattr(Models(), role)
        if value != getattr(usual, name)
    }
    assert differing == {("answer", "temperature"): 0.7, ("judge", "temperature"): 0.0}


def test_every_variable_is_that_of_its_field() -> None:
    for name, (variable, *_) in table(sections(DOCS / "settings.md")["Environment"]).items():
        assert variable.strip("`") == (name.upper() if name.startswith("openai") else f"GLAN_{name.upper()}")


def test_the_examples_of_settings_can_be_used(tmp_path: Path) -> None:
    text = (DOCS / "settings.md").read_text(encoding="utf-8")
    run, kinds, judge, check, meaning, exams, machine, prices = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    assert RunConfig.checked(tomllib.loads(run), "settings.md").models.answer.api_key_env == "VLLM_API_KEY"
    asked = RunConfig.checked(tomllib.loads(kinds), "settings.md")
    assert asked.question_types.given.keys() | asked.difficulties.given.keys() == {
        *QuestionTypes.model_fields,
        *Difficulties.model_fields,
    }
    assert RunConfig.checked(tomllib.loads(judge), "settings.md").judging.rubric
    assert RunConfig.checked(tomllib.loads(check), "settings.md").checking == Checking(math=True, code=True)
    assert (
        RunConfig.checked(tomllib.loads(meaning), "settings.md").curation.embedding_model == "minishlab/potion-base-8M"
    )
    assert [one.label for one in RunConfig.checked(tomllib.loads(exams), "").curation.benchmarks] == [
        "gsm8k",
        "our-exam",
    ]
    assert tomllib.loads(machine).keys() <= Settings.model_fields.keys()
    (tmp_path / "prices.toml").write_text(prices)
    assert Prices.load(tmp_path / "prices.toml").cost("gpt-4.1", 1_000_000, 0, 0) == 2.0
    [readme] = re.findall(r"```toml\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    RunConfig.checked(tomllib.loads(readme), "README.md")


def test_every_column_stands_in_the_tables_page() -> None:
    found = sections(DOCS / "tables.md")
    documented = {}
    for name, text in found.items():
        if name in SCHEMAS:
            shared = [also for also in NOT_COLUMNS if f"[{also.lower()}]" in text]
            documented[name] = {*table(text), *(column for also in shared for column in table(found[also]))}
    assert documented == {name: set(schema.names) for name, schema in SCHEMAS.items()}


def typed_in(page: Path) -> Iterator[str]:
    """What a page tells to type: code that begins with `glan` or the path of the program."""
    text = page.read_text(encoding="utf-8")
    fenced = re.findall(r"^```(\w*)\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    codes = re.findall(r"`([^`\n]+)`", text) + [
        line for language, block in fenced if not language for line in block.splitlines()
    ]
    for code in codes:
        if match := re.match(r"(?:\.venv/bin/)?(glan [a-z].*)", code):
            yield match[1].partition("#")[0].strip()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_tells_to_type_exists(page: Path) -> None:
    known = commands()
    for line in typed_in(page):
        words = [word.rstrip(",") for word in line.split()]
        command = next((path for length in (3, 2) if (path := " ".join(words[:length])) in known), None)
        assert command, f"{page.name}: `{line}` is no command"
        assert {word for word in words if word.startswith("--")} <= known[command], f"{page.name}: `{line}`"


def test_every_command_is_documented() -> None:
    told = [line for page in PAGES for line in typed_in(page)]
    assert [command for command in commands() if not any(f"{line} ".startswith(f"{command} ") for line in told)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_links_to_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)]+)\)", text):
        if not target.startswith(("http://", "https://", "#")):
            assert (page.parent / target.partition("#")[0]).exists(), f"{page.name}: {target}"
    for path in re.findall(r"`((?:docs|glan|tasks|flows|prompts|tests|bench|deployments)/[\w./-]+)`", text):
        assert (ROOT / path).exists(), f"{page.name}: {path}"


def test_the_pages_make_a_site(tmp_path: Path) -> None:
    """Strict: every page is in the navigation, every link and anchor leads somewhere."""
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", tmp_path],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stderr
    assert built.stderr == ""
    for page in DOCS.glob("*.md"):
        html = (tmp_path / page.with_suffix(".html").name).read_text(encoding="utf-8")
        assert 'src="http' not in html and not re.search(r'<link[^>]+href="https?://', html), page.name
