"""Everything is run once with keys that can be found again, at an endpoint that echoes them and writes what does harm.

No key may be found in what is left behind or was said, and nothing that a model wrote may act where it is shown.
"""

import base64
import contextlib
import json
import os
import re
import sqlite3
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from chromium import CHROMIUM
from hostile_endpoint import CONTROLS, HARM, HostileEndpoint
from markdown_it import MarkdownIt
from model_server import ModelServer
from prefect import get_client
from prefect_world import forget_other_servers, running_server
from s3_server import S3Server
from shared_work import done_once
from terminal_world import Said, clean_environment, typed

from glan.store.store import Store

pytestmark = pytest.mark.timeout(400)  # the first test runs all commands

PLOTS = ("plots/rows.png", "plots/lengths.png")
MARKED = {
    "OPENAI_API_KEY": "sk-marked0123456789abcdefgh",
    "ANSWER_KEY": "plainmarker77aa55bb33cc",  # looks like no key
    "HF_TOKEN": "hf_marked0123456789abcdefgh",
    "PREFECT_API_KEY": "pnu_marked0123456789abcdefgh",
}
RUN = """
disciplines = ["physics"]
subjects = 2
questions = 4
lists = 2
two_step = true
min_sessions = 4
max_sessions = 6
concepts_per_session = 3
[curation]
language = "en"
[models.answer]
api_key_env = "ANSWER_KEY"
attempts = 2
"""


@dataclass
class Left:
    """What everything has left behind."""

    secrets: dict[str, str]
    keys_seen: set[str]
    said: dict[str, Said] = field(default_factory=dict)
    objects: dict[str, bytes] = field(default_factory=dict)
    artifacts: list[Any] = field(default_factory=list)
    database: str = ""
    log: str = ""
    report: Path = Path()


@pytest.fixture(scope="module")
def left(s3_server: S3Server, tmp_path_factory: pytest.TempPathFactory) -> Left:
    """All commands on one store in a bucket, reported to a Prefect server of its own, and what came of them."""
    folder, home = tmp_path_factory.mktemp("safety"), tmp_path_factory.mktemp("prefect")
    left: Left = done_once(tmp_path_factory, "safety", lambda: everything(s3_server, folder, home))
    return left


def everything(s3_server: S3Server, folder: Path, home: Path) -> Left:
    """Run every command once."""
    secrets = {**MARKED, "AWS_SECRET_ACCESS_KEY": s3_server.env["AWS_SECRET_ACCESS_KEY"]}
    with (
        pytest.MonkeyPatch.context() as patch,
        ModelServer(seed=1) as model,
        HostileEndpoint(model.base_url) as endpoint,
    ):
        for name in set(os.environ) - set(clean_environment(os.environ)):
            patch.delenv(name)
        url = f"{s3_server.url}/safety"
        for name, value in {
            **s3_server.env, **MARKED, "OPENAI_BASE_URL": endpoint.base_url, "GLAN_MODEL": "teacher",
            "GLAN_STORE": url, "GLAN_FLUSH_SECONDS": "0.1", "GLAN_MAX_CONCURRENCY": "8",
        }.items():  # fmt: skip
            patch.setenv(name, value)
        patch.chdir(folder)
        (folder / "RUN.toml").write_text(RUN)
        found = Left(secrets, endpoint.keys)
        with running_server(home):
            for line in COMMANDS:
                found.said[line] = typed(*line.split())
            endpoint.refuses = True
            for line in REFUSED:
                found.said[line] = typed(*line.split())
            patch.setenv("OPENAI_BASE_URL", f"http://user:{MARKED['OPENAI_API_KEY']}@127.0.0.1:9/v1")
            found.said["a key in the address"] = typed("plan", "RUN.toml")
            forget_other_servers()
            with get_client(sync_client=True) as client:
                found.artifacts = client.read_artifacts(limit=200)
        files = Store.open(url).files
        found.objects = {entry.path: files.read(entry.path) for entry in files.list("")}
        found.database = _text_of(home / "prefect.db")
        found.log = (home / "log").read_text(errors="replace")
        found.report = folder / "page.html"
        return found


COMMANDS = (
    "run RUN.toml", "run RUN.toml --json", "plan RUN.toml --questions 9", "status", "doctor RUN.toml", "curate",
    "expand RUN.toml --target 1 --discipline physics", "backfill RUN.toml --mode stale --yes", "verify",
    "quarantine list", "quarantine list --json", "publish r1 --format parquet --format jsonl --format alpaca",
    "files answers", "report --out page.html", "taxonomy show",
)  # fmt: skip
REFUSED = ("doctor RUN.toml", "run RUN.toml --questions 6")


def _text_of(database: Path) -> str:
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        return "\n".join(connection.iterdump())


def readable(path: str, body: bytes) -> str:
    """An object of the store as text, whatever it is packed in."""
    if path.endswith(".parquet"):
        table = pq.read_table(pa.BufferReader(body))
        return f"{table.schema.metadata} {table.to_pylist()}"
    return body.decode(errors="replace")


def test_everything_was_really_run(left: Left) -> None:
    """Or nothing could be found."""
    assert {MARKED["OPENAI_API_KEY"], MARKED["ANSWER_KEY"]} <= left.keys_seen
    for line, said in left.said.items():
        assert "Traceback" not in said.stderr, line
    assert left.said["run RUN.toml"].code in (0, 1), left.said["run RUN.toml"]
    assert left.said["publish r1 --format parquet --format jsonl --format alpaca"].code == 0
    assert left.said["doctor RUN.toml"].code == 1  # the last time, when every call was refused
    assert left.artifacts and "glan-summary" in left.database
    harmed = [path for path, body in left.objects.items() if "onerror=alert(2)" in readable(path, body)]
    assert {path.split("/")[0] for path in harmed} >= {"answers", "instructions", "releases", "_calls"}


def test_no_key_is_left_anywhere(left: Left) -> None:
    places = {
        "Prefect's database": left.database,
        "the server's log": left.log,
        "the artifacts": str([one.model_dump() for one in left.artifacts]),
        "the report": left.report.read_text(encoding="utf-8"),
        **{f"glan {line}": said.stdout + said.stderr for line, said in left.said.items()},
        **{path: readable(path, body) for path, body in left.objects.items()},
    }
    leaks = [(name, place) for name, secret in left.secrets.items() for place, text in places.items() if secret in text]
    assert leaks == []


def test_nothing_printed_steers_a_terminal(left: Left) -> None:
    for line, said in left.said.items():
        assert not set(CONTROLS) & set(said.stdout + said.stderr), line


def test_a_refusal_is_one_sentence(left: Left) -> None:
    said = left.said["run RUN.toml --questions 6"]
    assert said.code == 1
    assert sum(line.startswith("glan: ") for line in said.stderr.splitlines()) == 1


class Tags(HTMLParser):
    """The tags of a page with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def acting(self) -> list[Any]:
        """Tags that run something, fetch something or lead somewhere."""
        outside = ("http:", "https:", "javascript:", "//")
        return [
            (tag, attributes)
            for tag, attributes in self.found
            if tag in ("script", "iframe", "object", "embed", "form", "img")
            or any(name.startswith("on") for name in attributes)
            or any(str(attributes.get(name) or "").startswith(outside) for name in ("href", "src"))
        ]


def rendered(text: str) -> Tags:
    return Tags(MarkdownIt("commonmark").enable("table").render(text))


def test_markdown_shows_what_a_model_wrote_and_does_nothing_with_it(left: Left) -> None:
    texts = [str(one.data) for one in left.artifacts if one.type == "markdown"]
    card = left.objects["releases/r1/README.md"].decode()
    _, header, body = card.split("---\n", 2)
    assert yaml.safe_load(header).keys() == {
        "pretty_name", "language", "license", "task_categories", "tags", "size_categories", "configs", "dataset_info",
    }  # fmt: skip
    assert "onerror" in body  # it is shown
    for text in (*texts, body):
        plots = [("img", attributes) for tag, attributes in rendered(text).found if attributes.get("src") in PLOTS]
        assert rendered(text).acting() == plots
        assert not set(CONTROLS) & set(text)


def test_the_pages_hold_no_script_but_their_own_and_fetch_nothing(left: Left) -> None:
    pages = [body.decode() for path, body in left.objects.items() if path.endswith(".html")]
    assert pages
    for page in (*pages, left.report.read_text(encoding="utf-8")):
        assert "onerror" in page
        assert Tags(page).acting() == [("script", {"type": "application/json", "id": "data"}), ("script", {})]
        assert "script-src 'sha256-" in page
    for one in left.artifacts:
        if one.type == "image":
            kind, _, encoded = str(one.data).partition(",")
            image = base64.b64decode(encoded)
            if kind == "data:image/png;base64":
                assert image.startswith(b"\x89PNG\r\n")  # which runs nothing
            else:
                assert Tags(image.decode()).acting() == []


def test_a_browser_runs_nothing_of_the_report(left: Left) -> None:
    api = pytest.importorskip("playwright.sync_api")
    if not CHROMIUM.exists():
        pytest.skip("needs Debian's package chromium")
    happened: list[str] = []
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--headless"])
        page = browser.new_page()
        page.on("dialog", lambda dialog: (happened.append(dialog.message), dialog.dismiss()))
        page.on("request", lambda request: happened.append(request.url))
        page.goto(left.report.as_uri())
        for section in page.locator("details").all():
            section.evaluate("one => one.open = true")
        assert page.locator("img, iframe").count() == 0
        assert page.locator("script").count() == 2  # its data and its own
        assert "onerror" in page.locator("body").inner_text()
        browser.close()
    assert happened == [left.report.as_uri()]


def test_names_of_files_are_of_plain_letters(left: Left) -> None:
    assert [path for path in left.objects if not re.fullmatch(r"[A-Za-z0-9._=/-]+", path) or ".." in path] == []


def test_a_line_of_a_release_is_a_row(left: Left) -> None:
    rows = pq.read_table(pa.BufferReader(left.objects["releases/r1/data/train-00000.parquet"])).to_pylist()
    for folder in ("data", "alpaca"):
        text = left.objects[f"releases/r1/{folder}/train-00000.jsonl"].decode()
        assert len([json.loads(line) for line in text.splitlines()]) == len(rows) > 0
    lines = left.objects["releases/r1/data/train-00000.jsonl"].decode().splitlines()
    assert [json.loads(line)["messages"] for line in lines] == [row["messages"] for row in rows]
    assert any(HARM.strip()[:40] in row["messages"][1]["content"] for row in rows)  # a text stays what it was
