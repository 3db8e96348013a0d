"""One discipline's units, made again from above: a recipe on record gives the key of one that is wanted, the log its replies."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from glan import supplements
from glan.errors import InputError, StoreError, StoreWeather
from glan.gateway.gateway import Gateway
from glan.replay.recorded import NothingToWrite, NotOnRecord, RecordedReplies, no_clock
from glan.replay.wanted import Wanted
from glan.stages import answers, continuations, instructions, judgements, pairs, questions, subjects, syllabi
from glan.stages.pairs import Taught
from glan.stages.shared.making import Effects
from glan.stages.shared.recipe import Recipe
from glan.store.calls import CallHistory, CallLog
from glan.store.store import Store
from glan.taxonomy import Discipline
from glan.units import OPTIONAL, Receipt, Stage, Unit

RUN: Mapping[Stage, Callable[[Unit, Recipe, Effects], Receipt]] = {
    "subjects": subjects.run,
    "syllabi": syllabi.run,
    "questions": questions.run,
    "answers": answers.run,
    "continuations": continuations.run,
    "judgements": judgements.run,
    "instructions": instructions.run,
}

Row = dict[str, Any]


@dataclass(frozen=True)
class Rebuilt:
    """A unit that is wanted, and its receipt in the scratch store; None with the reason if it could not be made."""

    unit: Unit
    receipt: Receipt | None
    reason: str = ""


@dataclass
class Rebuilding:
    """The wanted units of one discipline, parents before children, each once, made in a store that begins empty."""

    scratch: Store
    history: CallHistory
    wanted: Wanted
    places: Sequence[Discipline]
    """The discipline as the versions of the taxonomy have it."""
    recipes: Sequence[Recipe]
    editions: Sequence[int]
    _subjects: dict[str, Row] = field(default_factory=dict)
    _taught: list[Taught] = field(default_factory=list)
    """Every version of every syllabus that could be made."""
    _rebuilt: dict[str, Rebuilt] = field(default_factory=dict)
    _ways: set[tuple[str, ...]] = field(default_factory=set)
    """Units with the continuations that they know of: judgements are the same with others, what follows is not."""

    def units(self) -> Iterator[Rebuilt]:
        """Every unit that is wanted and whose parents could be made."""
        waiting = [
            (subjects.plan(place, recipe, edition), recipe)
            for place in self.places
            for recipe in self.recipes
            for edition in self.editions
        ]
        while waiting:
            unit, recipe = waiting.pop()
            way = unit.object, *(one.key for one in unit.continued_by)
            if way in self._ways or unit.object not in self.wanted:
                continue
            self._ways.add(way)
            rebuilt = self._rebuilt.get(unit.object)
            if rebuilt is None:
                rebuilt = self._rebuilt[unit.object] = self._made(unit, recipe)
                yield rebuilt
            if rebuilt.receipt is not None:
                waiting += self._after(unit, rebuilt.receipt, recipe)

    def _made(self, unit: Unit, recipe: Recipe) -> Rebuilt:
        """The unit as that one of its makers made it whose object was committed; as the last made it if none is known to."""
        last: Receipt | None = None
        ended = self.wanted.committed(unit.object)
        for maker in self.wanted.makers(unit.key) or [""]:
            if last is not None:
                self._discard(last)
            try:
                last = RUN[unit.stage](unit, recipe, self._effects(maker, ended))
            except StoreWeather:
                raise
            except (NotOnRecord, StoreError, InputError) as error:  # the last: what it rests on cannot be run here
                return Rebuilt(unit, None, str(error))
            if self.wanted.fits(unit.object, last):
                break
        return Rebuilt(unit, last)

    def _discard(self, receipt: Receipt) -> None:
        if receipt.quarantined:
            self.scratch.files.delete(self.scratch.quarantine_object(receipt))
        self.scratch.files.delete(receipt.object)

    def _effects(self, maker: str, ended: bool) -> Effects:
        return Effects(
            store=self.scratch,
            gateway=cast(Gateway, RecordedReplies(maker, ended)),  # stages only run conversations and wait
            log=cast(CallLog, NothingToWrite()),
            history=lambda discipline_id: self.history,
            forget=lambda discipline_id: None,
            run_id="",
            clock=no_clock,
        )

    def _after(self, unit: Unit, receipt: Receipt, made_with: Recipe) -> Iterator[tuple[Unit, Recipe]]:
        """What may follow, by any recipe on record: a part of the data may have been made by another than its parents."""
        if receipt.quarantined:
            _, last = supplements.split(unit.stage, unit.address)
            numbers = (number for number in self.wanted.retries(unit) if number > last)
            yield from ((supplements.supplement_of(unit, receipt, number), made_with) for number in numbers)
        if not receipt.rows and unit.stage not in OPTIONAL:
            return
        if unit.stage == "subjects":
            rows: list[Row] = self.scratch.read(receipt).to_pylist()
            self._subjects |= {row["subject_id"]: row for row in rows}
        if unit.stage == "syllabi":
            self._taught.append(Taught(self._subjects[unit.subject_id], unit, receipt))
        for recipe in self.recipes:
            for edition in self.editions:
                yield from ((below, recipe) for below in self._below(unit, receipt, recipe, edition))

    def _on_two_subjects(self, recipe: Recipe, edition: int) -> Iterator[Unit]:
        """The rounds on the syllabus that was made last and on each of those before it."""
        *before, last = self._taught
        for other in (one for one in before if one.unit.language == last.unit.language):
            for later, earlier in ((last, other), (other, last)):
                for span in self.wanted.rounds(pairs.node(later.unit.address, earlier.subject["subject_id"])):
                    yield pairs.plan(later, earlier, span, recipe, edition)

    def _below(self, unit: Unit, receipt: Receipt, recipe: Recipe, edition: int) -> Iterator[Unit]:
        if unit.stage == "subjects":
            rows: list[Row] = self.scratch.read(receipt).to_pylist()
            for language in sorted(self.wanted.languages):
                yield from (syllabi.plan(row, unit, receipt, recipe, edition, language) for row in rows)
        elif unit.stage == "syllabi":
            subject = self._subjects[unit.subject_id]
            for span in self.wanted.rounds(unit.address):
                yield questions.plan(subject, span, unit, receipt, recipe, edition)
            yield from self._on_two_subjects(recipe, edition)
        elif unit.stage == "questions":
            yield answers.plan(unit, receipt, recipe, edition)
        else:
            yield from self._below_answers(unit, receipt, recipe, edition)

    def _below_answers(self, unit: Unit, receipt: Receipt, recipe: Recipe, edition: int) -> Iterator[Unit]:
        """What may follow from answers, from their continuations, and from judgements on them."""
        subject = self._subjects[unit.subject_id]
        if unit.stage == "continuations":
            unit, receipt = continuations.continued(unit, *unit.retries, receipt)
        elif unit.stage == "answers" and "continuations" in recipe.stages:
            yield continuations.plan(unit, receipt, subject, recipe, edition)
        if unit.stage == "answers" and "judgements" in recipe.stages:
            yield judgements.plan(unit, receipt, recipe, edition)
        if unit.stage in ("answers", "judgements"):
            yield instructions.plan(unit, receipt, subject, recipe, edition)
