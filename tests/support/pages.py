"""The pages of the documentation and the commands of `glan`, for the tests that hold them against each other."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from flows.cli import app

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]


def sections(page: Path) -> dict[str, str]:
    """Heading -> what stands under it, up to the next heading of any level."""
    parts = re.split(r"^#+ (.*)\n", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def table(text: str) -> dict[str, list[str]]:
    """First column, without its backticks -> the other cells."""
    lines = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("| `")]
    return {cells[0].strip(" `"): [cell.strip() for cell in cells[1:]] for cells in lines}


def commands() -> dict[str, set[str]]:
    """Every command by what is typed, with its options."""

    def walk(command: Any, path: str) -> Iterator[tuple[str, set[str]]]:
        if hasattr(command, "commands"):
            for name, below in command.commands.items():
                yield from walk(below, f"{path} {name}")
        else:
            yield path, {option for parameter in command.params for option in parameter.opts} | {"--help"}

    return dict(walk(typer.main.get_command(app), "glan"))
