"""Syllabus -> a round of questions: sampled sessions and concepts, one question for each sample (paper, section 2.4)."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from glan import supplements
from glan.config import Curation
from glan.curation.examples import Example
from glan.curation.patterns import Guarded
from glan.curation.questions import answer_in_question
from glan.gateway.reading import prose, structured
from glan.gateway.requests import Call, Conversation, Outcome, Problem
from glan.keys import digest, normalised, seed_for
from glan.records import row_digest
from glan.replies import question_list
from glan.stages.making import Effects, Made, Row, asked_for, make, provenance, subject_of
from glan.stages.recipe import Ingredients, Recipe
from glan.stages.sampling import Sample, samples
from glan.units import Receipt, Unit

LONGEST_ROUND = 100
"""Sample indices of one unit: what a killed task has to read back, and what a progress bar counts."""

ROUND = re.compile(r"(.+)\.(\d+)-(\d+)")
"""The addresses of rounds: that of the syllabus, start and stop."""

_HEADING = re.compile(
    r"^[\W_]*(?:(?:homework|practice|exam|quiz|exercise|sample|discussion|assignment|challenge)\s+)?"
    r"(?:question|problem|exercise|assignment|homework)(?:\s+(?:\d+|statement|text))?[\s*_#]*(?::|\n|$)[\s*_]*",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"(?<=[.?!\n])")
_CODE = re.compile(r"^```.*?^```|`[^`\n]+`", re.MULTILINE | re.DOTALL)
_TAUGHT = (
    r"\b(?i:(?:cover|discuss|learn|introduc|explor|outlin|examin)ed|learnt|studied|taught|concepts?|topics?|material"
    r"|ideas|content|lecture|syllabus|course)\b"
)
_REFERS_OUTSIDE = Guarded(
    ("session", "syllabus", "key concept", "student has come to this point"),
    # "Session 3" is also a word of therapists, parliaments and protocols: it counts where something is taught in it.
    rf"\A\W*Session \d+\s*(?:[:.\u2013\u2014-]|\n)|\(Sessions? \d+|(?i:\bclass sessions? \d)"
    rf"|{_TAUGHT}[^.?!\n]{{0,80}}\bSessions? \d|\bSessions? \d[^.?!\n]{{0,80}}{_TAUGHT}"
    r"|(?i:\b(?:based|building|build|drawing|draw) (?:up)?on Sessions? \d)"
    r"|(?i:\b(?:the|these|this) (?:above|given|provided|listed|aforementioned) (?:syllabus|(?:class )?sessions?|key concepts?)\b)"
    r"|(?i:\b(?:syllabus|class sessions?|key concepts?) (?:provided |listed |given )?above\b)"
    r"|(?i:\bstudent has come to this point\b|\bconnects the two sessions\b|\bneeds (?:all (?:of )?)?(?:the|these) key concepts\b)"
    r"|(?i:\b(?:according to|based on|from) (?:the|this|our|your) (?:course )?syllabus\b)"
    r"|(?i:\b(?:covered|discussed|learned|studied|introduced|taught|listed|outlined) in (?:the|this|our|your) (?:course )?syllabus\b)"
    r"|(?i:\b(?:covered|discussed|learned|studied|introduced|taught) in (?:the |these )?"
    r"(?:(?:this|our|your|previous|earlier|class) )+sessions?\b(?! (?:of|with)\b))",
    re.NOFLAG,
)


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
            samples=span,
        ),
    )


def _ingredients(recipe: Recipe) -> Ingredients:
    config = recipe.config
    return Ingredients(
        "questions",
        ["question" if config.questions_per_call == 1 else "question_batch"],
        "question",
        {
            "cross_session_share": config.cross_session_share,
            "syllabus_in_question_prompt": config.syllabus_in_question_prompt,
            "questions_per_call": config.questions_per_call,
            "seed": config.seed,
        },
    )


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
    subject = subject_of(unit, effects.store)
    [syllabus] = effects.store.read(unit.parents["syllabi"]).to_pylist()
    config = recipe.config
    drawn = samples(
        [session["key_concepts"] for session in syllabus["sessions"]],
        seed_for("sampling", config.seed, row_digest("syllabi", syllabus)),
        config.cross_session_share,
        unit.start,
        unit.stop,
    )
    size = config.questions_per_call
    asks = asked_for(unit, effects.store)
    calls = [drawn[first : first + size] for first in range(0, len(drawn), size)]
    calls = [batch for batch in calls if asks(unit.sample(batch[0].index))]
    conversations = [ask(unit, subject, syllabus, batch, recipe) for batch in calls]
    return make(unit, conversations, lambda outcomes: read(unit, syllabus, calls, outcomes), effects)


def ask(
    unit: Unit,
    subject: Mapping[str, Any],
    syllabus: Mapping[str, Any],
    batch: Sequence[Sample],
    recipe: Recipe,
) -> Conversation:
    """The conversation that brings the questions of these samples."""
    inputs = {
        "discipline": unit.path[2],
        "subject": subject["name"],
        "level": subject["level"],
        "syllabus": syllabus["text"] if recipe.config.syllabus_in_question_prompt else None,
        "samples": [_for_prompt(sample, syllabus) for sample in batch],
    }
    index = batch[0].index
    if recipe.config.questions_per_call == 1:
        one: Call = yield recipe.request(unit, "question", "question", inputs, prose(check), sample_index=index)
        return [bare(one.value)]
    schema = question_list(len(batch))
    reader = structured(schema, lambda reply: next(filter(None, map(check, reply.questions)), None))
    many: Call = yield recipe.request(
        unit, "question", "question_batch", inputs, reader, sample_index=index, schema=schema
    )
    return [bare(question) for question in many.value.questions]


def _for_prompt(sample: Sample, syllabus: Mapping[str, Any]) -> dict[str, Any]:
    sessions = syllabus["sessions"]
    return {
        "strategy": sample.strategy,
        "key_concepts": list(sample.key_concepts),
        "sessions": [
            {"number": index + 1, "title": sessions[index]["title"], "description": sessions[index]["description"]}
            for index in sample.session_indexes
        ],
    }


def bare(question: str) -> str:
    """The question without a heading such as "Homework question:" before it."""
    return _HEADING.sub("", question, count=1).strip()


def check(question: str) -> Problem | None:
    """Whether a question has the shape of one: something asked, no answer inside, nothing that it does not carry itself.

    An answer inside is what curation takes for one, so that none is answered first and rejected then.
    """
    text = bare(question)
    if not text:
        return Problem("empty", "Only a heading was written; write the question itself.")
    if answer_in_question(Example(text, answer=""), Curation()):
        return Problem("answer_inside", "Write the question only, without its answer or solution.")
    outside = _CODE.sub("", text) if "`" in text else text
    if _REFERS_OUTSIDE.search(outside):
        return Problem(
            "not_self_contained",
            "The reader sees the question alone: do not mention the syllabus, a session or the list of key concepts.",
        )
    if outside.count("?") > 1 and _asks_twice(outside):
        return Problem("repetition", "The same is asked twice; ask each thing once.")
    return None


def _asks_twice(text: str) -> bool:
    sentences = _SENTENCE_END.split(text)
    asked = [normalised(sentence) for sentence in sentences if sentence.endswith("?") and len(sentence.split()) > 3]
    return len(set(asked)) < len(asked)


def read(
    unit: Unit, syllabus: Mapping[str, Any], calls: Sequence[Sequence[Sample]], outcomes: Sequence[Outcome]
) -> Made:
    """One row a sample; a call that failed leaves one quarantine entry for each question that it was to bring."""
    rows: list[Row] = []
    failures = []
    for batch, outcome in zip(calls, outcomes, strict=True):
        if outcome.failure:
            failures.extend([outcome.failure] * len(batch))
            continue
        rows.extend(
            _row(unit, syllabus, sample, text, outcome) for sample, text in zip(batch, outcome.value, strict=True)
        )
    return Made(rows=rows, failures=failures)


def _row(unit: Unit, syllabus: Mapping[str, Any], sample: Sample, text: str, outcome: Outcome) -> Row:
    return {
        "question_id": digest([unit.subject_id, sample.index, text])[:24],
        "syllabus_id": syllabus["syllabus_id"],
        "subject_id": unit.subject_id,
        "discipline_id": unit.discipline_id,
        "sample_index": sample.index,
        "strategy": sample.strategy,
        "session_indexes": list(sample.session_indexes),
        "key_concepts": list(sample.key_concepts),
        "text": text,
        **provenance(unit, outcome.calls),
    }
