"""Bad input of every kind: one sentence that says where and what, code 2 (a damaged store: 1), and nothing written."""

import os
from collections.abc import Iterator
from pathlib import Path

import bad_commands
import bad_configurations
import bad_settings
import pytest
from bad_case import Case
from prefect.settings import PREFECT_API_URL, temporary_settings
from terminal_world import NOBODY_LISTENS, SECRET, clean_environment, listing, typed

GROUPS = {**bad_configurations.GROUPS, **bad_settings.GROUPS, **bad_commands.GROUPS}
CASES = {f"{group}: {name}": case for group, cases in GROUPS.items() for name, case in cases.items()}


@pytest.fixture(autouse=True)
def no_server() -> Iterator[None]:
    """This process may work at a test server, which nobody here means."""
    with temporary_settings(restore_defaults=[PREFECT_API_URL]):
        yield


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
