"""`glan` as a person types it, in this process: arguments in, exit code and the two streams out."""

import contextlib
import io
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from flows.cli import main

SECRET = "sk-marker-of-a-secret"
NOBODY_LISTENS = "http://127.0.0.1:9/v1"
FOREIGN = ("GLAN_", "OPENAI_", "AWS_", "PREFECT_API")


@dataclass(frozen=True)
class Said:
    """What a command said, and the code it ended with."""

    code: int
    stdout: str
    stderr: str


def typed(*arguments: str) -> Said:
    """Run one command line in this process and its working folder."""
    out, error = io.StringIO(), io.StringIO()
    usual, sys.argv = sys.argv, ["glan", *arguments]
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(error):
            main()
    except SystemExit as end:
        return Said(int(end.code or 0), out.getvalue(), error.getvalue())
    finally:
        sys.argv = usual
    raise AssertionError("a command ends with its code")


def listing(folder: Path) -> dict[str, bytes | None]:
    """Every file below a folder with its content, and every folder (None)."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


def clean_environment(environment: Mapping[str, str], **given: str) -> dict[str, str]:
    """The environment without what a person's machine may have set for glan, and with what is given."""
    return {name: value for name, value in environment.items() if not name.startswith(FOREIGN)} | given


def settle_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in a folder whose store the settings name, whatever is set on this machine."""
    for name in set(os.environ) - set(clean_environment(os.environ)):
        monkeypatch.delenv(name)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("GLAN_STORE", "store")
