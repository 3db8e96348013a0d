"""What the pages tell to type does work: shell blocks are run in one world, in order; the rest is read by the real parser.

The world has a model server in place of the teacher and a folder in place of a bucket; what it cannot have is in `ELSEWHERE`.
"""

import io
import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest
import typer
from model_server import ModelServer
from terminal_world import clean_environment, typed

from flows.cli import app
from glan.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
FIRST = [ROOT / "docs" / "tutorial.md", ROOT / "docs" / "faq.md", ROOT / "README.md"]
PAGES = [
    *FIRST,
    *(page for page in sorted((ROOT / "docs").glob("*.md")) if page not in FIRST),
    ROOT / "CONTRIBUTING.md",
]

ELSEWHERE = {
    "run for minutes; make says what it would do": ("make *",),
    "need a Prefect server of their own: tests/deployments": ("prefect *", "python -m deployments.*"),
    "need a container engine or a cluster": ("docker *", "kubectl *", "cp .env.example .env", "mkdir -p config"),
    "need a trained model: tests/test_loss_gap.py": ("python docs/recipes/loss_gap.py *",),
    "measure for minutes on an idle machine": ("python -m bench.*",),
    "set the shell of a person": ("export *", "source .venv/bin/activate"),
    "need what annotators wrote: tests/flows/test_terminal_review.py": (
        "glan taxonomy import --votes *",
        "cp review.yaml *",
    ),
    "settings of an .env": ("OPENAI_API_KEY=*", "GLAN_MODEL=*", "GLAN_ANSWER_MODEL=*", "GLAN_STORE=s3:*"),
}
"""Why a line of a shell block is not run here, and which lines."""


def statements(page: Path) -> Iterator[str]:
    """The commands of a page's shell blocks; a here-document is a part of its command."""
    text = page.read_text(encoding="utf-8")
    fenced = re.findall(r"^```(\w*)\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    blocks = [block for language, block in fenced if not language]
    without = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    blocks += [
        re.sub("^    ", "", found, flags=re.MULTILINE) for found in re.findall("(?:^    .*\n)+", without, re.MULTILINE)
    ]
    for block in blocks:
        if not re.search(r"[─►▲]", block):
            for found in re.finditer(r"^.*<<'END'.*\n(?:.*\n)*?END$|^.+$", block, re.MULTILINE):
                yield found[0] if "<<" in found[0] else re.sub(r"\s+#.*", "", found[0]).strip()


def told_elsewhere(line: str) -> bool:
    return any(fnmatch(line, pattern) for patterns in ELSEWHERE.values() for pattern in patterns)


def mentions(page: Path) -> Iterator[str]:
    """Commands with arguments in a page's sentences and tables."""
    yield from re.findall(r"`(glan [^`\n]+)`", page.read_text(encoding="utf-8"))


def read_by_the_parser(line: str) -> None:
    """Have the real command line read a command without running it; a mere name of a command needs no arguments."""
    command, words = typer.main.get_command(app), shlex.split(line)[1:]
    context = command.make_context("glan", [], resilient_parsing=True)
    while hasattr(command, "commands") and words:
        assert words[0] in command.commands, f"`{line}` is no command"
        command = command.commands[words.pop(0)]
    command.make_context("glan", words, parent=context, resilient_parsing=not words)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_sentence_tells_to_type_is_understood(page: Path) -> None:
    for line in [*mentions(page), *(line for line in statements(page) if line.startswith("glan "))]:
        read_by_the_parser(line.partition(" > ")[0])


def test_every_line_of_make_is_a_target() -> None:
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        told = [*re.findall("`(make [^`]+)`", text), *(line for line in statements(page) if line.startswith("make "))]
        for target in [line.split()[1] for line in told]:
            assert subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True).returncode == 0, (
                f"{page.name}: {target}"
            )


def test_every_variable_that_a_page_names_is_a_setting() -> None:
    known = {f"GLAN_{name.upper()}" for name in Settings.model_fields}
    for page in PAGES:
        assert {*re.findall(r"GLAN_[A-Z_]+[A-Z]", page.read_text(encoding="utf-8"))} <= known, page.name


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prefect_server: None) -> Iterator[Path]:
    """An empty folder and a model server in place of the teacher."""
    monkeypatch.chdir(tmp_path)
    for name in set(os.environ) - set(clean_environment(os.environ)) - {"PREFECT_API_URL"}:
        monkeypatch.delenv(name)
    with ModelServer(seed=1) as server:
        for name, value in {
            "OPENAI_BASE_URL": server.base_url, "OPENAI_API_KEY": "sk-test", "GLAN_MODEL": "Qwen/Qwen3-32B", "GLAN_FLUSH_SECONDS": "0.1",
        }.items():  # fmt: skip
            monkeypatch.setenv(name, value)
        yield tmp_path


def carried_out(line: str, monkeypatch: pytest.MonkeyPatch) -> tuple[int, str]:
    """Run one statement: `glan` in this process, anything else by a shell. Its code and what it said."""
    words = line.split()
    settings = [word for word in words if re.fullmatch(r"[A-Z_]+=\S+", word)]
    with monkeypatch.context() as patch:
        for setting in settings:
            patch.setenv(*setting.split("=", 1))
        rest = line.removeprefix(" ".join(settings)).strip()
        if rest.startswith("glan "):
            said = typed(*shlex.split(rest.partition(" > ")[0])[1:])
            return said.code, said.stdout + said.stderr
        done = subprocess.run(["bash", "-c", rest], capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr


@pytest.mark.timeout(600)
def test_every_shell_block_works(world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pages one after another in one folder, the tutorial first: it makes what the others look at."""
    monkeypatch.setattr("sys.stdin", io.StringIO())
    failed = []
    for page in PAGES:
        if page.name == "README.md":  # whose example begins with disciplines of the shipped taxonomy
            typed("taxonomy", "add", "Physics", "--field", "Natural sciences")
        for line in statements(page):
            if not told_elsewhere(line):
                code, said = carried_out(line, monkeypatch)
                if code != 0:
                    failed.append((page.name, line, code, said[-500:]))
    assert not failed, "\n".join(map(str, failed))


def test_every_reason_is_needed() -> None:
    lines = [line for page in PAGES for line in statements(page)]
    for reason, patterns in ELSEWHERE.items():
        for pattern in patterns:
            assert any(fnmatch(line, pattern) for line in lines), f"{reason}: {pattern}"
