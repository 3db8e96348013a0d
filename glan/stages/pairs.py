"""Two subjects of a discipline -> rounds of questions that need both; the paper never leaves a syllabus.

A subject is asked about together with those before it in the list of its discipline: ten questions with one, ten with
the next, in an order of the subject's own and in one language at a time. So further subjects and further questions only add to what there is. Two
subjects have a deck of their own (`sampling.samples_across`), whose rounds lie beside those of the later subject's
syllabus, at `<its address>--<mark of the other subject>.<start>-<stop>`, and are made from both syllabi.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from glan import supplements
from glan.keys import digest
from glan.stages.questions import (
    OTHER_SUBJECTS,
    OTHER_SYLLABI,
    address,
    kinds_in_key,
    prompts_of,
    rounds,
    span_of,
)
from glan.stages.shared.recipe import Ingredients, Recipe
from glan.units import Receipt, Unit

BLOCK = 10
"""Questions on the same two subjects before another takes its turn: their prompts share both syllabi."""

Row = Mapping[str, Any]
Span = tuple[int, int]


class Taught(NamedTuple):
    """A subject and the syllabus that it has."""

    subject: Row
    unit: Unit
    receipt: Receipt


def mark(name: str) -> str:
    """What tells a subject from the others of its discipline: the digest in its id and in the address of its syllabi."""
    return supplements.bare(name).rpartition("-")[2].partition(".")[0]


def node(syllabus_address: str, other_subject_id: str) -> str:
    """What the rounds of a syllabus together with another subject are rounds of."""
    return f"{syllabus_address}--{mark(other_subject_id)}"


def syllabi_of(round_address: str) -> tuple[str, str]:
    """The address of the syllabus that a round belongs to, and the mark of the other subject; empty if there is none."""
    syllabus, _, other = span_of(round_address)[0].partition("--")
    return syllabus, other


def turns(limit: int, partners: int) -> list[int]:
    """Of so many questions, how many fall to each of so many partners; to those at the end perhaps none."""
    given = [0] * min(partners, math.ceil(limit / BLOCK))
    for start in range(0, limit if given else 0, BLOCK):
        given[start // BLOCK % partners] += min(BLOCK, limit - start)
    return given


def partners(subject: Row, subjects: Iterable[Row], limit: int) -> dict[str, int]:
    """With which subjects a subject is asked about, by id, and how many questions with each."""
    earlier = [one["subject_id"] for one in subjects if limit and one["position"] < subject["position"]]
    # Not by the run's seed: another seed is to ask anew what is there, and not about other pairs beside it.
    earlier.sort(key=lambda other: digest([subject["subject_id"], other]))
    return dict(zip(earlier, turns(limit, len(earlier)), strict=False))


def among(subjects: int, limit: int) -> list[Span]:
    """All rounds of a discipline with so many subjects, if each gets its syllabus."""
    each = [questions for place in range(1, subjects) for questions in turns(limit, place)]
    return [span for questions in each for span in rounds([], questions, questions)]


def both(one: Receipt, other: Receipt) -> str:
    """The digest of what a round is made from: the two syllabi."""
    return digest([one.content_digest, other.content_digest])


def plan(later: Taught, earlier: Taught, span: Span, recipe: Recipe, edition: int = 0) -> Unit:
    """The unit that asks for one round of questions on two subjects."""
    above = later.unit
    other = earlier.subject["subject_id"]
    courses = [later, earlier]
    return above.below(
        later.receipt,
        stage="questions",
        address=address(node(above.address, other), span),
        node=f"{above.node} and {earlier.unit.node.rpartition('/')[2]} {span[0]}-{span[1]}",
        start=span[0],
        stop=span[1],
        edition=edition,
        other_subject_id=other,
        parents={
            **above.parents,
            "syllabi": later.receipt,
            OTHER_SUBJECTS: earlier.unit.parents["subjects"],
            OTHER_SYLLABI: earlier.receipt,
        },
        parent_digest=both(later.receipt, earlier.receipt),
        key=recipe.unit_key(
            _ingredients,
            inputs={
                "syllabi": [one.receipt.content_digest for one in courses],
                "subjects": [[one.subject["name"], one.subject["level"]] for one in courses],
                "discipline": above.path[2],
            },
            edition=edition,
            language=above.language,
            samples=span,
            **kinds_in_key(recipe, above.discipline_id, node(above.address, other), span),
        ),
    )


def _ingredients(recipe: Recipe) -> Ingredients:
    config = recipe.config
    return Ingredients(
        "questions",
        prompts_of(config, courses=2),
        "question",
        {
            "syllabus_in_question_prompt": config.syllabus_in_question_prompt,
            "questions_per_call": config.questions_per_call,
            "seed": config.seed,
        },
    )
