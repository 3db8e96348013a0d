"""A store as large as a finished run leaves it, without asking a model: for measurements of what reads stores.

python -m bench.store_maker FOLDER [--disciplines 126] [--subjects 127] [--rounds 7] [--questions 100] [--whole]

Every unit is planned by the stages themselves, so addresses, keys and object names are those of a real run, and the
generations that name them are published through the store. Subjects are real Parquet, for planning reads their rows.
The objects of the other stages are empty files unless `--whole` asks for their rows: planning sees only their names.
"""

import argparse
import datetime
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from glan.clock import now
from glan.config import RunConfig
from glan.curation.signatures import signature
from glan.keys import digest
from glan.planning import settled
from glan.planning.recipes import last_config, recipe_of
from glan.planning.scope import walks
from glan.planning.walk import survey
from glan.records import SCHEMAS, content_digest, table
from glan.settings import Settings
from glan.stages import answers, instructions, questions, subjects, syllabi
from glan.stages.shared.recipe import Recipe
from glan.store import manifests, snapshots, taxonomies
from glan.store.files import LAYOUT
from glan.store.store import Store
from glan.taxonomy import Discipline
from glan.units import Receipt, Unit
from tasks.preparation import prepare
from tasks.wiring import recipe

RUN_ID = "00000000-0000-4000-8000-000000000000"

Row = dict[str, Any]
Keep = Callable[[Unit, int, Callable[[int], Row]], Receipt]
"""Puts a unit with so many rows into the store, each made of its number."""


@dataclass(frozen=True)
class Size:
    """How much there is: of each discipline, of each subject, of each round."""

    disciplines: int = 126
    subjects: int = 127
    rounds: int = 7
    questions: int = 100

    @property
    def asked(self) -> int:
        """Questions in all."""
        return self.disciplines * self.subjects * self.rounds * self.questions

    @property
    def units(self) -> int:
        """Units of all stages."""
        return self.disciplines * (1 + self.subjects * (1 + 3 * self.rounds))


def make_store(size: Size, whole: bool = False) -> Store:
    """Fill the store of the settings; `whole`: with the rows of every unit, not only of subjects."""
    settings = Settings.load()
    config = RunConfig(subjects=size.subjects, questions=size.rounds * size.questions)
    order = prepare(config, RUN_ID)
    store, made = Store.open(settings.store), recipe(order)
    disciplines = list(islice(taxonomies.current(store), size.disciplines))
    keep = committed(store) if whole else named_only(store)
    shown: dict[str, dict[str, int]] = {}
    for discipline in disciplines:
        shown[discipline.discipline_id] = _publish(store, discipline, list(_units(discipline, size, made, keep, store)))
    snapshots.publish(store.files, shown, RUN_ID, now)
    return store


def leave_notes(size: Size) -> None:
    """Note in the store of the settings that nothing is left to do, as a run does at its end."""
    settings = Settings.load()
    store = Store.open(settings.store)
    config = last_config(store, settings)
    assert config is not None
    chosen = list(islice(taxonomies.current(store), size.disciplines))
    for walk in walks(store, chosen, recipe_of(config, settings)):
        settled.note(store, walk, survey(walk))


def disciplines_in(folder: Path) -> list[str]:
    """The disciplines that a store in a local folder holds something of."""
    return sorted(path.name for path in (folder / LAYOUT / manifests.FOLDER / "subjects").iterdir())


def committed(store: Store) -> Keep:
    """Units with all their rows."""

    def keep(unit: Unit, count: int, row: Callable[[int], Row]) -> Receipt:
        empty = dict.fromkeys(SCHEMAS[unit.stage].names)
        full = [{**empty, **_common(unit), **row(number)} for number in range(count)]
        found = content_digest(unit.stage, full)
        capacity = 100_000 if unit.stage == "syllabi" else None
        return store.commit(
            unit, table(unit.stage, full), planned=len(full), content_digest=found, capacity=capacity, calls=len(full)
        )

    return keep


def named_only(store: Store) -> Keep:
    """Units whose objects are empty files of the right name, in a local folder; subjects with their rows."""
    with_rows = committed(store)
    folders: set[Path] = set()

    def keep(unit: Unit, count: int, row: Callable[[int], Row]) -> Receipt:
        if unit.stage == "subjects":
            return with_rows(unit, count, row)
        path = Path(store.files.address(unit.object))
        if path.parent not in folders:
            path.parent.mkdir(parents=True, exist_ok=True)
            folders.add(path.parent)
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
        return _receipt(unit, count)

    return keep


def _receipt(unit: Unit, rows: int) -> Receipt:
    return Receipt(
        stage=unit.stage,
        discipline_id=unit.discipline_id,
        unit=unit.address,
        key=unit.key,
        object=unit.object,
        rows=rows,
        sha256=digest(unit.address),
        planned=rows,
        content_digest=digest([unit.stage, unit.address]),
        parent_digest=unit.parent_digest,
        capacity=100_000 if unit.stage == "syllabi" else None,
        calls=rows,
        prompt_tokens=400 * rows,
        completion_tokens=300 * rows,
    )


def _units(discipline: Discipline, size: Size, made: Recipe, keep: Keep, store: Store) -> Iterator[Receipt]:
    """The receipts of all units of a discipline, parents first."""
    top = subjects.plan(discipline, made)
    listed = keep(top, size.subjects, lambda number: _subject(discipline, number))
    yield listed
    for subject in store.read(listed).to_pylist():
        unit = syllabi.plan(subject, top, listed, made)
        syllabus = keep(unit, 1, partial(_syllabus, unit))
        yield syllabus
        for start in range(0, size.rounds * size.questions, size.questions):
            span = (start, start + size.questions)
            yield from _round(questions.plan(subject, span, unit, syllabus, made), subject, made, keep)


def _round(asking: Unit, subject: Row, made: Recipe, keep: Keep) -> Iterator[Receipt]:
    def question(number: int) -> Row:
        return _question(asking, asking.start + number)

    count = asking.stop - asking.start
    asked = keep(asking, count, question)
    answering = answers.plan(asking, asked, made)
    answered = keep(answering, count, lambda number: _answer(question(number)))
    judging = instructions.plan(answering, answered, subject, made)
    yield from (asked, answered, keep(judging, count, lambda number: _instruction(question(number))))


def _common(unit: Unit) -> Row:
    stamp = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    return {
        "unit_key": unit.key,
        "edition": unit.edition,
        "run_id": RUN_ID,
        "created_at": stamp,
        "discipline_id": unit.discipline_id,
    }


def _subject(discipline: Discipline, number: int) -> Row:
    name = f"{discipline.discipline} {number}"
    return {
        "subject_id": subjects.subject_id(discipline.discipline_id, name),
        "name": name,
        "level": "undergraduate",
        "introduction": f"An introduction to {name}.",
        "subtopics": [f"{name}, part {part}" for part in range(5)],
        "lists_found_in": 1,
        "position": number,
    }


def _syllabus(unit: Unit, _: int) -> Row:
    return {"subject_id": unit.subject_id, "text": "A syllabus.", "sessions": []}


def _question(unit: Unit, index: int) -> Row:
    return {
        "question_id": digest([unit.address, index])[:24],
        "subject_id": unit.subject_id,
        "sample_index": index,
        "strategy": "single_session",
        "session_indexes": [0],
        "key_concepts": ["a concept"],
        "text": f"What is asked as number {index} of {unit.address}?",
    }


def _answer(question: Row) -> Row:
    return {
        "question_id": question["question_id"],
        "subject_id": question["subject_id"],
        "text": "An answer.",
        "finish_reason": "stop",
    }


def _instruction(question: Row) -> Row:
    return {
        "question_id": question["question_id"],
        "subject_id": question["subject_id"],
        "question": question["text"],
        "answer": "An answer.",
        "kept": True,
        "reasons": [],
        "signature": signature(question["text"]),
    }


def _publish(store: Store, discipline: Discipline, receipts: Sequence[Receipt]) -> dict[str, int]:
    """The generation of each stage."""
    by_stage: dict[Any, list[Receipt]] = {}
    for receipt in receipts:
        by_stage.setdefault(receipt.stage, []).append(receipt)
    return {
        stage: manifests.publish(
            store.files, stage, discipline.discipline_id, add=some, run_id=RUN_ID, clock=now
        ).generation
        for stage, some in by_stage.items()
    }


def add_size(options: argparse.ArgumentParser) -> None:
    """The options that `size_of` reads."""
    for name, usual in vars(Size()).items():
        options.add_argument(f"--{name}", type=int, default=usual)


def size_of(given: argparse.Namespace) -> Size:
    """The size asked for."""
    return Size(given.disciplines, given.subjects, given.rounds, given.questions)


def main() -> None:
    """Make one."""
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("folder", type=Path)
    options.add_argument("--whole", action="store_true", help="write the rows of every unit")
    add_size(options)
    given = options.parse_args()
    os.environ |= settings_of(given.folder)
    size = size_of(given)
    make_store(size, given.whole)
    print(f"{given.folder}: {size.units:,} units, {size.asked:,} questions")


def settings_of(folder: Path) -> dict[str, str]:
    """The environment in which the store is the one of the settings, and a model is named that nobody asks."""
    return {
        "GLAN_STORE": str(folder),
        "GLAN_MODEL": "none",
        "OPENAI_BASE_URL": "http://127.0.0.1:9/v1",
        "OPENAI_API_KEY": "none",
    }


if __name__ == "__main__":
    main()
