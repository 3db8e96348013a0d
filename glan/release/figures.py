"""Tables of a snapshot -> the counts that a data card shows."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pyarrow as pa

from glan.config import Curation
from glan.dataset import View
from glan.units import ASKING, Stage

READS = (
    "field",
    "sub_field",
    "discipline",
    "level",
    "language",
    "strategy",
    "difficulty",
    "question_type",
    "question_model",
    "answer_model",
    "kept",
    "reasons",
    "contamination",
    "flags",
    "turns",
)
"""The columns of instructions that `Figures` needs."""


class Node(NamedTuple):
    """A discipline with its place in the tree."""

    field: str
    sub_field: str
    discipline: str


class Authors(NamedTuple):
    """Which prompt and which model wrote rows of a stage, and how it was sampled."""

    stage: Stage
    prompt_name: str
    prompt_version: int
    prompt_digest: str
    model: str
    temperature: float | None
    top_p: float | None


class Likeness(NamedTuple):
    """By what questions were compared by meaning."""

    model: str
    digest: str
    cosine: float


@dataclass
class Figures:
    """What was kept and what was rejected; fed table by table."""

    nodes: Counter[Node] = field(default_factory=Counter)
    levels: Counter[str] = field(default_factory=Counter)
    strategies: Counter[str] = field(default_factory=Counter)
    difficulties: Counter[str] = field(default_factory=Counter)
    """Kept rows of which one was asked for."""
    question_types: Counter[str] = field(default_factory=Counter)
    """Likewise."""
    models: Counter[tuple[str, str]] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    splits: Counter[str] = field(default_factory=Counter)
    contaminated: Counter[str] = field(default_factory=Counter)
    """Rejected rows by the benchmark that they hold an item of."""
    flags: Counter[str] = field(default_factory=Counter)
    """Kept rows by the check that speaks against them."""
    follow_ups: Counter[int] = field(default_factory=Counter)
    """Kept rows by the number of turns after the first; none without."""
    compared: Counter[str] = field(default_factory=Counter)
    """Rows, rejected ones too, by the benchmark whose items were looked for in them."""
    by_meaning: Counter[Likeness] = field(default_factory=Counter)
    """Rows rejected because another asks the same in other words, by what told so."""
    languages: Counter[str] = field(default_factory=Counter)
    """Kept rows by the language that they were asked for in, or, of those that were asked for in English, had to be in."""
    rejected: int = 0
    example: dict[str, Any] | None = None

    @property
    def rows(self) -> int:
        """Kept rows."""
        return self.nodes.total()

    def add_kept(self, row: dict[str, Any], split: str) -> None:
        """Count a row of the release."""
        self.nodes[Node(row["field"], row["sub_field"], row["discipline"])] += 1
        self.splits[split] += 1
        self.levels[row["level"] or ""] += 1
        self.strategies[row["strategy"]] += 1
        for counts, name in ((self.difficulties, "difficulty"), (self.question_types, "question_type")):
            counts.update([row[name]] if row[name] else [])
        if row["language"]:
            self.languages[row["language"]] += 1
        self.models[row["question_model"], row["answer_model"]] += 1
        self.flags.update(row["flags"] or ())
        if row["turns"]:
            self.follow_ups[len(row["turns"])] += 1
        self.example = self.example or row

    def add_rejected(self, table: pa.Table) -> None:
        """Count rows that were left out; a row counts under each of its reasons."""
        self.rejected += table.num_rows
        for reasons in table.column("reasons").to_pylist():
            self.reasons.update(set(reasons or ()))
        for found in table.column("contamination").drop_null().to_pylist():
            self.contaminated[found["benchmark"]] += 1

    def add_compared(self, by: Curation, rows: int) -> None:
        """Count rejected rows that were told by these settings to ask the same as another."""
        self.by_meaning[Likeness(by.embedding_model, by.embedding_digest, by.near_duplicate_cosine)] += rows

    def add_judged(self, by: Curation, rows: int) -> None:
        """Count rows that were judged by these settings."""
        self.compared.update(dict.fromkeys({benchmark.label for benchmark in by.benchmarks}, rows))


def authors(view: View) -> Counter[Authors]:
    """Rows by prompt and model over all stages that models write, in the disciplines of the view."""
    counts: Counter[Authors] = Counter()
    names = list(Authors._fields[1:])
    for stage in ASKING:
        for table in _written(view, stage, names):
            grouped = table.group_by(names).aggregate([([], "count_all")])
            for row in grouped.to_pylist():
                if row["prompt_name"] is not None:  # of a program that was run, nobody is the author
                    counts[Authors(stage, *(row[name] for name in names))] += row["count_all"]
    return counts


def _written(view: View, stage: Stage, names: list[str]) -> Iterator[pa.Table]:
    """By what the rows were written; where one model asked and another answered, by both."""
    if stage != "continuations":
        yield from view.tables(stage, names)
        return
    for table in view.tables(stage, [*names, "asked_with"]):
        yield table.select(names)
        yield pa.Table.from_struct_array(table["asked_with"])
