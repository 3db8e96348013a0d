"""What the pages list in tables is what there is: options, forms, columns, codes, names. Both ways round."""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, get_args

import pyarrow as pa
import pytest
import typer
import yaml
from pages import DOCS, ROOT, commands, sections
from pydantic import BaseModel

from deployments import automations
from flows import parameters
from flows.cli import app
from glan.benchmark import Benchmark
from glan.care import findings
from glan.config import Budget, Curation, RunConfig, Selection
from glan.curation import contamination, scores, turns, typed_answers, verdicts
from glan.curation.rules import RULES
from glan.gateway.trouble import NOT_JSON
from glan.models import ModelProfile
from glan.question_mix import Difficulties, QuestionTypes
from glan.records import SCHEMAS
from glan.release import card, chat
from glan.release.releases import ReleaseOptions
from glan.release.requirements import Requirements
from glan.settings import Settings

BOUNDS = {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "maxLength", "maxItems"}
ROOMS = ("glan", "tasks", "flows", "deployments")


def codes(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


def lines(page: Path, heading: str) -> list[list[str]]:
    """The cells of a section's table, line by line, without its head; codes may hold no `|`."""
    found = [line for line in sections(page)[heading].splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in found[2:]]


def sources() -> Iterable[str]:
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            yield path.read_text(encoding="utf-8")


LIMITED: list[tuple[str, type[BaseModel]]] = [
    ("RUN.toml", RunConfig),
    ("Profiles", ModelProfile),
    ("Question types", QuestionTypes),
    ("Difficulties", Difficulties),
    ("Curation", Curation),
    ("Benchmarks", Benchmark),
    ("Budget", Budget),
]


@pytest.mark.parametrize(("heading", "model"), LIMITED)
def test_every_setting_is_listed_with_its_limits(heading: str, model: type[BaseModel]) -> None:
    schema = model.model_json_schema()["properties"]
    for name, _, limits, *_ in lines(DOCS / "settings.md", heading):
        kinds = [schema[name.strip("`")], *schema[name.strip("`")].get("anyOf", [])]
        bounds = {kind[bound] for kind in kinds for bound in BOUNDS & kind.keys()}
        told = re.sub("`[^`]*`|ISO 639", "", limits).replace(",", "").replace("2³¹−1", str(2**31))
        assert {*map(float, re.findall(r"\b\d+(?:\.\d+)?\b", told))} == bounds, name


def test_every_option_of_every_command_is_listed() -> None:
    listed: dict[str, set[str]] = {name: {"--help"} for name in commands()}
    for options, of, _ in lines(DOCS / "commands.md", "Options that several commands have"):
        for name in codes(of):
            listed[f"glan {name}"] |= {*codes(options)}
    last = ""
    for name, options, _ in lines(DOCS / "commands.md", "Options of one command"):
        last = "".join(codes(name)) or last
        listed[f"glan {last}"] |= {*codes(options)}
    assert listed == {name: {one for one in options if one.startswith("--")} for name, options in commands().items()}


def test_every_command_says_what_it_writes_and_asks() -> None:
    told = [code for command, *_ in lines(DOCS / "commands.md", "Commands") for code in codes(command)]
    assert sorted(" ".join(word for word in one.split() if re.fullmatch("[a-z]+", word)) for one in told) == sorted(
        commands()
    )


def test_the_commands_without_json_are_named() -> None:
    [told] = re.findall(r"\(all commands but ([^)]+)\)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert {f"glan {name}" for name in codes(told)} == {
        name for name, options in commands().items() if "--json" not in options
    }


def test_the_commands_that_take_a_run_file_are_named() -> None:
    def takes(command: Any, path: str) -> set[str]:
        if hasattr(command, "commands"):
            below = (takes(one, f"{path} {name}") for name, one in command.commands.items())
            return set().union(*below)
        return {path.strip()} if any(parameter.name == "run_file" for parameter in command.params) else set()

    named, *_ = re.split(r"\stake\s", sections(DOCS / "commands.md")["Commands"].strip().split("\n\n")[-1])
    assert {*codes(named)} == takes(typer.main.get_command(app), "")


@pytest.mark.parametrize(
    ("heading", "form"),
    [
        ("expand-nightly", parameters.ExpandConfig),
        ("backfill", parameters.BackfillConfig),
        ("retry-quarantine", parameters.RetryConfig),
        ("fan-out", parameters.FanOutConfig),
        ("curate", parameters.CurateConfig),
        ("publish", parameters.PublishConfig),
        ("Options of publish", ReleaseOptions),
        ("review-taxonomy", parameters.ReviewConfig),
    ],
)
def test_every_field_of_a_form_is_listed_with_its_default(heading: str, form: type[BaseModel]) -> None:
    fields = {
        name: field
        for name, field in form.model_fields.items()
        if not (issubclass(form, Selection) and name in Selection.model_fields)
    }
    listed = {name: cell for names, cell, _ in lines(DOCS / "commands.md", heading) for name in codes(names)}
    assert listed.keys() == fields.keys()
    for name, cell in listed.items():
        default = fields[name].get_default(call_default_factory=True)
        if cell.startswith("`"):
            assert json.loads(cell.strip("`")) == json.loads(json.dumps(default)), name
        else:
            assert fields[name].is_required() or isinstance(default, BaseModel) or name == "criteria", name


def test_every_form_is_one_of_a_deployment_and_every_deployment_is_in_the_readme() -> None:
    deployed = [one["name"] for one in yaml.safe_load((ROOT / "deployments/prefect.yaml").read_text())["deployments"]]
    assert [code for name, _ in lines(ROOT / "README.md", "In Prefect") for code in codes(name)] == deployed
    assert set(deployed) - {"generate"} <= sections(DOCS / "commands.md").keys()


def test_the_options_of_publish_name_those_of_the_command() -> None:
    named = {code for _, _, option in lines(DOCS / "commands.md", "Options of publish") for code in codes(option)}
    own = {"--discipline", "--to", "--public", "--json", "--help", "release"}
    assert named == commands()["glan publish"] - own


def test_every_bound_of_a_release_is_listed() -> None:
    rows = lines(DOCS / "releases.md", "What a release must reach")
    assert {code.partition("=")[0] for bound, _ in rows for code in codes(bound)} == set(Requirements.model_fields)


def test_every_column_of_a_release_is_listed() -> None:
    told = [code for names, _ in lines(DOCS / "releases.md", "Columns") for code in codes(names)]
    assert sorted(told) == sorted(chat.PROVENANCE)
    in_card = re.findall(r"^\| (`.*?`) \|", card._COLUMNS, re.MULTILINE)
    assert sorted(code for names in in_card for code in codes(names)) == sorted(["messages", *chat.PROVENANCE])


def test_what_is_inside_of_a_column_is_named() -> None:
    """`list of {title, …}`: the fields of structs, in the table that first tells of them."""
    for name, schema in SCHEMAS.items():
        told = {code: meaning for column, meaning, *_ in lines(DOCS / "tables.md", name) for code in codes(column)}
        for field in schema:
            inner = field.type.value_type if pa.types.is_list(field.type) else field.type
            if pa.types.is_struct(inner) and "as in" not in told[field.name]:
                [named] = re.findall(r"\{([^}]+)\}", told[field.name])
                assert [one.strip(" []") for one in named.split(",")] == [one.name for one in inner], field.name


def test_every_reason_is_listed() -> None:
    told = [code for name, *_ in lines(DOCS / "tables.md", "Reasons") for code in codes(name)]
    known = [rule.code for rule in RULES]
    known += [typed_answers.NO_CHOICE, typed_answers.KEY_DISAGREES, typed_answers.NO_CODE, typed_answers.SHORT_ESSAY]
    known += [code for _, _, code in scores._LEAST] + [code for _, code in scores._CHECKS]
    known += [contamination.CODE, f"{turns.PREFIX}…", turns.REPEATED, verdicts.DUPLICATE, verdicts.SAME_MEANING]
    assert sorted(told) == sorted(known)
    settings = {code for *_, setting in lines(DOCS / "tables.md", "Reasons") for code in codes(setting)}
    assert settings <= set(RunConfig().curation.model_dump())
    assert {name for rule in RULES for name in rule.reads} <= settings


def test_every_kind_of_error_is_listed() -> None:
    """As the code names them: the first text of a `Problem`, the second value of a `Trouble`."""
    told = [code for names, _ in lines(DOCS / "tables.md", "Kinds of errors") for code in codes(names)]
    assert len(told) == len(set(told))
    code, trouble = "\n".join(sources()), (ROOT / "glan/gateway/trouble.py").read_text(encoding="utf-8")
    known = {*re.findall(r'\bProblem\(\s*"(\w+)"', code), *re.findall(r'\bTrouble\(\s*Way\.\w+,\s*"(\w+)"', code)}
    known |= {*re.findall(r'\.failed\(\s*self\._request,\s*"(\w+)"', code)}
    known |= {*re.findall(r'_record\(\s*exchange,\s*"(\w+)"', code)}
    known |= {*re.findall(r'return \(?\s*"(\w+)",\s*f"', trouble), NOT_JSON}
    assert known == set(told)


def test_every_kind_of_finding_and_every_automation_is_listed() -> None:
    told = [code for kind, _ in lines(DOCS / "operations.md", "Is the store whole") for code in codes(kind)]
    assert told == list(get_args(findings.Kind))
    known = {*re.findall(r'"(glan: [a-z ]+)"', Path(automations.__file__).read_text(encoding="utf-8"))}
    assert {code for name, _ in lines(DOCS / "operations.md", "Being told") for code in codes(name)} == known


def test_every_artifact_is_listed() -> None:
    told = lines(DOCS / "operations.md", "What Prefect and the report show")
    listed = {code for name, _ in told for code in codes(name)}
    named = {*re.findall(r'(?:key=|_show\(|_KEY = )"(glan-[a-z-]+)"', "\n".join(sources()))}
    assert listed == named | {"<stage>-<discipline>", "glan-taxonomy-draft-nodes"}


def test_the_code_reads_no_variable_that_is_no_setting() -> None:
    known = {f"GLAN_{name.upper()}" for name in Settings.model_fields}
    files = [ROOT / "docker-compose.yml", ROOT / ".env.example", ROOT / "deployments/Dockerfile", ROOT / "Makefile"]
    texts = [*sources(), *(path.read_text(encoding="utf-8") for path in files)]
    templates = (ROOT / "deployments/job-templates").glob("*.json")
    texts += [path.read_text(encoding="utf-8") for path in templates]
    assert {name for text in texts for name in re.findall(r"\bGLAN_[A-Z_]+[A-Z]\b", text)} <= known


def test_every_setting_beside_the_paper_exists() -> None:
    found = sections(DOCS / "paper.md")["The paper and this project"]
    told = {code for line in found.splitlines()[5:] for code in codes(line.strip("|").split("|")[-1])}
    known = {
        *RunConfig.model_fields,
        *ModelProfile.model_fields,
        *(f"curation.{name}" for name in Curation.model_fields),
    }
    options = {option for every in commands().values() for option in every}
    assert {code for code in told if not code.startswith("glan ")} <= known | options


def test_every_measurement_is_listed() -> None:
    told = {*re.findall(r"^\| `python -m bench\.(\w+)", (ROOT / "bench/README.md").read_text(), re.MULTILINE)}
    started = {path.stem for path in (ROOT / "bench").glob("*.py") if "__main__" in path.read_text(encoding="utf-8")}
    assert told == started - {"clients"}  # which `bench.throughput` starts
