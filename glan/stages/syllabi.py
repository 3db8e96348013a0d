"""Subject -> syllabus: free text, then its class sessions with their key concepts (paper, section 2.3)."""

from collections.abc import Mapping, Sequence
from typing import Any

from glan.gateway.reading import prose, structured
from glan.gateway.requests import Call, Conversation, Outcome, Problem
from glan.keys import digest, distinct, normalised
from glan.languages import ENGLISH, branch, column
from glan.records import row_digest
from glan.replies import SyllabusSessions, syllabus_sessions
from glan.stages.sampling.capacity import capacity
from glan.stages.shared.making import Effects, Made, Row, make, provenance, subject_of
from glan.stages.shared.recipe import Ingredients, Recipe
from glan.units import Receipt, Unit


def plan(
    subject: Mapping[str, Any],
    above: Unit,
    receipt: Receipt,
    recipe: Recipe,
    edition: int = 0,
    language: str = ENGLISH,
) -> Unit:
    """The unit that writes the syllabus of one subject of the unit above in a language."""
    reads = row_digest("subjects", subject)
    name = address(subject["subject_id"])
    return above.below(
        receipt,
        stage="syllabi",
        address=branch(name, language),
        node=f"{above.discipline_id}/{branch(name.rpartition('-')[0], language)}",
        subject_id=subject["subject_id"],
        parent_digest=reads,
        edition=edition,
        key=recipe.unit_key(
            _ingredients, inputs={"subject": reads, "discipline": above.path[2]}, edition=edition, language=language
        ),
    )


def _ingredients(recipe: Recipe) -> Ingredients:
    config = recipe.config
    return Ingredients(
        "syllabi",
        ["syllabus", "syllabus_structure"] if config.two_step else ["syllabus_direct"],
        "syllabus",
        {
            "min_sessions": config.min_sessions,
            "max_sessions": config.max_sessions,
            "concepts_per_session": config.concepts_per_session,
            "seed": config.seed,
        },
    )


def address(subject_id: str) -> str:
    """A subject's name within its discipline's folder."""
    return subject_id.partition(".")[2]


def run(unit: Unit, recipe: Recipe, effects: Effects) -> Receipt:
    """Ask for the syllabus, read its sessions, commit it."""
    conversation = ask(unit, subject_of(unit, effects.store), recipe)
    return make(unit, [conversation], lambda outcomes: read(unit, outcomes), effects)


def ask(unit: Unit, subject: Mapping[str, Any], recipe: Recipe) -> Conversation:
    """The conversation that brings the syllabus of a subject."""
    config = recipe.config
    sizes = {
        "min_sessions": config.min_sessions,
        "max_sessions": config.max_sessions,
        "concepts_per_session": config.concepts_per_session,
    }
    inputs = {
        "discipline": unit.path[2],
        "subject": subject["name"],
        "level": subject["level"],
        "introduction": subject["introduction"],
        "subtopics": list(subject["subtopics"]),
        **sizes,
    }
    schema = syllabus_sessions(**sizes)
    read_sessions = structured(schema, lambda reply: check(reply, config.min_sessions))
    if not config.two_step:
        direct: Call = yield recipe.request(unit, "syllabus", "syllabus_direct", inputs, read_sessions, schema=schema)
        sessions = usable_sessions(direct.value)
        return as_text(sessions), sessions
    asked = recipe.request(unit, "syllabus", "syllabus", inputs, prose())
    written: Call = yield asked
    turns = [*asked.messages, {"role": "assistant", "content": written.value}]
    structure: Call = yield recipe.request(
        unit, "syllabus", "syllabus_structure", sizes, read_sessions, schema=schema, after=turns
    )
    return written.value, usable_sessions(structure.value)


def check(reply: SyllabusSessions, min_sessions: int) -> Problem | None:
    """Whether enough is left once repeated titles, repeated concepts and empty sessions are gone: half of what was asked.

    The schema already demands the full number; a reply that repeats itself for the rest is worth asking again.
    """
    usable = len(usable_sessions(reply))
    if usable >= (min_sessions + 1) // 2:
        return None
    return Problem(
        "few_sessions",
        f"Only {usable} sessions have a title of their own and a key concept; write {min_sessions} different sessions.",
    )


def usable_sessions(reply: SyllabusSessions) -> list[Row]:
    """Sessions with a title of their own and a concept, each concept once per session."""
    sessions: dict[str, Row] = {}
    for session in reply.sessions:
        concepts = [concept for concept in distinct(session.key_concepts) if is_concept(concept)]
        title = normalised(session.title)
        if title and title not in sessions and concepts:
            sessions[title] = {
                "title": session.title.strip(),
                "description": session.description.strip(),
                "key_concepts": concepts,
            }
    return list(sessions.values())


def is_concept(text: str) -> bool:
    """Whether a text can name a concept, and is not one word over and over."""
    words = normalised(text).split()
    different = len(set(words))
    return different > 1 or len(words) == 1 if len(words) < 5 else 2 * different > len(words)


def as_text(sessions: Sequence[Row]) -> str:
    """Sessions as the free text that the question prompt shows."""
    return "\n\n".join(
        f"Session {number}: {session['title']}\n{session['description']}\nKey concepts: {'; '.join(session['key_concepts'])}"
        for number, session in enumerate(sessions, start=1)
    )


def read(unit: Unit, outcomes: Sequence[Outcome]) -> Made:
    """One row, or its quarantine."""
    [outcome] = outcomes
    if outcome.failure:
        return Made(rows=[], failures=[outcome.failure])
    text, sessions = outcome.value
    row = {
        "syllabus_id": f"{unit.subject_id}.{digest(unit.identified([unit.subject_id, text, sessions]))[:12]}",
        "subject_id": unit.subject_id,
        "discipline_id": unit.discipline_id,
        "text": text,
        "sessions": sessions,
        "language": column(unit.language),
        **provenance(unit, outcome.calls),
    }
    return Made(rows=[row], capacity=capacity([session["key_concepts"] for session in sessions]))
