"""Sampled rows -> what each rests on: its syllabus and subject, and for each of them the prompts and the raw replies.

A prompt is not kept but made again, from the rows and from the recipes on record, and shown only if its request key is
the one on the row: then it is, letter for letter, what was sent. A raw reply is shown as it was received.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from glan import supplements
from glan.dataset import View
from glan.errors import InputError
from glan.gateway.recall import recall
from glan.gateway.requests import Call, Conversation, Message, Request
from glan.report.coverage import GoOn
from glan.report.samples import Sample
from glan.stages import answers, continuations, pairs, questions, subjects, syllabi
from glan.stages.sampling.decks import Sample as Drawn
from glan.stages.shared.recipe import Recipe
from glan.stages.shared.recorded import recorded
from glan.store import calls
from glan.store.ahead import ahead
from glan.units import Receipt, Unit

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Exchange:
    """One request: what was sent (none if it cannot be made again), and its attempts, the last one understood."""

    request_key: str
    prompt: str
    messages: Sequence[Message]
    attempts: Sequence[Row]


@dataclass(frozen=True)
class Origin:
    """What a sample rests on; a syllabus or subject that is gone is empty."""

    syllabus: Row
    subject: Row
    question: tuple[Exchange, ...]
    answer: tuple[Exchange, ...]
    further: tuple[Exchange, ...]
    """Of the turns after the first; none without."""

    syllabus_calls: tuple[Exchange, ...]
    subject_calls: tuple[Exchange, ...]
    """Of the first list that named the subject."""
    other_syllabus: Row
    """Of a question that spans two subjects; else empty."""


@dataclass(frozen=True)
class _Above:
    """The rows that a sample was made from, with the units that hold them."""

    sample: Sample
    questions: tuple[Receipt, list[Row]] | None
    answers: list[Receipt]
    continuation: tuple[Receipt, Row] | None
    syllabus: tuple[Receipt, Row] | None
    subject: tuple[Receipt, Row] | None
    other_syllabus: tuple[Receipt, Row] | None
    other_subject: tuple[Receipt, Row] | None

    @property
    def keys(self) -> set[str]:
        """Requests behind any of it."""
        rows = [self.sample.row, *(one[1] for one in (self.syllabus, self.subject) if one)]
        return {key for row in rows for key in row["request_keys"] or ()}


def origins(view: View, some: Sequence[Sample], go_on: GoOn = lambda: None) -> list[Origin]:
    """Of each sample, in their order."""
    above = list(_above(view, some, go_on))
    wanted = set[str]().union(*(one.keys for one in above))
    disciplines = {one.unit.discipline_id for one in some}
    go_on()
    replies = calls.of_requests(view.store.files, disciplines, wanted) if wanted else {}
    teller = _Teller(recorded(view.store.files), replies)
    found = []
    for one in above:
        go_on()
        found.append(teller.origin(one))
    return found


def _above(view: View, some: Sequence[Sample], go_on: GoOn) -> Iterator[_Above]:
    """Read the rows above the samples, each object once."""
    asked, answered = _by_round(view.receipts("questions")), _by_round(view.receipts("answers"))
    continued = _by_round(view.receipts("continuations"))
    syllabus_of = {(one.discipline_id, one.unit): one for one in view.receipts("syllabi")}
    marked = {(one.discipline_id, pairs.mark(one.unit)): one for one in view.receipts("syllabi") if one.rows}
    lists: dict[str, list[Receipt]] = defaultdict(list)
    for receipt in view.receipts("subjects"):
        lists[receipt.discipline_id].append(receipt)

    @cache
    def rows(receipt: Receipt) -> list[Row]:
        found: list[Row] = view.store.read(receipt).to_pylist()
        return found

    def holder(receipts: Iterable[Receipt | None], name: str, wanted: str | None) -> tuple[Receipt, Row] | None:
        held = ((receipt, one) for receipt in receipts if receipt and wanted for one in rows(receipt))
        return next((pair for pair in held if pair[1][name] == wanted), None)

    def above(sample: Sample) -> _Above:
        go_on()
        row, place = sample.row, (sample.unit.discipline_id, supplements.bare(sample.unit.unit))
        question = holder(asked.get(place, ()), "question_id", row["question_id"])
        syllabus, mark = pairs.syllabi_of(place[1])
        return _Above(
            sample=sample,
            questions=(question[0], _batch(rows(question[0]), question[1])) if question else None,
            answers=answered.get(place, []),
            continuation=holder(continued.get(place, ()), "question_id", row["question_id"]) if row["turns"] else None,
            syllabus=holder([syllabus_of.get((place[0], syllabus))], "syllabus_id", row["syllabus_id"]),
            subject=holder(lists[place[0]], "subject_id", row["subject_id"]),
            other_syllabus=holder([marked.get((place[0], mark))], "syllabus_id", row["other_syllabus_id"]),
            other_subject=holder(lists[place[0]], "subject_id", row["other_subject_id"]),
        )

    return ahead(above, some)


def _by_round(receipts: Iterable[Receipt]) -> dict[tuple[str, str], list[Receipt]]:
    """A round and what supplements have added to it."""
    found: dict[tuple[str, str], list[Receipt]] = defaultdict(list)
    for receipt in receipts:
        found[receipt.discipline_id, supplements.bare(receipt.unit)].append(receipt)
    return found


def _batch(rows: Sequence[Row], question: Row) -> list[Row]:
    """The questions that came with one call."""
    same = (row for row in rows if row["request_keys"] == question["request_keys"])
    return sorted(same, key=lambda row: row["sample_index"])


class _Teller:
    """Makes requests again and puts the replies on record beside them."""

    def __init__(self, recipes: Sequence[Recipe], replies: Mapping[str, Sequence[Row]]) -> None:
        self._recipes, self._replies = recipes, replies

    def origin(self, above: _Above) -> Origin:
        row = above.sample.row
        path = row["field"], row["sub_field"] or "", row["discipline"]
        asked = list(above.questions[1][0]["request_keys"] or ()) if above.questions else []
        further = list(above.continuation[1]["request_keys"] or ()) if above.continuation else []
        written = [key for key in row["request_keys"] or () if key not in {*asked, *further}]
        syllabus, subject = (one[1] if one else {} for one in (above.syllabus, above.subject))
        listed = list(subject.get("request_keys") or ())
        return Origin(
            syllabus=syllabus,
            subject=subject,
            question=self._told(_asking(above, path, self._recipes), asked),
            answer=self._told(_answering(above, path, self._recipes), written),
            further=self._told(_continuing(above, path, self._recipes), further),
            syllabus_calls=self._told(_teaching(above, path, self._recipes), syllabus.get("request_keys") or ()),
            subject_calls=self._told(_listing(above, path, self._recipes), listed, first=True),
            other_syllabus=above.other_syllabus[1] if above.other_syllabus else {},
        )

    def _told(
        self, conversations: Iterable[Conversation], keys: Sequence[str], first: bool = False
    ) -> tuple[Exchange, ...]:
        """The requests of these keys, as the first conversation has them that is about one; `first`: only its own."""
        carried = (self._carried_on(one, keys) for one in conversations)
        requests = next((found for found in carried if found), [])
        made = {request.key: request for request in requests}
        shown = list(made) if first and made else list(keys)[: 1 if first else None]
        return tuple(
            Exchange(
                request_key=key,
                prompt=f"{one.prompt.name} {one.prompt.version}" if (one := made.get(key)) else "",
                messages=one.messages if one else (),
                attempts=self._replies.get(key, ()),
            )
            for key in shown
        )

    def _carried_on(self, conversation: Conversation, keys: Sequence[str]) -> list[Request]:
        """Its requests as far as they have these keys and replies on record."""
        requests: list[Request] = []
        try:
            request = next(conversation)
            while request.key in keys:
                requests.append(request)
                found = recall(request, self._replies.get(request.key, ()))
                if not isinstance(found, Call):
                    break
                request = conversation.send(found)
        except (StopIteration, InputError, LookupError):  # at its end; or what is above has changed since
            pass
        finally:
            conversation.close()
        return requests


_Path = tuple[str, str, str]


def _asking(above: _Above, path: _Path, recipes: Iterable[Recipe]) -> Iterator[Conversation]:
    if not (above.questions and above.syllabus and above.subject):
        return
    receipt, rows = above.questions
    drawn = [
        Drawn(
            row["sample_index"],
            row["strategy"],
            tuple(row["session_indexes"]),
            tuple(row["key_concepts"]),
            tuple(row["other_session_indexes"] or ()),
        )
        for row in rows
    ]
    courses = [(above.subject[1], above.syllabus[1])]
    if above.other_subject and above.other_syllabus:
        courses.append((above.other_subject[1], above.other_syllabus[1]))
    unit = _unit(receipt, path, above.sample.row["subject_id"])
    for recipe in recipes:
        yield questions.ask(unit, courses, drawn, recipe)


def _answering(above: _Above, path: _Path, recipes: Iterable[Recipe]) -> Iterator[Conversation]:
    row = above.sample.row
    question = {"text": row["question"], "sample_index": row["sample_index"], "question_type": row["question_type"]}
    for recipe in recipes:
        for receipt in above.answers:
            yield answers.ask(_unit(receipt, path, row["subject_id"]), question, recipe)


def _continuing(above: _Above, path: _Path, recipes: Iterable[Recipe]) -> Iterator[Conversation]:
    row = above.sample.row
    question = {"text": row["question"], "sample_index": row["sample_index"]}
    if above.continuation and above.subject:
        unit = _unit(above.continuation[0], path, row["subject_id"])
        for recipe in (one for one in recipes if one.config.follow_ups):
            yield continuations.ask(unit, above.subject[1], question, {"text": row["answer"]}, recipe)


def _teaching(above: _Above, path: _Path, recipes: Iterable[Recipe]) -> Iterator[Conversation]:
    if above.syllabus and above.subject:
        unit = _unit(above.syllabus[0], path, above.sample.row["subject_id"])
        yield from (syllabi.ask(unit, above.subject[1], recipe) for recipe in recipes)


def _listing(above: _Above, path: _Path, recipes: Iterable[Recipe]) -> Iterator[Conversation]:
    if above.subject:
        unit = _unit(above.subject[0], path, "")
        yield from (subjects.ask(unit, recipe, index) for recipe in recipes for index in range(recipe.config.lists))


def _unit(receipt: Receipt, path: _Path, subject_id: str) -> Unit:
    """As it was when it made its requests."""
    return Unit(
        stage=receipt.stage,
        discipline_id=receipt.discipline_id,
        address=receipt.unit,
        key=receipt.key,
        edition=receipt.edition,
        node=receipt.unit,
        path=path,
        subject_id=subject_id,
    )
