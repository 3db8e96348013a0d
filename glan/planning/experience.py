"""Store -> what a run to come may go by: how much each unit gave so far, and what the calls for it took.

The ledger is read as a sample spread over all disciplines, so that a forecast over millions of calls takes seconds.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from glan.checking.programs import programs_in
from glan.checking.results import result_of
from glan.store import calls, manifests
from glan.store.files import Files
from glan.store.parquet import conformed, known, opened
from glan.store.store import Store
from glan.units import STAGES, Receipt, Stage, folder_of

CHECKABLE_SHARE = 0.2
"""Of answers, those that state a result, and those with programs, assumed of each until there are answers to look at."""

SUBJECTS_PER_DISCIPLINE = (100, 200)
"""What ten lists gave in the paper (section 3.1)."""

USUAL_TOKENS: Mapping[Stage, tuple[int, int]] = {
    "subjects": (1_200, 1_800),
    "syllabi": (1_800, 2_200),
    "questions": (2_600, 150),
    "answers": (250, 500),
    "continuations": (1_200, 300),
    "judgements": (1_200, 150),
}
"""Prompt and completion tokens of a call, assumed until the store has calls of that stage to learn from."""

_Item = TypeVar("_Item")

_PARTS = 256
_UNITS = 64
_READERS = 8
_RATE_LIMITED = 429  # such a call was not taken on: it took nothing
_TOKENS = ("prompt_tokens", "cached_tokens", "completion_tokens")
_READ = ["request_key", "stage", "model", "status", *_TOKENS]


@dataclass(frozen=True, slots=True)
class Range:
    """The least, the likely and the most of a number that is not known yet."""

    least: float
    likely: float
    most: float

    @staticmethod
    def exactly(number: float) -> "Range":
        """A number that is known."""
        return Range(number, number, number)

    def __add__(self, other: "Range") -> "Range":
        return Range(self.least + other.least, self.likely + other.likely, self.most + other.most)

    def __mul__(self, other: "Range | float") -> "Range":
        by = other if isinstance(other, Range) else Range.exactly(other)
        return Range(self.least * by.least, self.likely * by.likely, self.most * by.most)


@dataclass(frozen=True, slots=True)
class CallFigures:
    """What a call of a stage takes on average, and how many calls one wanted reply takes; `calls` are what it rests on."""

    calls: int
    per_reply: float
    prompt_tokens: float
    cached_tokens: float
    completion_tokens: float


class Experience:
    """What the store teaches of all its disciplines."""

    def __init__(self, store: Store) -> None:
        self._units: dict[Stage, list[Receipt]] = {
            stage: [receipt for one in manifests.all_current(store.files, stage).values() for receipt in one.units]
            for stage in STAGES
        }
        self._store = store
        self._calls = _by_stage_and_model(store.files)
        self._accepted = _accepted(store, self._units["instructions"])

    def subjects(self, limit: int | None) -> Range:
        """Subjects of a discipline that is not listed yet: as in the store, else as in the paper."""
        few, many = SUBJECTS_PER_DISCIPLINE
        seen = [receipt.rows for receipt in self._units["subjects"]] or [few, many]
        counts = [min(rows, limit or rows) for rows in seen]
        return Range(min(counts), sum(counts) / len(counts), max(counts))

    def questions(self, wanted: int) -> Range:
        """Questions that a syllabus not yet written is asked for: as many as wanted, if its concepts allow them."""
        allowed = [min(wanted, receipt.capacity or 0) for receipt in self._units["syllabi"] if receipt.rows]
        if not allowed:
            return Range.exactly(wanted)
        return Range(min(allowed), sum(allowed) / len(allowed), wanted)

    def share(self, stage: Stage) -> Range:
        """How much of what is planned at a stage comes to be; of judged instructions, how much is accepted."""
        if stage == "instructions":
            return Range(0, self._accepted, 1) if self._accepted is not None else Range.exactly(1)
        planned = sum(receipt.planned for receipt in self._units[stage])
        made = sum(receipt.rows for receipt in self._units[stage])
        share = made / planned if planned else 1.0
        return Range(share, share, 1)

    @cached_property
    def stating_a_result(self) -> Range:
        """The share of answers whose result a second answer can be held against."""
        return self._share_of_answers(lambda text: result_of(text) is not None)

    @cached_property
    def with_programs(self) -> Range:
        """The share of answers that have programs which can be run."""
        return self._share_of_answers(lambda text: bool(programs_in(text)))

    def _share_of_answers(self, holds: Callable[[str], bool]) -> Range:
        told = [holds(text) for text in self._answers]
        share = sum(told) / len(told) if told else CHECKABLE_SHARE
        return Range(0, share, 1)

    @cached_property
    def _answers(self) -> list[str]:
        """The texts of answers from all over the store."""
        units = _spread([one for one in self._units["answers"] if one.rows], _UNITS)
        return [text for unit in units for text in self._store.read(unit, ["text"])["text"].to_pylist()]

    def calls(self, stage: Stage, model: str) -> CallFigures:
        """What calls take: those to this model so far, else to others, else what is usual."""
        found = [figures for (at, by), figures in self._calls.items() if at == stage and by == model]
        found = found or [figures for (at, _), figures in self._calls.items() if at == stage]
        if found:
            return max(found, key=lambda figures: figures.calls)
        prompt, completion = USUAL_TOKENS[stage]
        return CallFigures(0, 1.0, prompt, 0, completion)


def replies_on_record(files: Files, disciplines: Iterable[str]) -> Mapping[str, int]:
    """By unit key: replies that units not yet committed need not pay for again. The latest parts of the ledger are read."""
    parts = [entry for name in sorted(set(disciplines)) for entry in files.list(folder_of(calls.FOLDER, name))]
    latest = sorted(parts, key=lambda entry: entry.modified, reverse=True)[:_PARTS]
    rows = _read(files, [entry.path for entry in latest], ["request_key", "unit_key", "understood"])
    understood = rows.filter(rows["understood"]).group_by("unit_key").aggregate([("request_key", "count_distinct")])
    counts = zip(understood["unit_key"].to_pylist(), understood["request_key_count_distinct"].to_pylist(), strict=True)
    return dict(counts)


def _by_stage_and_model(files: Files) -> dict[tuple[str, str], CallFigures]:
    paths = [entry.path for entry in files.list(calls.FOLDER)]
    rows = _read(files, _spread(paths, _PARTS), _READ)
    taken_on = rows.filter(pc.not_equal(rows["status"], _RATE_LIMITED))
    wanted: list[tuple[object, str]] = [("request_key", "count_distinct"), ([], "count_all")]
    grouped = taken_on.group_by(["stage", "model"]).aggregate([*wanted, *((name, "mean") for name in _TOKENS)])
    return {
        (row["stage"], row["model"]): CallFigures(
            row["count_all"],
            row["count_all"] / row["request_key_count_distinct"],
            *(row[f"{name}_mean"] or 0.0 for name in _TOKENS),
        )
        for row in grouped.to_pylist()
        if row["prompt_tokens_mean"]  # an endpoint that does not count teaches nothing
    }


def _accepted(store: Store, units: Sequence[Receipt]) -> float | None:
    """The share of judged instructions that is kept; None if none was judged."""
    kept = [store.read(receipt, ["kept"])["kept"] for receipt in _spread([one for one in units if one.rows], _UNITS)]
    judged = sum(len(column) for column in kept)
    return sum(pc.sum(column).as_py() or 0 for column in kept) / judged if judged else None


def _read(files: Files, paths: Sequence[str], columns: list[str]) -> pa.Table:
    def one(path: str) -> pa.Table:
        with opened(files.open_input(path), path, "calls") as file:
            return conformed(file.read(known(file, columns)), "calls", columns)

    with ThreadPoolExecutor(_READERS) as pool:
        return pa.concat_tables([conformed(pa.table({}), "calls", columns), *pool.map(one, paths)])


def _spread(items: Sequence[_Item], most: int) -> list[_Item]:
    """At most so many, from all over."""
    if len(items) <= most:
        return list(items)
    return [items[index * len(items) // most] for index in range(most)]
