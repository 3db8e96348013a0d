"""What the tests of flows share: a model server, a store, and the flow `generate` run in this process."""

import shutil
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from model_server import ModelServer
from prefect.client.schemas.objects import State

import glan
from flows.generate import generate
from glan.config import RunConfig
from glan.store import manifests
from glan.store.store import Store
from glan.units import STAGES, Receipt, Stage

KEY = "sk-never-to-be-seen-0123456789"
SMALL: Mapping[str, Any] = {
    "disciplines": ["physics"],
    "subjects": 2,
    "questions": 3,
    "lists": 2,
    "min_sessions": 4,
    "max_sessions": 6,
    "concepts_per_session": 3,
}
MADE_BY_A_MODEL: tuple[Stage, ...] = ("subjects", "syllabi", "questions", "answers")


def config(**given: Any) -> RunConfig:
    """A small run of one discipline."""
    return RunConfig(**{**SMALL, **given})


def environment(server: ModelServer, store_url: str) -> dict[str, str]:
    """The settings of a run against the model server."""
    return {
        "OPENAI_BASE_URL": server.base_url,
        "OPENAI_API_KEY": KEY,
        "GLAN_MODEL": "teacher",
        "GLAN_STORE": store_url,
        "GLAN_MAX_CONCURRENCY": "32",
        "GLAN_FLUSH_SECONDS": "0.1",
    }


class World:
    """One store and one model server; `run` runs `generate` here, under whatever Prefect server is set."""

    def __init__(self, server: ModelServer, store_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.server = server
        self.store_url = store_url
        self._monkeypatch = monkeypatch
        self.set(**environment(server, store_url))

    def set(self, **variables: str) -> None:
        """Set variables of the environment."""
        for name, value in variables.items():
            self._monkeypatch.setenv(name, value)

    def run(self, **given: Any) -> State[Any]:
        """Run the small configuration, with these fields changed."""
        state: State[Any] = generate(config(**given), return_state=True)
        return state

    def sent(self, **given: Any) -> int:
        """Run, and say how many calls arrived at the model server."""
        before = self.server.count
        self.run(**given)
        return self.server.count - before

    def asked(self, **given: Any) -> Counter[str]:
        """Run, and say how many calls of each stage it put on record, which are all that arrived."""
        known = len(self.load("calls")) if self.store.files.exists("README.txt") else 0
        before = self.server.count
        self.run(**given)
        rows = self.load("calls").sort_values("finished_at").iloc[known:]
        assert len(rows) == self.server.count - before
        return Counter(rows["stage"])

    @property
    def store(self) -> Store:
        """The store, opened anew."""
        return Store.open(self.store_url)

    def load(self, stage: str, **given: Any) -> pd.DataFrame:
        """The rows that readers see."""
        return glan.load(stage, store=self.store_url, **given)

    def tables(self) -> dict[str, pd.DataFrame]:
        """All stages as readers see them."""
        return {stage: self.load(stage) for stage in STAGES}

    def receipts(self, stage: Stage, discipline_id: str = "physics") -> list[Receipt]:
        """The units that the current generation names."""
        manifest = manifests.current(self.store.files, stage, discipline_id)
        return manifest.units if manifest else []

    def figures(self, stage: Stage, discipline_id: str = "physics") -> tuple[int, int, int]:
        """Rows planned, committed and quarantined, by the receipts of the current generation."""
        units = self.receipts(stage, discipline_id)
        return (
            sum(unit.planned for unit in units),
            sum(unit.rows for unit in units),
            sum(unit.quarantined for unit in units),
        )

    def objects(self, stage: str) -> dict[str, bytes]:
        """Every object of a stage, current or not, with its bytes."""
        files = self.store.files
        return {entry.path: files.read(entry.path) for entry in files.list(stage)}


def replaced_prompt(folder: Path, name: str, addition: str) -> Path:
    """A folder for GLAN_PROMPTS in which one shipped template says a little more."""
    shipped = (Path(glan.__file__).parent.parent / "prompts" / f"{name}.md").read_text(encoding="utf-8")
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.md").write_text(shipped.replace("\n<!-- user -->\n", f"\n<!-- user -->\n{addition}\n", 1))
    return folder


def copied(made: Path, to: Path) -> str:
    """A store of its own with what another one holds."""
    shutil.copytree(made, to)
    return str(to)


def asks_for(payload: Mapping[str, Any]) -> str:
    """What a call is for: the properties of the reply asked for, or an answer, a question or other prose."""
    form = payload.get("response_format") or {}
    if form.get("type") == "json_schema":
        return " ".join(form["json_schema"]["schema"]["properties"])
    if payload["messages"][-1]["content"].endswith("asks next."):
        return "follow-up"
    if "answers the questions of students" in payload["messages"][0]["content"]:
        return "answer"
    return "question" if "ey concepts" in payload["messages"][-1]["content"][-400:] else "prose"
