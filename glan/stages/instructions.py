"""Questions and answers -> instructions: joined with their place in the tree and curated, each row by itself.

What depends on other rows (duplicates across nodes) is decided afterwards, in `curation.curate`.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

from glan.curation import contamination, scores, turns, typed_answers
from glan.curation.contamination import Contamination
from glan.curation.rules import Example, judged
from glan.curation.signatures import signature_of
from glan.curation.verdicts import verdict
from glan.keys import Texts
from glan.languages import column, language_at
from glan.records import KIND, OTHER
from glan.stages.shared.making import Effects, Made, Row, commit, subject_of
from glan.stages.shared.recipe import Ingredients, Recipe
from glan.units import Receipt, Unit


def plan(above: Unit, receipt: Receipt, subject: Mapping[str, Any], recipe: Recipe, edition: int = 0) -> Unit:
    """The unit that joins and curates a round of answers; the unit above is that of the answers or of their judgements.

    Of answers that were continued, the unit above knows it.
    """
    is_judged = above.stage == "judgements"
    answers = above.parents["answers"] if is_judged else receipt
    judged_by = (*above.retries, receipt) if is_judged else ()
    return above.below(
        receipt,
        stage="instructions",
        address=answers.unit,
        parent_digest=answers.content_digest,
        edition=edition,
        judged_by=judged_by,
        key=unit_key(
            recipe,
            above.parents["questions"].content_digest,
            answers,
            above.continued_by,
            judged_by,
            subject,
            above.path,
            edition,
        ),
    )


def unit_key(
    recipe: Recipe,
    questions: str,
    answers: Receipt,
    continued_by: Sequence[Receipt],
    judged_by: Sequence[Receipt],
    subject: Mapping[str, Any],
    path: Sequence[str],
    edition: int,
) -> str:
    """The key of the verdicts on these answers to questions of this content digest, by the rules of the recipe."""
    inputs: dict[str, Texts] = {
        "questions": questions,
        "answers": answers.content_digest,
        "subject": [subject["name"], subject["level"]],
        "path": path,
    }
    if continued_by:
        inputs["continuations"] = [one.content_digest for one in continued_by]
    if judged_by:
        inputs["judgements"] = [one.content_digest for one in judged_by]
    ingredients = _with_limits if judged_by else _ingredients
    further = {"turns": turns.VERSION} if continued_by else {}
    return recipe.unit_key(ingredients, inputs=inputs, edition=edition, language=language_at(answers.unit), **further)


def _ingredients(recipe: Recipe) -> Ingredients:
    return Ingredients("instructions", parameters={"rules": recipe.rules, **typed_answers.identity(recipe.config)})


def _with_limits(recipe: Recipe) -> Ingredients:
    """Those where answers were judged: the scores that they need count as well."""
    plain, limits = _ingredients(recipe), {"limits": scores.limits(recipe.config)}
    return plain._replace(parameters={**plain.parameters, **limits})


def run(unit: Unit, recipe: Recipe, effects: Effects) -> Receipt:
    """Join, judge, commit."""
    done = effects.store.find(unit)
    if done is not None:
        return done
    subject = subject_of(unit, effects.store)
    questions = {row["question_id"]: row for row in effects.store.read(unit.parents["questions"]).to_pylist()}
    answers = effects.store.read(unit.parents["answers"]).to_pylist()
    further = {row["question_id"]: row for one in unit.continued_by for row in effects.store.read(one).to_pylist()}
    language = column(unit.language)
    conversations = [
        _conversation(questions[answer["question_id"]], answer, further.get(answer["question_id"]), language)
        for answer in answers
    ]
    settings = recipe.config.curation
    found = judged([first for first, *_ in conversations], settings)
    found_in_turns = turns.reasons(conversations, settings)
    index = recipe.benchmarks() if recipe.benchmarks else None
    given = scores.by_question(row for one in unit.judged_by for row in effects.store.read(one).to_pylist())
    rows = []
    for answer, conversation, *reasons in zip(answers, conversations, found, found_in_turns, strict=True):
        name = answer["question_id"]
        own = given.get(name, {})
        of_its_kind = typed_answers.reasons(questions[name], conversation[0], settings)
        against = [*chain(*reasons), *of_its_kind, *scores.reasons(own, settings)]
        row = _row(unit, subject, questions[name], answer, conversation, against, own, index)
        rows.append(_continued(row, further[name]) if name in further else row)
    return commit(unit, Made(rows=rows), [], effects)


def _conversation(
    question: Mapping[str, Any], answer: Mapping[str, Any], continuation: Mapping[str, Any] | None, language: str | None
) -> list[Example]:
    """The pair, and the turns after it if there are any."""
    first = Example(question["text"], answer["text"], answer["finish_reason"], language)
    return [first, *(Example(**turn, language=language) for turn in (continuation["turns"] if continuation else ()))]


def _row(
    unit: Unit,
    subject: Mapping[str, Any],
    question: Mapping[str, Any],
    answer: Mapping[str, Any],
    conversation: Sequence[Example],
    reasons: Iterable[str],
    given: Mapping[str, float],
    index: Contamination | None,
) -> Row:
    field, sub_field, discipline = unit.path
    found = turns.match(index, conversation) if index else None
    against = [*reasons, *([contamination.CODE] if found else [])]
    return {
        "question_id": question["question_id"],
        "syllabus_id": question["syllabus_id"],
        "subject_id": unit.subject_id,
        "discipline_id": unit.discipline_id,
        "field": field,
        "sub_field": sub_field,
        "discipline": discipline,
        "subject": subject["name"],
        "level": subject["level"],
        "sample_index": question["sample_index"],
        "strategy": question["strategy"],
        "session_indexes": question["session_indexes"],
        "key_concepts": question["key_concepts"],
        "question": question["text"],
        "answer": answer["text"],
        "language": column(unit.language),
        "finish_reason": answer["finish_reason"],
        "turns": None,
        **verdict(against, duplicate=None),
        "contamination": found.row() if found else None,
        "scores": list(given.items()),
        "flags": scores.flags(given),
        "signature": signature_of(conversation[0].asked.words),
        **{name: question[name] for name in (*KIND, *OTHER)},
        "question_model": question["model"],
        "answer_model": answer["model"],
        "request_keys": [*question["request_keys"], *answer["request_keys"]],
        "unit_key": unit.key,
        "edition": unit.edition,
        # No model wrote these rows: they carry the run and the time of the answer they rest on.
        "run_id": answer["run_id"],
        "created_at": answer["created_at"],
    }


def _continued(row: Row, continuation: Mapping[str, Any]) -> Row:
    """The row with its further turns: the last calls that it rests on."""
    last = {name: continuation[name] for name in ("turns", "run_id", "created_at")}
    return {**row, **last, "request_keys": [*row["request_keys"], *continuation["request_keys"]]}
