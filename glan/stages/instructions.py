"""Questions and answers -> instructions: joined with their place in the tree and curated, each row by itself.

What depends on other rows (duplicates across nodes) is decided afterwards, in `curation.curate`.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from glan.curation import contamination, scores
from glan.curation.contamination import Contamination
from glan.curation.rules import Example, judged
from glan.curation.signatures import signature_of
from glan.curation.verdicts import verdict
from glan.keys import Texts
from glan.stages.making import Effects, Made, Row, commit, subject_of
from glan.stages.recipe import Ingredients, Recipe
from glan.units import Receipt, Unit


def plan(above: Unit, receipt: Receipt, subject: Mapping[str, Any], recipe: Recipe, edition: int = 0) -> Unit:
    """The unit that joins and curates a round of answers; the unit above is that of the answers or of their judgements."""
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
            recipe, above.parents["questions"].content_digest, answers, judged_by, subject, above.path, edition
        ),
    )


def unit_key(
    recipe: Recipe,
    questions: str,
    answers: Receipt,
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
    if not judged_by:
        return recipe.unit_key(_ingredients, inputs=inputs, edition=edition)
    inputs["judgements"] = [one.content_digest for one in judged_by]
    return recipe.unit_key(_with_limits, inputs=inputs, edition=edition)


def _ingredients(recipe: Recipe) -> Ingredients:
    return Ingredients("instructions", parameters={"rules": recipe.rules})


def _with_limits(recipe: Recipe) -> Ingredients:
    """Those where answers were judged: the scores that they need count as well."""
    return Ingredients("instructions", parameters={"rules": recipe.rules, "limits": scores.limits(recipe.config)})


def run(unit: Unit, recipe: Recipe, effects: Effects) -> Receipt:
    """Join, judge, commit."""
    done = effects.store.find(unit)
    if done is not None:
        return done
    subject = subject_of(unit, effects.store)
    questions = {row["question_id"]: row for row in effects.store.read(unit.parents["questions"]).to_pylist()}
    answers = effects.store.read(unit.parents["answers"]).to_pylist()
    examples = [_example(questions[answer["question_id"]], answer) for answer in answers]
    found = judged(examples, recipe.config.curation)
    index = recipe.benchmarks() if recipe.benchmarks else None
    given = scores.by_question(row for one in unit.judged_by for row in effects.store.read(one).to_pylist())
    rows = []
    for answer, example, reasons in zip(answers, examples, found, strict=True):
        name = answer["question_id"]
        own = given.get(name, {})
        against = [*reasons, *scores.reasons(own, recipe.config.curation)]
        rows.append(_row(unit, subject, questions[name], answer, example, against, own, index))
    return commit(unit, Made(rows=rows), [], effects)


def _example(question: Mapping[str, Any], answer: Mapping[str, Any]) -> Example:
    return Example(question=question["text"], answer=answer["text"], finish_reason=answer["finish_reason"])


def _row(
    unit: Unit,
    subject: Mapping[str, Any],
    question: Mapping[str, Any],
    answer: Mapping[str, Any],
    example: Example,
    reasons: Iterable[str],
    given: Mapping[str, float],
    index: Contamination | None,
) -> Row:
    field, sub_field, discipline = unit.path
    found = index.match(example) if index else None
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
        "finish_reason": answer["finish_reason"],
        **verdict(against, duplicate_of=None),
        "contamination": found.row() if found else None,
        "scores": list(given.items()),
        "flags": scores.flags(given),
        "signature": signature_of(example.asked.words),
        "question_model": question["model"],
        "answer_model": answer["model"],
        "request_keys": [*question["request_keys"], *answer["request_keys"]],
        "unit_key": unit.key,
        "edition": unit.edition,
        # No model wrote these rows: they carry the run and the time of the answer they rest on.
        "run_id": answer["run_id"],
        "created_at": answer["created_at"],
    }
