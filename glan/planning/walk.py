"""The way of one discipline through the stages: which unit follows which, and which of them are done.

A flow and a person's `status` walk the same way: the unit that lists the subjects, then whatever follows from the
receipts of what is done. Nothing below a unit is known before the unit itself is done.
"""

import hashlib
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

from glan import __version__, supplements
from glan.errors import Unreadable
from glan.keys import digest
from glan.languages import LANGUAGES, branch
from glan.planning.pairing import Pairing, Waiting
from glan.records import READ_BY_LATER_STAGES
from glan.stages import answers, continuations, instructions, judgements, pairs, questions, subjects, syllabi
from glan.stages.shared.recipe import Recipe
from glan.store import manifests
from glan.store.manifests import Manifest
from glan.store.store import Store
from glan.taxonomy import Discipline
from glan.units import OPTIONAL, STAGES, Receipt, Scope, Stage, Unit


def named_units(current: Mapping[Stage, Manifest | None]) -> dict[Stage, dict[str, Receipt]]:
    """The receipts that manifests name, by stage and address."""
    return {
        stage: {receipt.unit: receipt for receipt in manifest.units} if (manifest := current.get(stage)) else {}
        for stage in STAGES
    }


class Shelf:
    """What the store holds of one discipline: what its manifests name, and objects not yet named."""

    def __init__(self, store: Store, discipline_id: str, generations: Mapping[Stage, int]) -> None:
        self._store = store
        self.discipline_id = discipline_id
        self.generations = dict(generations)
        self._objects: dict[Stage, set[str]] = {}
        self._rounds: dict[str, list[tuple[int, int]]] | None = None
        self._supplements: dict[Stage, dict[str, set[int]]] = {}

    @cached_property
    def named(self) -> dict[Stage, dict[str, Receipt]]:
        """The receipts that the generations name, by stage and address."""
        read = partial(manifests.at, self._store.files)
        with ThreadPoolExecutor(len(STAGES)) as pool:
            found = {
                stage: pool.submit(read, stage, self.discipline_id, number)
                for stage, number in self.generations.items()
            }
        return named_units({stage: future.result() for stage, future in found.items()})

    @cached_property
    def content(self) -> str:
        """Digest of the generations and of the names of all objects."""
        names = "\n".join(sorted(path for stage in STAGES for path in self._listed(stage)))
        return digest([self.generations, hashlib.sha256(names.encode()).hexdigest()])

    def done(self, unit: Unit) -> Receipt | None:
        """The receipt of a unit that is committed: named with this key, or there as an object of exactly its name.

        What is named but no longer there does not count: that unit is made again, from the calls on record.
        """
        named, there = self.named[unit.stage].get(unit.address), self._listed(unit.stage)
        if named is not None and named.key == unit.key and named.object in there:
            return named
        if unit.object not in there:
            return None
        return self._store.find(unit)

    def names(self, unit: Unit) -> bool:
        """Whether the manifests name exactly this unit, be it there or not."""
        named = self.named[unit.stage].get(unit.address)
        return named is not None and named.key == unit.key

    def published(self, unit: Unit) -> Receipt | None:
        """What is named at a unit's address and is there, whatever it was made from."""
        named = self.named[unit.stage].get(unit.address)
        return named if named is not None and named.object in self._listed(unit.stage) else None

    def rounds(self, node: str) -> list[tuple[int, int]]:
        """The rounds that are published for a syllabus or a pair, or, where none is, those that lie in the folder."""
        if self._rounds is None:
            named = self.named["questions"]
            others = self._listed("questions").difference(receipt.object for receipt in named.values())
            names = (path.rpartition("/")[2].rpartition("-")[0] for path in others)
            self._rounds = {**_spans(names), **_spans(named)}
        return self._rounds.get(node, [])

    def capacity_of_pair(self, node: str, made_from: str) -> int | None:
        """How many questions two syllabi allow, as the published rounds on them say; None if there are none."""
        receipt = self._of_pairs.get(node)
        return receipt.capacity if receipt and receipt.parent_digest == made_from else None

    @property
    def has_pairs(self) -> bool:
        """Whether any round on two subjects is published."""
        return bool(self._of_pairs)

    @cached_property
    def _of_pairs(self) -> dict[str, Receipt]:
        """A published round of each pair."""
        named = self.named["questions"].items()
        return {questions.span_of(at)[0]: receipt for at, receipt in named if pairs.syllabi_of(at)[1]}

    def supplements(self, unit: Unit) -> list[int]:
        """The numbers of the retries after which there is a supplement of a unit, lowest first; some may be of others."""
        if unit.stage not in self._supplements:
            paths = (path.rpartition("/")[2].rpartition("-")[0] for path in self._listed(unit.stage))
            found = self._supplements[unit.stage] = {}
            for address in (*self.named[unit.stage], *paths):
                of, number = supplements.split(unit.stage, address)
                found.setdefault(of, set()).add(number)
        original, last = supplements.split(unit.stage, unit.address)
        return sorted(number for number in self._supplements[unit.stage].get(original, ()) if number > last)

    def _listed(self, stage: Stage) -> set[str]:
        if stage not in self._objects:
            self._objects[stage] = self._store.objects(stage, self.discipline_id)
        return self._objects[stage]


def _spans(addresses: Iterable[str]) -> dict[str, list[tuple[int, int]]]:
    """The rounds among these addresses, by the address of their syllabus; what is no round is passed over."""
    found: dict[str, list[tuple[int, int]]] = {}
    for address in addresses:
        if part := questions.ROUND.fullmatch(address):
            found.setdefault(part[1], []).append((int(part[2]), int(part[3])))
    return found


class Walk:
    """The units of one discipline in the order in which they can be made, as far as its scope goes."""

    def __init__(
        self,
        discipline: Discipline,
        recipe: Recipe,
        store: Store,
        shelf: Shelf,
        scope: Scope = Scope(),
        editions: Mapping[Stage, int] | None = None,
        retry: int = 0,
    ) -> None:
        """`retry`: the number of the retry that is open, or to be opened, where the scope is one."""
        self.discipline = discipline
        self.recipe = recipe
        self._store = store
        self.shelf = shelf
        self._scope = scope
        self._editions = editions or {}
        self._retry = retry
        self._above_scope = frozenset(STAGES[: STAGES.index(scope.stage)])
        self._subjects: dict[str, dict[str, Any]] = {}
        self._pairing = self._no_pairs()

    @cached_property
    def basis(self) -> str:
        """Digest of all that a survey of this walk depends on."""
        parts = (__version__, self.recipe.identity, self.discipline.path, self._editions, self._scope.model_dump())
        return digest([*parts, self._retry, self.shelf.content])

    def first(self) -> list[Unit]:
        """The unit that everything else follows from; none if it is not there and not to be made."""
        self._pairing = self._no_pairs()
        return self._known([subjects.plan(self.discipline, self.recipe, self._edition("subjects"))])

    def after(self, unit: Unit, receipt: Receipt) -> list[Unit]:
        """The units below this one that are done, or can be made now that this one is committed."""
        supplement = self._supplement(unit, receipt) if receipt.quarantined else []
        if unit.stage in OPTIONAL and supplement:
            return supplement  # what follows takes all that is said of its answers into account
        return self._known(self._below(unit, receipt)) + supplement

    def done(self, unit: Unit) -> Receipt | None:
        """The receipt that stands for a unit: its own, or, where nothing is to change, what is published there."""
        receipt = self.shelf.done(unit)
        if receipt is None and (unit.stage in self._above_scope or self._scope.mode == "missing"):
            return self.shelf.published(unit)
        return receipt

    def _known(self, units: list[Unit]) -> list[Unit]:
        return [unit for unit in units if self._to_make(unit) or self._is_there(unit)]

    def _is_there(self, unit: Unit) -> bool:
        """Whether anything stands for a unit, even what turns out to be unreadable once the unit is taken up itself."""
        try:
            return self.done(unit) is not None
        except Unreadable:
            return True

    def _to_make(self, unit: Unit) -> bool:
        """Whether the unit is this run's to make if it is not done."""
        if unit.stage in self._above_scope:
            return False
        if self._scope.mode == "retry":
            asked_again = unit.stage == "instructions" and max(len(unit.judged_by), len(unit.continued_by)) > 1
            is_new = unit.address not in self.shelf.named[unit.stage] or asked_again
            return is_new and not self.shelf.names(unit) and _below_supplement(unit)
        return self._scope.mode != "stale" or unit.address in self.shelf.named[unit.stage] or self._parent_is_new(unit)

    def _parent_is_new(self, unit: Unit) -> bool:
        return any(self.shelf.named[parent.stage].get(parent.unit) != parent for parent in unit.made_from)

    def _edition(self, stage: Stage) -> int:
        return self._editions.get(stage, 0)

    def _supplement(self, unit: Unit, receipt: Receipt) -> list[Unit]:
        """The unit that has asked again what this one has left in quarantine, or that is to do so in this run."""
        for number in self.shelf.supplements(unit):
            supplement = supplements.supplement_of(unit, receipt, number)
            if self.shelf.names(supplement) or self.shelf.done(supplement):
                return [supplement]
        _, last = supplements.split(unit.stage, unit.address)
        wanted = last < self._retry and self._is_selected(receipt)
        return [supplements.supplement_of(unit, receipt, self._retry)] if wanted else []

    def _is_selected(self, receipt: Receipt) -> bool:
        if self._scope.stages and receipt.stage not in self._scope.stages:
            return False
        if not self._scope.kinds:
            return True
        found = self._store.read_quarantine(receipt)["error_kind"].to_pylist()
        return not set(self._scope.kinds).isdisjoint(found)

    def _below(self, unit: Unit, receipt: Receipt) -> list[Unit]:
        if unit.stage == "subjects":
            return self._syllabi(unit, receipt)
        if unit.stage == "syllabi" and receipt.rows:
            return self._rounds(unit, receipt)
        if unit.stage == "questions" and receipt.rows:
            return [answers.plan(unit, receipt, self.recipe, self._edition("answers"))]
        if unit.stage == "answers" and receipt.rows:
            return self._continuations(unit, receipt) or self._judged(unit, receipt)
        if unit.stage == "continuations":
            return self._judged(*continuations.continued(unit, *unit.retries, receipt))
        if unit.stage == "judgements":
            return [self._instructions(unit, receipt)]
        return []

    def _continuations(self, unit: Unit, receipt: Receipt) -> list[Unit]:
        """The further turns after these answers, if any are wanted, and there or to be made."""
        if "continuations" not in self.recipe.stages:
            return []
        subject, edition = self._subjects[unit.subject_id], self._edition("continuations")
        return self._known([continuations.plan(unit, receipt, subject, self.recipe, edition)])

    def _judged(self, unit: Unit, receipt: Receipt) -> list[Unit]:
        """What follows from answers that are not, or no further, to be continued."""
        return self._known(self._judgements(unit, receipt)) or [self._instructions(unit, receipt)]

    def _judgements(self, unit: Unit, receipt: Receipt) -> list[Unit]:
        """The judgements on these answers, if any are wanted."""
        if "judgements" not in self.recipe.stages:
            return []
        return [judgements.plan(unit, receipt, self.recipe, self._edition("judgements"))]

    def is_judged(self, unit: Unit) -> bool:
        """Of continuations that are to come: whether the judgements on their answers are there, which stay the same."""
        return all(self.done(one) for one in self._judgements(*continuations.continued(unit)))

    def _instructions(self, unit: Unit, receipt: Receipt) -> Unit:
        subject = self._subjects[unit.subject_id]
        return instructions.plan(unit, receipt, subject, self.recipe, self._edition("instructions"))

    def _syllabi(self, unit: Unit, receipt: Receipt) -> list[Unit]:
        read = self._store.read(receipt, ["subject_id", "position", *READ_BY_LATER_STAGES["subjects"]])
        rows = sorted(read.to_pylist(), key=lambda row: int(row["position"]))
        self._subjects |= {row["subject_id"]: row for row in rows}
        self._pairing.listed(rows)
        limit, edition = self.recipe.config.subjects, self._edition("syllabi")
        within = [row for row in rows if limit is None or row["position"] < limit]
        return [
            syllabi.plan(row, unit, receipt, self.recipe, edition, language)
            for row in within
            for language in self._languages(syllabi.address(row["subject_id"]))
        ]

    def _languages(self, subject: str) -> list[str]:
        """Those of a subject's syllabi: as asked for, and, if all that readers see is at stake, those that are there."""
        asked = self.recipe.config.languages
        if not self._scope.covers_published:
            return asked
        there = self.shelf.named["syllabi"]
        return [*asked, *(one for one in LANGUAGES if one not in asked and branch(subject, one) in there)]

    def _rounds(self, unit: Unit, receipt: Receipt) -> list[Unit]:
        wanted = self._scope.questions.get(f"{unit.discipline_id}/{unit.address}", self.recipe.config.questions)
        spans = questions.rounds(self.shelf.rounds(unit.address), wanted, receipt.capacity or 0)
        subject = self._subjects[unit.subject_id]
        edition = self._edition("questions")
        own = [questions.plan(subject, span, unit, receipt, self.recipe, edition) for span in spans]
        shared = self._pairing.taught(pairs.Taught(subject, unit, receipt))
        return [*own, *(pairs.plan(later, earlier, span, self.recipe, edition) for later, earlier, span in shared)]

    def _no_pairs(self) -> Pairing:
        def keeps() -> bool:
            return self._scope.covers_published and self.shelf.has_pairs

        limit = self.recipe.config.cross_subject_questions
        return Pairing(limit, self.shelf.rounds, self.shelf.capacity_of_pair, keeps)

    def waiting_pairs(self, ready: Iterable[Unit]) -> list[Waiting]:
        """Rounds on two subjects that follow once syllabi which can be made now are there; to be asked after a look at all."""
        return self._pairing.waiting({(unit.language, unit.subject_id) for unit in ready if unit.stage == "syllabi"})

    def all(self, passed_over: list[tuple[Unit, str]] | None = None) -> Iterator[tuple[Unit, Receipt | None]]:
        """Every unit that is known, with its receipt if it is done, parents before children.

        Those that cannot be told, or below which nothing can, because an object is unreadable, are passed over:
        with the reason, onto this list.
        """
        waiting = deque(self.first())
        while waiting:
            unit = waiting.popleft()
            try:
                receipt = self.done(unit)
                below = self.after(unit, receipt) if receipt is not None else []
            except Unreadable as error:
                if passed_over is not None:
                    passed_over.append((unit, str(error)))
                continue
            yield unit, receipt
            waiting.extend(below)


def _below_supplement(unit: Unit) -> bool:
    return any(supplements.follows_from_one(parent.unit) for parent in unit.parents.values())


@dataclass(frozen=True)
class Survey:
    """One look at a discipline: what is done and what can be made at once."""

    done: dict[Stage, dict[str, tuple[Unit, Receipt]]] = field(default_factory=lambda: {stage: {} for stage in STAGES})
    ready: list[Unit] = field(default_factory=list)
    unreadable: list[tuple[Unit, str]] = field(default_factory=list)
    """Units of which, or below which, nothing can be told since an object cannot be read; and why."""

    @property
    def complete(self) -> bool:
        """Whether nothing is left to do."""
        return not self.ready and not self.unreadable

    @property
    def receipts(self) -> list[Receipt]:
        """Of everything that is done."""
        return [receipt for stage in self.done.values() for _, receipt in stage.values()]


def survey(walk: Walk) -> Survey:
    """Walk a discipline once."""
    seen = Survey()
    for unit, receipt in walk.all(seen.unreadable):
        if receipt is None:
            seen.ready.append(unit)
        else:
            seen.done[unit.stage][unit.address] = (unit, receipt)
    return seen
