"""One case of bad input: what is typed where, and what the sentence must name; and short ways to write one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

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


def selection(text: str, *told: str) -> Case:
    """What is chosen from the tree, which may stand in a file as well as on the command line."""
    return Case(("plan", "RUN.toml"), told, {"RUN.toml": text})


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


def benchmark(text: Content, *told: str, name: str = "b.jsonl", table: str = 'layout = "gsm8k"') -> Case:
    """A benchmark's file, and what a run file says of it."""
    said = f'[[curation.benchmarks]]\npath = "{name}"\n{table}\n'
    return Case(("plan", "RUN.toml"), ("curation.benchmarks", name, *told), {"RUN.toml": said, name: text})


def in_store(arrange: Callable[[Path], object], line: str, *told: str, code: int = 2) -> Case:
    return Case(tuple(line.split()), told, arrange=arrange, code=code)
