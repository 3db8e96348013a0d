"""Bad input of every kind: one sentence that says where and what, code 2 (a damaged store: 1), and nothing written."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from bad_worlds import (
    broken_inputs_store,
    damaged,
    foreign_folder,
    published_store,
    run_on_record,
)
from terminal_world import NOBODY_LISTENS, SECRET, clean_environment, listing, typed

Content = str | bytes
PROMPT = "---\nversion: 2\ninputs: [question]\noutput: text\nparameters: {}\n---\n<!-- user -->\n{{ question }}\n"


@dataclass(frozen=True)
class Case:
    """What is typed where, and what the sentence must name."""

    arguments: tuple[str, ...]
    told: tuple[str, ...]
    files: Mapping[str, Content] = field(default_factory=dict)
    environment: Mapping[str, str | None] = field(default_factory=dict)
    arrange: Callable[[Path], object] | None = None
    code: int = 2


def run_file(text: Content, *told: str, **environment: str | None) -> Case:
    return Case(("plan", "RUN.toml"), ("RUN.toml", *told), {"RUN.toml": text}, environment)


def profile(text: str, *told: str, **environment: str | None) -> Case:
    return run_file(f"[models.answer]\n{text}", *told, **environment)


def options(line: str, *told: str) -> Case:
    return Case(tuple(line.split()), told)


def settings(*told: str, **environment: str | None) -> Case:
    return Case(("plan",), told, environment=environment)


def dotenv(text: Content, *told: str) -> Case:
    return Case(("plan",), told, {".env": text})


def toml(text: Content, *told: str) -> Case:
    return Case(("plan",), ("glan.toml", *told), {"glan.toml": text})


def prices(text: Content, *told: str) -> Case:
    return Case(("plan",), ("prices.toml", *told), {"prices.toml": text}, {"GLAN_PRICES": "prices.toml"})


def prompt(text: Content, *told: str, name: str = "answer.md") -> Case:
    return Case(("plan",), (name, *told), {f"mine/{name}": text}, {"GLAN_PROMPTS": "mine"})


def taxonomy(text: Content, *told: str) -> Case:
    return Case(("taxonomy", "validate", "tree.yaml"), ("tree.yaml", *told), {"tree.yaml": text})


def in_store(arrange: Callable[[Path], object], line: str, *told: str, code: int = 2) -> Case:
    return Case(tuple(line.split()), told, arrange=arrange, code=code)


RUN_FILES = {
    "not there": Case(("plan", "nowhere.toml"), ("nowhere.toml", "No such file")),
    "a folder": Case(("plan", "folder"), ("folder", "directory"), {"folder/x": ""}),
    "not TOML": run_file("subjects = = 3", "TOML", "line 1"),
    "not UTF-8": run_file(b"subjects = 3 # \xff", "TOML"),
    "unknown field": run_file("subject = 3", "`subject` is not a known setting"),
    "unknown field of a profile": profile("temprature = 1", "`models.answer.temprature`"),
    "unknown role": run_file("[models.writer]\ntemperature = 1", "`models.writer`"),
    "unknown field of curation": run_file("[curation]\nstrict = true", "`curation.strict`"),
    "no subjects": run_file("subjects = 0", "`subjects`", "greater than or equal to 1"),
    "subjects in words": run_file('subjects = "three"', "`subjects`", "integer"),
    "negative questions": run_file("questions = -1", "`questions`", "greater than or equal to 0"),
    "too many questions": run_file("questions = 1_000_000", "`questions`", "100000"),
    "no lists": run_file("lists = 0", "`lists`"),
    "half a list": run_file("lists = 1.5", "`lists`", "integer"),
    "sessions crossed": run_file("min_sessions = 20\nmax_sessions = 10", "min_sessions (20)", "max_sessions (10)"),
    "too many sessions": run_file("max_sessions = 101", "`max_sessions`"),
    "no concepts": run_file("concepts_per_session = 0", "`concepts_per_session`"),
    "share over one": run_file("cross_session_share = 1.5", "`cross_session_share`"),
    "no question a call": run_file("questions_per_call = 0", "`questions_per_call`"),
    "negative seed": run_file("seed = -1", "`seed`"),
    "neither true nor false": run_file('two_step = "maybe"', "`two_step`", "boolean"),
    "disciplines no list": run_file('disciplines = "physics"', "`disciplines`", "list"),
    "a number for a discipline": run_file("disciplines = [3]", "`disciplines.0`", "string"),
    "unknown discipline": Case(
        ("plan", "RUN.toml"), ("phisics", "did you mean `Physics`"), {"RUN.toml": 'disciplines = ["phisics"]'}
    ),
    "models no table": run_file("models = 3", "`models`"),
    "too loose a duplicate": run_file("[curation]\nnear_duplicate_jaccard = 0.2", "`curation.near_duplicate_jaccard`"),
    "money without prices": Case(
        ("plan", "RUN.toml"), ("budget.usd", "teacher", "GLAN_PRICES"), {"RUN.toml": "[budget]\nusd = 5"}
    ),
    "a budget of nothing": run_file("[budget]\ntokens = 0", "`budget.tokens`", "greater than or equal to 1"),
    "a budget in euros": run_file("[budget]\neur = 5", "`budget.eur` is not a known setting"),
    "a budget's id with spaces": run_file('[budget]\nid = "my budget"', "`budget.id`"),
    "no words": run_file("[curation]\nmin_question_words = 0", "`curation.min_question_words`"),
}
PROFILES = {
    "too hot": profile("temperature = 3", "`models.answer.temperature`", "less than or equal to 2"),
    "temperature no number": profile("temperature = nan", "`models.answer.temperature`"),
    "top_p zero": profile("top_p = 0", "`models.answer.top_p`"),
    "no tokens": profile("max_tokens = 0", "`models.answer.max_tokens`"),
    "no attempts": profile("attempts = 0", "`models.answer.attempts`"),
    "no time": profile("timeout_seconds = 0", "`models.answer.timeout_seconds`"),
    "unknown structure": profile('structure = "yaml"', "`models.answer.structure`", "json_schema"),
    "too many stops": profile(f"stop = {['x'] * 17}", "`models.answer.stop`"),
    "a name too long": profile(f'model = "{"m" * 301}"', "`models.answer.model`"),
    "a key in the file": profile(f'api_key = "{SECRET}"', "`models.answer.api_key` is not a known setting"),
    "a key for the key's name": profile(f'api_key_env = "{SECRET}"', "`models.answer.api_key_env`"),
    "a key not set": Case(
        ("plan", "RUN.toml"), ("OTHER_KEY is not set",), {"RUN.toml": '[models.answer]\napi_key_env = "OTHER_KEY"'}
    ),
    "an endpoint without http": profile('base_url = "localhost:8000/v1"', "`models.answer.base_url`", "http"),
    "a body that takes over": profile("extra_body = { stream = true }", "`models.answer.extra_body`", "stream"),
    "no model": settings("models.subject", "GLAN_MODEL", GLAN_MODEL=None),
    "a model for answers only": settings("models.subject", "GLAN_MODEL", GLAN_MODEL=None, GLAN_ANSWER_MODEL="teacher"),
}
OPTIONS = {
    "unknown option": options("plan --subject 3", "--subject", "--help`"),
    "unknown command": options("make", "make", "glan --help"),
    "unknown sub-command": options("taxonomy grow", "grow", "glan taxonomy --help"),
    "no argument": options("files", "stage", "glan files --help"),
    "an option without its value": options("plan --discipline", "--discipline"),
    "two run files": options("plan a.toml b.toml", "b.toml"),
    "subjects zero": options("plan --subjects 0", "options", "`subjects`"),
    "subjects in letters": options("plan --subjects many", "--subjects", "integer"),
    "questions below zero": options("plan --questions -5", "options", "`questions`"),
    "lists zero": options("plan --lists 0", "options", "`lists`"),
    "no money": options("run --budget-usd 0", "options", "`--budget-usd`", "greater than 0"),
    "a night of less than no money": options("expand --budget-usd -1", "options", "`--budget-usd`", "greater than 0"),
    "no calls": options("run --budget-calls 0", "options", "`--budget-calls`"),
    "tokens in words": options("run --budget-tokens few", "--budget-tokens", "integer"),
    "money without prices": options("run --budget-usd 5", "budget.usd", "teacher", "GLAN_PRICES"),
    "misspelt discipline": options("plan --discipline phisics", "phisics", "did you mean"),
    "no such discipline": options("plan --discipline xyzzy", "xyzzy", "glan taxonomy show"),
    "a discipline that is a path": options("plan --discipline ../../etc/passwd", "../../etc/passwd", "no discipline"),
    "an empty discipline": Case(("plan", "--discipline", ""), ("no discipline",)),
    "a discipline of control characters": Case(("plan", "--discipline", "phy\x1b[31m"), ("no discipline", "\\u001b")),
    "a taxonomy not there": options("plan --taxonomy nowhere.yaml", "nowhere.yaml"),
    "a field without name": Case(("taxonomy", "add", "Runes", "--field", " "), ("field", "empty")),
    "a discipline without a field": options("taxonomy add Runes", "--field"),
    "a name that climbs": options("taxonomy add ../runes --field History", "discipline", "path"),
    "a discipline that stands elsewhere": options("taxonomy add Physics --field History", "Physics", "already there"),
    "doctor with a bad file": Case(("doctor", "RUN.toml"), ("RUN.toml", "`lists`"), {"RUN.toml": "lists = 0"}),
}
SETTINGS = {
    "concurrency in words": settings("max_concurrency", "integer", GLAN_MAX_CONCURRENCY="many"),
    "no concurrency": settings("max_concurrency", GLAN_MAX_CONCURRENCY="0"),
    "no requests a minute": settings("requests_per_minute", GLAN_REQUESTS_PER_MINUTE="0"),
    "negative tokens a minute": settings("tokens_per_minute", GLAN_TOKENS_PER_MINUTE="-1"),
    "negative patience": settings("patience_seconds", GLAN_PATIENCE_SECONDS="-1"),
    "never flushed": settings("flush_seconds", GLAN_FLUSH_SECONDS="0"),
    "a store of another kind": settings("store", "s3://bucket/prefix", GLAN_STORE="gs://bucket"),
    "a store without a bucket": settings("store", GLAN_STORE="s3://"),
    "a store without a name": settings("store", GLAN_STORE=" "),
    "no key": settings("OPENAI_API_KEY is not set", OPENAI_API_KEY=None, OPENAI_BASE_URL=None),
    "an endpoint without its scheme": settings("OPENAI_BASE_URL", "http", OPENAI_BASE_URL="localhost:8000/v1"),
    "a wrong value in .env": dotenv("GLAN_MAX_CONCURRENCY=lots", "GLAN_MAX_CONCURRENCY", "integer"),
    ".env not UTF-8": dotenv(b"GLAN_MODEL=\xff\xfe", ".env"),
    "glan.toml not TOML": toml("store = = 3", "line 1"),
    "glan.toml not UTF-8": toml(b'model = "\xff"'),
    "a wrong value in glan.toml": toml("max_concurrency = 0", "max_concurrency"),
    "an unknown field in glan.toml": toml("max_concurency = 3", "max_concurency"),
    "an unknown variable": settings("GLAN_MAX_CONCURENCY", GLAN_MAX_CONCURENCY="3"),
}
PRICES = {
    "not there": settings("nowhere.toml", GLAN_PRICES="nowhere.toml"),
    "not TOML": prices("gpt = ", "TOML"),
    "a negative price": prices('["gpt-4.1"]\ninput = -2.0\noutput = 8.0', "gpt-4.1.input"),
    "no price for replies": prices('["gpt-4.1"]\ninput = 2.0', "gpt-4.1.output", "required"),
    "a name not in quotes": prices("[gpt-4.1]\ninput = 2.0\noutput = 8.0", "in quotes"),
    "an unknown field": prices('["gpt-4.1"]\ninput = 2.0\noutput = 8.0\nbulk = 1.0', "bulk"),
    "a batch price as an amount": prices('["gpt-4.1"]\ninput = 2.0\noutput = 8.0\nbatch = 4.0', "gpt-4.1.batch"),
    "a price in words": prices('["gpt-4.1"]\ninput = "two"\noutput = 8.0', "gpt-4.1.input"),
}
PROMPTS = {
    "no folder": settings("nowhere", "GLAN_PROMPTS", GLAN_PROMPTS="nowhere"),
    "replaces nothing": prompt(PROMPT, "replaces no prompt", name="answers.md"),
    "another ending": prompt(PROMPT, "replaces no prompt", name="answer.txt"),
    "no header": prompt("<!-- user -->\nHello", "header"),
    "header no YAML": prompt("---\nversion: [\n---\n<!-- user -->\nHello", "YAML"),
    "version zero": prompt(PROMPT.replace("2", "0"), "`version`"),
    "an unknown header": prompt(PROMPT.replace("parameters", "params"), "header"),
    "an input that is not given": prompt(PROMPT.replace("question", "weather"), "weather is not given"),
    "an input not declared": prompt(PROMPT + "{{ syllabus }}", "`inputs` does not name syllabus"),
    "an input not used": prompt(PROMPT.replace("{{ question }}", "Hello"), "names question"),
    "another output": prompt(PROMPT.replace("output: text", "output: SubjectList"), "`output` must be text"),
    "broken Jinja": prompt(PROMPT + "{% if %}", "line 9"),
    "an unknown section": prompt(PROMPT + "<!-- tool -->\nx", "tool", "no section"),
    "no user section": prompt(PROMPT.replace("user", "system"), "<!-- user -->"),
    "not UTF-8": prompt(b"---\n\xff", "UTF-8"),
}
TAXONOMIES = {
    "not there": options("taxonomy validate nowhere.yaml", "nowhere.yaml"),
    "import of nothing": options("taxonomy import nowhere.yaml", "nowhere.yaml"),
    "a discipline twice": taxonomy("A:\n  - Runes\nB:\n  - Runes\n", "line 4", "already there"),
    "an empty field": taxonomy("A:\n", "line 1"),
    "a name that climbs": taxonomy("A:\n  - ../runes\n", "line 2", "path"),
    "a name of 1,000 characters": taxonomy(f"A:\n  - {'r' * 1000}\n", "line 2", "1000 characters"),
    "a number for a name": taxonomy("A:\n  - 42\n", "line 2", "quotes"),
    "an alias": taxonomy("A: &a\n  - Runes\nB: *a\n", "line"),
    "UTF-16": taxonomy("A:\n  - Runes\n".encode("utf-16")),
    "a list": taxonomy("- Runes\n", "line 1"),
    "nothing at all": taxonomy(""),
}
STORES = {
    "status without a run": in_store(published_store, "status", "no run is on record", "glan run"),
    "files without a store": options("files answers", "there is no store at"),
    "publish without a store": options("publish r1", "nothing to publish"),
    "unknown table": in_store(published_store, "files answer", "no table 'answer'", "answers"),
    "unknown discipline of files": in_store(published_store, "files answers --discipline alchemy", "alchemy"),
    "unknown discipline of a release": in_store(published_store, "publish r1 --discipline alchemy", "alchemy"),
    "a release that climbs": in_store(published_store, "publish ../r1", "../r1", "cannot name a release"),
    "a release in capitals": in_store(published_store, "publish R1", "R1", "cannot name a release"),
    "an unknown format": in_store(published_store, "publish r1 --format csv", "csv", "parquet, jsonl"),
    "a copy to nowhere": in_store(published_store, "publish r1 --to ftq://host/folder", "ftq://host/folder"),
    "a copy with a password": in_store(published_store, "publish r1 --to s3://me:key@bucket/x", "user or password"),
    "a bound that is no number": in_store(published_store, "publish r1 --require rows=many", "--require", "rows=50"),
    "a bound on nothing known": in_store(published_store, "publish r1 --require row=5", "require", "row"),
    "unknown version": in_store(published_store, "taxonomy show --version 99", "--version", "99"),
    "version zero": in_store(published_store, "taxonomy show --version 0", "--version", "no version 0"),
    "version of no store": options("taxonomy show --version 1", "--version", "none"),
    "another's folder, run": in_store(foreign_folder, "run", "store", "README.txt", code=1),
    "another's folder, plan": in_store(foreign_folder, "plan", "README.txt", code=1),
    "another's folder, files": in_store(foreign_folder, "files answers", "README.txt", code=1),
    "another's folder, taxonomy": in_store(foreign_folder, "taxonomy add Runes --field History", "README.txt", code=1),
    "a file for a store": Case(("plan",), ("store", "file stands"), {"store": "not a folder"}, code=1),
    "a damaged snapshot": in_store(damaged("_snapshots/00000001.json"), "files subjects", "_snapshots/", code=1),
    "a damaged generation": in_store(
        damaged("_manifests/subjects/physics/00000001.json"), "plan", "_manifests/", code=1
    ),
    "a damaged taxonomy": in_store(damaged("taxonomy/00000001.parquet"), "plan", "taxonomy/", code=1),
    "a damaged record of a run": in_store(run_on_record("{"), "status", "_runs/", code=1),
    "a record of a run of another kind": in_store(run_on_record("[]"), "status", "_runs/", code=1),
    "a run without its configuration": in_store(broken_inputs_store, "status", "_inputs/config/", code=1),
}
GROUPS = {
    "run file": RUN_FILES,
    "profile": PROFILES,
    "options": OPTIONS,
    "settings": SETTINGS,
    "prices": PRICES,
    "prompts": PROMPTS,
    "taxonomy": TAXONOMIES,
    "store": STORES,
}
CASES = {f"{group}: {name}": case for group, cases in GROUPS.items() for name, case in cases.items()}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_bad_input_is_told_in_one_sentence_and_changes_nothing(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay_out(case, tmp_path, monkeypatch)
    before = listing(tmp_path)
    commands = [case.arguments]
    if case.arguments[0] == "plan":  # what `plan` refuses, `run` refuses too, before anything is started
        commands.append(("run", *case.arguments[1:]))
    for command in commands:
        said = typed(*command)
        assert said.code == case.code, said
        assert said.stdout == ""
        assert_one_sentence(said.stderr)
        assert [part for part in case.told if part not in said.stderr] == [], said.stderr
        assert listing(tmp_path) == before


def lay_out(case: Case, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The working folder and the environment of a case; what it does not name is in order."""
    monkeypatch.chdir(folder)
    usual = {
        "OPENAI_API_KEY": SECRET,
        "OPENAI_BASE_URL": NOBODY_LISTENS,
        "GLAN_MODEL": "teacher",
        "GLAN_STORE": "store",
    }
    given: dict[str, str | None] = {**usual, **case.environment}
    for name in set(os.environ) - set(clean_environment(os.environ)):
        monkeypatch.delenv(name)
    for name, value in given.items():
        if value is not None:
            monkeypatch.setenv(name, value)
    for name, content in case.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    if case.arrange:
        case.arrange(folder / "store")


def assert_one_sentence(said: str) -> None:
    assert said.startswith("glan: ") and said.endswith("\n")
    assert said.count("\n") == 1
    assert "Traceback" not in said and SECRET not in said
    assert len(said) < 600 and not said.rstrip().endswith(".")


def test_there_are_enough_cases() -> None:
    assert len(CASES) >= 60
