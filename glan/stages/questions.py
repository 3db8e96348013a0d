"""Syllabus -> a round of questions: sampled sessions and concepts, one question for each sample (paper, section 2.4).

A round on two subjects (`stages.pairs`) is made in the same way, of two syllabi.
"""

import re
from collections.abc import Hashable, Mapping, Sequence
from functools import partial
from typing import Any

from glan import supplements
from glan.config import RunConfig
from glan.gateway.reading import prose, structured
from glan.gateway.requests import Call, Conversation, Outcome, Problem
from glan.keys import digest, seed_for
from glan.languages import column
from glan.records import OTHER, row_digest
from glan.replies import QuestionList, question_list
from glan.stages.sampling import kinds
from glan.stages.sampling.capacity import capacity_across
from glan.stages.sampling.decks import Sample, samples, samples_across
from glan.stages.sampling.kinds import Kind
from glan.stages.shared.making import Effects, Made, Row, asked_for, make, provenance
from glan.stages.shared.recipe import Ingredients, Recipe
from glan.stages.shared.typed_questions import Written, check, written
from glan.store.store import Store
from glan.units import Receipt, Unit

LONGEST_ROUND = 100
"""Sample indices of one unit: what a killed task has to read back, and what a progress bar counts."""

ROUND = re.compile(r"(.+)\.(\d+)-(\d+)")
"""The addresses of rounds: that of the syllabus, start and stop."""

OTHER_SUBJECTS, OTHER_SYLLABI = "other subjects", "other syllabi"
"""Under these names a unit on two subjects has the parents that hold the other one."""

Course = tuple[Mapping[str, Any], Mapping[str, Any]]
"""A subject and its syllabus."""


def rounds(existing: Sequence[tuple[int, int]], wanted: int, capacity: int) -> list[tuple[int, int]]:
    """Rounds `[start, stop)` of a syllabus: those there are, and further ones for what is missing of the wanted number.

    Raising the number adds rounds and changes none; lowering it leaves out those that begin beyond it. What a round
    before it covers is not asked again. A syllabus whose concept sets are all dealt gets no further round.
    """
    end = min(wanted, capacity)
    found: list[tuple[int, int]] = []
    reached = 0
    for start, stop in [*sorted(existing, key=lambda span: (span[0], -span[1])), (end, end)]:
        if reached <= start <= end:
            found += [(gap, min(gap + LONGEST_ROUND, start)) for gap in range(reached, start, LONGEST_ROUND)]
            found += [(start, stop)] if start < min(end, stop) else []
            reached = max(start, stop)
    return found


def plan(
    subject: Mapping[str, Any], span: tuple[int, int], above: Unit, receipt: Receipt, recipe: Recipe, edition: int = 0
) -> Unit:
    """The unit that asks for one round of questions on the syllabus of the unit above."""
    return above.below(
        receipt,
        stage="questions",
        address=address(above.address, span),
        node=f"{above.node} {span[0]}-{span[1]}",
        start=span[0],
        stop=span[1],
        edition=edition,
        key=recipe.unit_key(
            _ingredients,
            inputs={
                "syllabus": receipt.content_digest,
                "subject": [subject["name"], subject["level"]],
                "discipline": above.path[2],
            },
            edition=edition,
            language=above.language,
            samples=span,
            **kinds_in_key(recipe, above.discipline_id, above.address, span),
        ),
    )


def _ingredients(recipe: Recipe) -> Ingredients:
    config = recipe.config
    return Ingredients(
        "questions",
        prompts_of(config),
        "question",
        {
            "cross_session_share": config.cross_session_share,
            "syllabus_in_question_prompt": config.syllabus_in_question_prompt,
            "questions_per_call": config.questions_per_call,
            "seed": config.seed,
        },
    )


def prompt_of(config: RunConfig, courses: int = 1) -> str:
    """The prompt of a round on one course or on two."""
    return f"question{'_across' if courses > 1 else ''}{'_batch' if config.questions_per_call > 1 else ''}"


def prompts_of(config: RunConfig, courses: int = 1) -> list[str]:
    """That prompt, and the one that says what kind of questions to write where any is asked for."""
    return [prompt_of(config, courses), *([kinds.QUESTION] if kinds.asked_for(config) else [])]


def kinds_in_key(recipe: Recipe, discipline_id: str, node: str, span: tuple[int, int]) -> dict[str, Hashable]:
    """The kinds of a round as part of its key: never the weights, so that others make only those rounds stale which they change."""
    if not recipe.asks_for_kinds:
        return {}
    return {"kinds": tuple(kinds.kinds(recipe.config, f"{discipline_id}/{node}", *span))}


def address(node: str, span: tuple[int, int]) -> str:
    """Syllabus and round, for the object's name."""
    return f"{node}.{span[0]:06d}-{span[1]:06d}"


def span_of(unit_address: str) -> tuple[str, tuple[int, int]]:
    """The syllabus's address and the round of an address, that of a supplement included."""
    node, _, span = supplements.bare(unit_address).rpartition(".")
    start, _, stop = span.partition("-")
    return node, (int(start), int(stop))


def run(unit: Unit, recipe: Recipe, effects: Effects) -> Receipt:
    """Sample, ask, commit the questions of a round."""
    courses = _courses(unit, effects.store)
    drawn = _drawn(unit, courses, recipe.config)
    size = recipe.config.questions_per_call
    asks = asked_for(unit, effects.store)
    calls = [drawn[first : first + size] for first in range(0, len(drawn), size)]
    calls = [batch for batch in calls if asks(unit.sample(batch[0].index))]
    conversations = [ask(unit, courses, batch, recipe) for batch in calls]
    return make(unit, conversations, lambda outcomes: read(unit, courses, calls, outcomes, recipe.config), effects)


def _courses(unit: Unit, store: Store) -> list[Course]:
    """What the round is about: a subject with its syllabus, or two."""

    def course(subject_id: str, listed: Receipt, written: Receipt) -> Course:
        subjects: list[Row] = store.read(listed).to_pylist()
        [syllabus] = store.read(written).to_pylist()
        return next(row for row in subjects if row["subject_id"] == subject_id), syllabus

    above = unit.parents
    found = [course(unit.subject_id, above["subjects"], above["syllabi"])]
    if unit.other_subject_id:
        found.append(course(unit.other_subject_id, above[OTHER_SUBJECTS], above[OTHER_SYLLABI]))
    return found


def _drawn(unit: Unit, courses: Sequence[Course], config: RunConfig) -> list[Sample]:
    seed = seed_for("sampling", config.seed, *(row_digest("syllabi", syllabus) for _, syllabus in courses))
    concepts = [_concepts(course) for course in courses]
    if len(concepts) > 1:
        return samples_across(concepts[0], concepts[1], seed, unit.start, unit.stop)
    return samples(concepts[0], seed, config.cross_session_share, unit.start, unit.stop)


def _concepts(course: Course) -> list[list[str]]:
    return [session["key_concepts"] for session in course[1]["sessions"]]


def ask(unit: Unit, courses: Sequence[Course], batch: Sequence[Sample], recipe: Recipe) -> Conversation:
    """The conversation that brings the questions of these samples."""
    shown = recipe.config.syllabus_in_question_prompt
    taught = [
        {"subject": subject["name"], "level": subject["level"], "syllabus": syllabus["text"] if shown else None}
        for subject, syllabus in courses
    ]
    samples_shown = [_for_prompt(sample, courses) for sample in batch]
    inputs = {"discipline": unit.path[2], **taught[0], "courses": taught, "samples": samples_shown}
    name, index, language = prompt_of(recipe.config, len(courses)), batch[0].index, unit.language
    some = [kind_of(unit, sample.index, recipe.config) for sample in batch]
    also = (kinds.QUESTION, {"samples": [kind._asdict() for kind in some]}) if any(map(any, some)) else None
    request = partial(recipe.request, unit, "question", name, inputs, sample_index=index, also=also)
    if recipe.config.questions_per_call == 1:
        one: Call = yield request(prose(partial(check, kind=some[0], language=language)))
        return [written(one.value, some[0], language)]
    schema = question_list(len(batch))

    def check_each(reply: QuestionList) -> Problem | None:
        pairs = zip(reply.questions, some, strict=True)
        return next(filter(None, (check(question, kind, language) for question, kind in pairs)), None)

    many: Call = yield request(structured(schema, check_each), schema=schema)
    return [written(question, kind, language) for question, kind in zip(many.value.questions, some, strict=True)]


def kind_of(unit: Unit, index: int, config: RunConfig) -> Kind:
    """What the question of a sample of the unit is to be."""
    node, _ = span_of(unit.address)
    [kind] = kinds.kinds(config, f"{unit.discipline_id}/{node}", index, index + 1)
    return kind


def _for_prompt(sample: Sample, courses: Sequence[Course]) -> dict[str, Any]:
    places = zip(courses, (sample.session_indexes, sample.other_session_indexes), strict=False)
    return {
        "strategy": sample.strategy,
        "key_concepts": list(sample.key_concepts),
        "sessions": [
            {"course": subject["name"], "number": index + 1, "title": one["title"], "description": one["description"]}
            for (subject, syllabus), indexes in places
            for index in indexes
            for one in [syllabus["sessions"][index]]
        ],
    }


def read(
    unit: Unit,
    courses: Sequence[Course],
    calls: Sequence[Sequence[Sample]],
    outcomes: Sequence[Outcome],
    config: RunConfig,
) -> Made:
    """One row a sample; a call that failed leaves one quarantine entry for each question that it was to bring."""
    rows: list[Row] = []
    failures = []
    for batch, outcome in zip(calls, outcomes, strict=True):
        if outcome.failure:
            failures.extend([outcome.failure] * len(batch))
            continue
        rows.extend(
            _row(unit, courses, sample, question, kind_of(unit, sample.index, config), outcome)
            for sample, question in zip(batch, outcome.value, strict=True)
        )
    capacity = capacity_across(*map(_concepts, courses)) if len(courses) > 1 else None
    return Made(rows=rows, failures=failures, capacity=capacity)


def _row(unit: Unit, courses: Sequence[Course], sample: Sample, question: Written, kind: Kind, outcome: Outcome) -> Row:
    asked_about = [unit.subject_id, *([unit.other_subject_id] if unit.other_subject_id else [])]
    return {
        **dict.fromkeys(OTHER),
        "question_id": digest(unit.identified([*asked_about, sample.index, question.text]))[:24],
        "syllabus_id": courses[0][1]["syllabus_id"],
        "subject_id": unit.subject_id,
        "discipline_id": unit.discipline_id,
        "sample_index": sample.index,
        "strategy": sample.strategy,
        "session_indexes": list(sample.session_indexes),
        "key_concepts": list(sample.key_concepts),
        **question._asdict(),
        **kind._asdict(),
        "language": column(unit.language),
        **(_other(courses[1], sample) if len(courses) > 1 else {}),
        **provenance(unit, outcome.calls),
    }


def _other(course: Course, sample: Sample) -> Row:
    """The columns of a question on two subjects."""
    subject, syllabus = course
    return {
        "other_subject_id": subject["subject_id"],
        "other_subject": subject["name"],
        "other_syllabus_id": syllabus["syllabus_id"],
        "other_session_indexes": list(sample.other_session_indexes),
        "other_key_concepts": list(sample.other_key_concepts),
    }
