"""A round of answers -> further turns of each conversation: what the student asks next, and its answer, as often as wanted.

Optional: without follow-ups a round goes straight on from its answers. The question model asks as a student who has
read the conversation so far; the answer model answers with that conversation as earlier turns. A pair of which a call
failed is in quarantine here and goes on all the same, as a conversation of one turn. More turns go on from fewer: their
first calls are the same requests, so the replies on record are those of the turns that are there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from msgspec import structs

from glan.gateway.reading import prose
from glan.gateway.requests import Call, Conversation, Message, Outcome, Problem
from glan.keys import normalised
from glan.languages import column
from glan.records import ASKED_WITH
from glan.stages.shared.making import Effects, Made, Row, asked_for, make, one_row_each, provenance, subject_of
from glan.stages.shared.question_shape import bare, check
from glan.stages.shared.recipe import Ingredients, Recipe
from glan.units import Receipt, Unit

Turn = dict[str, str]
"""A `question` and its `answer`."""


def plan(above: Unit, receipt: Receipt, subject: Mapping[str, Any], recipe: Recipe, edition: int = 0) -> Unit:
    """The unit that continues the conversations of the round of answers of the unit above."""
    inputs = {
        "questions": above.parents["questions"].content_digest,
        "answers": receipt.content_digest,
        "subject": [subject["name"], subject["level"]],
        "discipline": above.path[2],
    }

    def key(follow_ups: int) -> str:
        return recipe.unit_key(
            _ingredients, inputs=inputs, edition=edition, language=above.language, follow_ups=follow_ups
        )

    *fewer, wanted = (key(number) for number in range(1, recipe.config.follow_ups + 1))
    return above.below(receipt, stage="continuations", edition=edition, key=wanted, begun_as=tuple(fewer))


def _ingredients(recipe: Recipe) -> Ingredients:
    return Ingredients(
        "continuations",
        ["follow_up", "answer"],
        "question",
        {"answered_by": recipe.profile("answer").identity(), "seed": recipe.config.seed},
    )


def continued(unit: Unit, *made: Receipt) -> tuple[Unit, Receipt]:
    """The answers that a unit continues, as later stages follow from them; `made`: what has come of it."""
    answers = unit.parents["answers"]
    above: dict[str, Receipt] = {stage: parent for stage, parent in unit.parents.items() if stage != "answers"}
    parents = above | {one.stage: one for one in made}
    whole = structs.replace(
        unit, stage="answers", address=answers.unit, key=answers.key, edition=answers.edition,
        parent_digest=answers.parent_digest, parents=parents, retries=(), begun_as=(), continued_by=made,
    )  # fmt: skip
    return whole, answers


def run(unit: Unit, recipe: Recipe, effects: Effects) -> Receipt:
    """Continue each conversation, commit the further turns."""
    asks = asked_for(unit, effects.store)
    subject = subject_of(unit, effects.store)
    questions = {row["question_id"]: row for row in effects.store.read(unit.parents["questions"]).to_pylist()}
    answers = effects.store.read(unit.parents["answers"]).to_pylist()
    pairs = [(questions[answer["question_id"]], answer) for answer in answers]
    wanted = [pair for pair in pairs if asks(unit.sample(pair[0]["sample_index"]))]
    conversations = [ask(unit, subject, question, answer, recipe) for question, answer in wanted]
    return make(
        unit, conversations, lambda outcomes: read(unit, [question for question, _ in wanted], outcomes), effects
    )


def ask(
    unit: Unit, subject: Mapping[str, Any], question: Mapping[str, Any], answer: Mapping[str, Any], recipe: Recipe
) -> Conversation:
    """The conversation that brings the further turns after a question and its answer."""
    index = question["sample_index"]
    course = {"discipline": unit.path[2], "subject": subject["name"], "level": subject["level"]}
    turns: list[Turn] = [{"question": question["text"], "answer": answer["text"]}]
    # As a reader will have the conversation: without what only the first answer was told of its form.
    first = recipe.request(unit, "answer", "answer", {"question": question["text"]}, prose(), sample_index=index)
    messages = list(first.messages)
    for _ in range(recipe.config.follow_ups):
        reader = prose(partial(_check, turns=tuple(turns), language=unit.language))
        inputs = {**course, "turns": list(turns)}
        asked: Call = yield recipe.request(unit, "question", "follow_up", inputs, reader, sample_index=index)
        follow_up = bare(asked.value, unit.language)
        said_before = {"role": "assistant", "content": turns[-1]["answer"]}
        messages += [said_before, _as_asked(follow_up, recipe, unit.language)]
        said: Call = yield replace(first, messages=list(messages))
        turns.append({"question": follow_up, "answer": said.value})
    return turns[1:]


def _as_asked(question: str, recipe: Recipe, language: str) -> Message:
    """A further question as the answer model is asked it: as the first one, without what stands before that."""
    return recipe.rendered("answer", {"question": question}, language)[-1]


def _check(text: str, turns: Sequence[Turn], language: str) -> Problem | None:
    """Whether a text asks something, and something else than before."""
    if problem := check(text, language, seen="conversation"):
        return problem
    if normalised(bare(text, language)) in {normalised(turn["question"]) for turn in turns}:
        return Problem("repetition", "This was asked before; ask what comes next.")
    return None


def read(unit: Unit, questions: Sequence[Mapping[str, Any]], outcomes: Sequence[Outcome]) -> Made:
    """One row a conversation; the others are quarantined, and stay as they are."""

    def row(question: Mapping[str, Any], outcome: Outcome) -> Row:
        written = provenance(unit, outcome.calls)
        asked = provenance(unit, outcome.calls[:-1])  # the last question
        return {
            "question_id": question["question_id"],
            "subject_id": question["subject_id"],
            "discipline_id": unit.discipline_id,
            "turns": outcome.value,
            "language": column(unit.language),
            "asked_with": {name: asked[name] for name in ASKED_WITH},
            **written,
        }

    return one_row_each(questions, outcomes, row)
