"""The rows of one discipline, unit after unit: each is there once, has its parents, and rests on calls on record."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from glan.care.findings import Finding, Kind
from glan.care.objects import Look
from glan.languages import column, language_at
from glan.records import KIND
from glan.stages.pairs import syllabi_of
from glan.stages.questions import span_of
from glan.store.store import REMADE
from glan.units import Stage

ID: Mapping[Stage, str] = {
    "subjects": "subject_id",
    "syllabi": "syllabus_id",
    "questions": "question_id",
    "answers": "question_id",
    "continuations": "question_id",
    "judgements": "judgement_id",
    "instructions": "question_id",
}
_OF, _OF_OTHER = ("subject_id", "syllabus_id"), ("other_subject_id", "other_syllabus_id")
_ASK_AGAIN = "remove the object; the next run asks again for what is not on record"
_NEXT_RUN = "run again: what has no parent leaves the next generation"

Row = dict[str, Any]


class Lineage:
    """What has been seen of a discipline so far. Units come parents first, the stages of a round one after another.

    `calls` are the request keys on record, `prompts` the digests of the prompts that are kept.
    """

    def __init__(self, calls: Collection[str], prompts: Collection[str]) -> None:
        self._calls, self._prompts = calls, prompts
        self._seen: dict[Stage, set[str]] = {stage: set() for stage in ID}
        self._subject_of: dict[str, str] = {}  # by syllabus
        self._round: dict[Stage, dict[str, Row]] = {}

    def begin_round(self) -> None:
        """The units that follow are of another round than those before."""
        self._round.clear()

    def follow(self, look: Look) -> Iterator[Finding]:
        """Take the next unit in; what is wrong with its rows."""
        if look.rows is None:
            return
        stage, rows = look.receipt.stage, look.rows.to_pylist()
        yield from self._twice(look, [row[ID[stage]] for row in rows])
        yield from self._origins(look)
        wrong = list(filter(None, (self._against_parents(look, row) for row in rows)))
        if wrong:
            kind, problem = wrong[0]
            yield _finding(kind, look, f"{_some(len(wrong))} {problem}", _NEXT_RUN if kind == "orphan" else REMADE)
        self._round.setdefault(stage, {}).update({row[ID[stage]]: row for row in rows})

    def _twice(self, look: Look, ids: Sequence[str]) -> Iterator[Finding]:
        seen = self._seen[look.receipt.stage]
        repeated = []
        for one in ids:
            if one in seen:
                repeated.append(one)
            seen.add(one)
        if repeated:
            problem = f"{_some(len(repeated))} a {ID[look.receipt.stage]} that is there before, such as {repeated[0]}"
            yield _finding("duplicate", look, problem, REMADE)

    def _origins(self, look: Look) -> Iterator[Finding]:
        rows = look.rows
        assert rows is not None
        lost = _missing(rows, "request_keys", self._calls)
        if lost:
            problem = f"{len(lost)} of the calls that its rows rest on are not on record, such as {lost[0]}"
            yield _finding("lost", look, problem, _ASK_AGAIN)
        stamped = [name for name in ("prompt_digest", "asked_with") if name in rows.column_names]
        if lost := [one for name in stamped for one in _missing(rows, name, self._prompts)]:
            problem = f"the prompt it was written by, {lost[0]}, is not kept under _inputs/prompts"
            yield _finding("lost", look, problem, "restore it from a backup, or run again with that prompt")

    def _against_parents(self, look: Look, row: Row) -> tuple[Kind, str] | None:
        stage = look.receipt.stage
        if "language" in row and row["language"] != column(language_at(look.receipt.unit)):
            return "mixed", f"another language than their unit, such as {row[ID[stage]]}"
        if stage == "syllabi":
            self._subject_of[row["syllabus_id"]] = row["subject_id"]
            return self._known(stage, "subjects", row["subject_id"])
        if stage == "questions":
            return self._question(look, row)
        if stage == "answers":
            return self._in_round("questions", row, {"subject_id": "subject_id"})
        if stage in ("continuations", "judgements"):
            return self._in_round("answers", row, {"subject_id": "subject_id"})
        if stage == "instructions":
            if row["kept"] == bool(row["reasons"]):
                return "mixed", "kept although reasons speak against them, or the other way round"
            same = {name: name for name in (*_OF, *_OF_OTHER, *KIND)} | {"question": "text"}
            return self._in_round("questions", row, same) or self._in_round("answers", row, {"answer": "text"})
        return None

    def _known(self, stage: Stage, above: Stage, parent: str) -> tuple[Kind, str] | None:
        return None if parent in self._seen[above] else ("orphan", f"no parent in {above}, such as {parent}")

    def _question(self, look: Look, row: Row) -> tuple[Kind, str] | None:
        for subject, syllabus in (_OF, *([_OF_OTHER] if syllabi_of(look.receipt.unit)[1] else [])):
            if (orphaned := self._known("questions", "syllabi", row[syllabus])) is not None:
                return orphaned
            if self._subject_of[row[syllabus]] != row[subject]:
                return "mixed", f"another subject than their syllabus, such as {row['question_id']}"
        start, stop = span_of(look.receipt.unit)[1]
        if not start <= row["sample_index"] < stop:
            return "mixed", f"a sample index outside their round, such as {row['sample_index']}"
        return None

    def _in_round(self, above: Stage, row: Row, same: Mapping[str, str]) -> tuple[Kind, str] | None:
        parent = self._round.get(above, {}).get(row["question_id"])
        if parent is None:
            return "orphan", f"no parent in {above}, such as {row['question_id']}"
        if any(row[column] != parent[theirs] for column, theirs in same.items()):
            return "mixed", f"another text or place than their {above}, such as {row['question_id']}"
        return None


def _missing(rows: pa.Table, column: str, known: Collection[str]) -> list[str]:
    """The values of a column, a list of texts or a text, that are not known; of one that tells of a prompt, its digest."""
    told = rows[column].to_pylist()
    values: Iterable[Any] = (one["prompt_digest"] if isinstance(one, dict) else one for one in told)
    flat = (one for value in values for one in (value if isinstance(value, list) else [value]))
    return [one for one in dict.fromkeys(flat) if one is not None and one not in known]


def _some(rows: int) -> str:
    return "1 row has" if rows == 1 else f"{rows} rows have"


def _finding(kind: Kind, look: Look, problem: str, remedy: str) -> Finding:
    return Finding(kind, look.receipt.object, problem, remedy)
