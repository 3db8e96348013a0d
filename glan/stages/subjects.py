"""Discipline -> subjects: several independent lists (paper, section 2.2), merged by name."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from glan.gateway.reading import prose, structured
from glan.gateway.requests import Call, Conversation, Outcome, Problem
from glan.keys import digest, distinct, normalised, slug
from glan.replies import ListedSubject, SubjectList, subject_list
from glan.spellings import grouped, spellings_of, standing
from glan.stages.shared.making import Effects, Made, Row, asked_for, make, provenance
from glan.stages.shared.recipe import Ingredients, Recipe
from glan.taxonomy import Discipline
from glan.units import Receipt, Unit

MOST_WORDS = 15
"""Of a subject's name; what is longer is a sentence."""


def plan(discipline: Discipline, recipe: Recipe, edition: int = 0) -> Unit:
    """The unit that makes all subjects of a discipline."""
    return Unit(
        stage="subjects",
        discipline_id=discipline.discipline_id,
        address=discipline.discipline_id,
        node=discipline.discipline_id,
        path=(discipline.field, discipline.sub_field, discipline.discipline),
        edition=edition,
        key=recipe.unit_key(
            _ingredients, inputs=[discipline.field, discipline.sub_field, discipline.discipline], edition=edition
        ),
    )


def _ingredients(recipe: Recipe) -> Ingredients:
    config = recipe.config
    return Ingredients(
        "subjects",
        ["subject_list", "subject_structure"] if config.two_step else ["subject_direct"],
        "subject",
        {"lists": config.lists, "subjects_per_list": config.subjects_per_list, "seed": config.seed},
    )


def run(unit: Unit, recipe: Recipe, effects: Effects) -> Receipt:
    """Ask for the lists, merge them, commit the subjects."""
    asks = asked_for(unit, effects.store)
    lists = [index for index in range(recipe.config.lists) if asks(unit.sample(index))]
    conversations = [ask(unit, recipe, index) for index in lists]
    known = [name for one in unit.retries for name in effects.store.read(one, ["name"])["name"].to_pylist()]
    return make(unit, conversations, lambda outcomes: read(unit, outcomes, known), effects)


def ask(unit: Unit, recipe: Recipe, index: int) -> Conversation:
    """The conversation that brings one list."""
    field, sub_field, discipline = unit.path
    inputs = {"field": field, "sub_field": sub_field, "discipline": discipline}
    schema = subject_list(recipe.config.subjects_per_list)
    read_list = structured(schema, lambda reply: check(reply, unit.path))
    if not recipe.config.two_step:
        direct: Call = yield recipe.request(
            unit, "subject", "subject_direct", inputs, read_list, sample_index=index, schema=schema
        )
        return direct.value.subjects
    asked = recipe.request(unit, "subject", "subject_list", inputs, prose(), sample_index=index)
    listed: Call = yield asked
    turns = [*asked.messages, {"role": "assistant", "content": listed.value}]
    structure: Call = yield recipe.request(
        unit, "subject", "subject_structure", {}, read_list, sample_index=index, schema=schema, after=turns
    )
    return structure.value.subjects


def check(reply: SubjectList, path: tuple[str, str, str]) -> Problem | None:
    """Whether a list names anything that a course could be about."""
    if any(is_subject(subject, path) for subject in reply.subjects):
        return None
    return Problem("no_subjects", f"The list names no subject within {path[2]}; name the subjects that belong to it.")


def is_subject(subject: ListedSubject, path: tuple[str, str, str]) -> bool:
    """Whether a name is that of a subject, and not of the discipline, its field or sub-field, nor a whole sentence."""
    name = normalised(subject.subject_name)
    return bool(name) and len(name.split()) <= MOST_WORDS and name not in map(normalised, path)


@dataclass(frozen=True)
class _Mention:
    """A subject as one list names it."""

    list_index: int
    rank: int
    subject: ListedSubject


def read(unit: Unit, outcomes: Sequence[Outcome], known: Sequence[str] = ()) -> Made:
    """Merge the lists; a subject's position is by the number of lists it is in, then by its mean rank there.

    Subjects that are `known`, by name, are left out; the others come after them.
    """
    spelled = {spelling for name in known for spelling in spellings_of(name)}
    mentions = [
        _Mention(index, rank, subject)
        for index, outcome in enumerate(outcomes)
        for rank, subject in enumerate(outcome.value or ())
        if is_subject(subject, unit.path)
    ]
    new = [group for group in _same_subject(mentions) if spelled.isdisjoint(_spellings(group))]
    groups = enumerate(sorted(new, key=_standing), start=len(known))
    rows = [_row(unit, group, position, outcomes) for position, group in groups]
    failures = [outcome.failure for outcome in outcomes if outcome.failure]
    return Made(rows=rows, failures=failures)


def _spellings(group: Sequence[_Mention]) -> set[str]:
    return {spelling for mention in group for spelling in spellings_of(mention.subject.subject_name)}


def _standing(group: list[_Mention]) -> tuple[int, float, str]:
    in_lists = standing((mention.list_index, mention.rank) for mention in group)
    return *in_lists, normalised(group[0].subject.subject_name)


def _same_subject(mentions: Sequence[_Mention]) -> list[list[_Mention]]:
    """Mentions whose names are equal or nearly so; the same groups whichever name came first."""
    groups = grouped(mentions, lambda mention: mention.subject.subject_name)
    return [sorted(group, key=lambda mention: (mention.list_index, mention.rank)) for group in groups]


def _row(unit: Unit, group: list[_Mention], position: int, outcomes: Sequence[Outcome]) -> Row:
    lists = sorted({mention.list_index for mention in group})
    name = Counter(mention.subject.subject_name.strip() for mention in group).most_common(1)[0][0]
    level = Counter(mention.subject.level.strip() for mention in group).most_common(1)[0][0]
    fullest = max(group, key=lambda mention: (len(mention.subject.subtopics), -mention.list_index)).subject
    calls = [call for index in lists for call in outcomes[index].calls]
    return {
        "subject_id": subject_id(unit.discipline_id, name),
        "discipline_id": unit.discipline_id,
        "name": name,
        "level": level,
        "introduction": fullest.introduction.strip(),
        "subtopics": distinct(fullest.subtopics),
        "lists_found_in": len(lists),
        "position": position,
        **provenance(unit, calls),
    }


def subject_id(discipline_id: str, name: str) -> str:
    """`<discipline_id>.<slug>-<8 hex>`: unique, and the same for a name however it is cased and punctuated."""
    key = min(spellings_of(name))
    return f"{discipline_id}.{slug(name, 40) or 'subject'}-{digest(key)[:8]}"
