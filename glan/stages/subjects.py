"""Discipline -> subjects: several independent lists (paper, section 2.2), merged by name."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from glan.gateway.reading import prose, structured
from glan.gateway.requests import Call, Conversation, Outcome
from glan.keys import digest, distinct, normalised, slug
from glan.replies import ListedSubject, subject_list
from glan.stages.making import Effects, Made, Row, make, provenance
from glan.stages.recipe import Recipe
from glan.taxonomy import Discipline
from glan.units import Receipt, Unit

_FILLER = frozenset(["a", "an", "and", "for", "in", "of", "on", "the", "to", "with"])


def plan(discipline: Discipline, recipe: Recipe, edition: int = 0) -> Unit:
    """The unit that makes all subjects of a discipline."""
    two_step = recipe.config.two_step
    return Unit(
        stage="subjects",
        discipline_id=discipline.discipline_id,
        address=discipline.discipline_id,
        node=discipline.discipline_id,
        path=(discipline.field, discipline.sub_field, discipline.discipline),
        edition=edition,
        key=recipe.unit_key(
            "subjects",
            inputs=[discipline.field, discipline.sub_field, discipline.discipline],
            prompts=["subject_list", "subject_structure"] if two_step else ["subject_direct"],
            role="subject",
            edition=edition,
            lists=recipe.config.lists,
            seed=recipe.config.seed,
        ),
    )


def run(unit: Unit, recipe: Recipe, effects: Effects) -> Receipt:
    """Ask for the lists, merge them, commit the subjects."""
    lists = (_one_list(unit, recipe, index) for index in range(recipe.config.lists))
    return make(unit, lists, lambda outcomes: read(unit, outcomes), effects)


def _one_list(unit: Unit, recipe: Recipe, index: int) -> Conversation:
    field, sub_field, discipline = unit.path
    inputs = {"field": field, "sub_field": sub_field, "discipline": discipline}
    schema = subject_list()
    read_list = structured(schema)
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


@dataclass(frozen=True)
class _Mention:
    """A subject as one list names it."""

    list_index: int
    rank: int
    subject: ListedSubject


def read(unit: Unit, outcomes: Sequence[Outcome]) -> Made:
    """Merge the lists; a subject's position is by the number of lists it is in, then by its mean rank there."""
    mentions = [
        _Mention(index, rank, subject)
        for index, outcome in enumerate(outcomes)
        for rank, subject in enumerate(outcome.value or ())
        if normalised(subject.subject_name)
    ]
    groups = sorted(_same_subject(mentions), key=_standing)
    rows = [_row(unit, group, position, outcomes) for position, group in enumerate(groups)]
    failures = [outcome.failure for outcome in outcomes if outcome.failure]
    return Made(rows=rows, failures=failures)


def _standing(group: list[_Mention]) -> tuple[int, float, str]:
    lists = {mention.list_index for mention in group}
    mean_rank = sum(mention.rank for mention in group) / len(group)
    return -len(lists), mean_rank, normalised(group[0].subject.subject_name)


def _same_subject(mentions: Sequence[_Mention]) -> list[list[_Mention]]:
    """Mentions whose names are equal or nearly so, in order of first mention."""
    group_of: dict[str, list[_Mention]] = {}
    groups: list[list[_Mention]] = []
    for mention in mentions:
        spellings = list(spellings_of(mention.subject.subject_name))
        found = next((group_of[spelling] for spelling in spellings if spelling in group_of), None)
        if found is None:
            found = []
            groups.append(found)
        found.append(mention)
        for spelling in spellings:
            group_of.setdefault(spelling, found)
    return groups


def spellings_of(name: str) -> Iterator[str]:
    """Two keys of a name; names that share one are the same subject.

    One ignores spaces and hyphens ("micro-economics"), the other the order of words ("history of art"). Both ignore
    case, plurals, small words and an acronym in brackets. A distance in letters is no measure: it would merge
    microeconomics with macroeconomics, and Calculus I with Calculus II.
    """
    words = [_singular(word) for word in normalised(_without_acronym(name)).split()]
    telling = [word for word in words if word not in _FILLER] or words
    yield "".join(telling)
    yield " ".join(sorted(telling))


def _singular(word: str) -> str:
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is", "ics")):
        return word[:-1]
    return word


def _without_acronym(name: str) -> str:
    match = re.fullmatch(r"(.+?)\s*\((\w{2,8})\)\s*", name)
    if not match:
        return name
    initials = "".join(word[0] for word in re.findall(r"\w+", match[1])).casefold()
    telling = "".join(word[0] for word in re.findall(r"\w+", match[1]) if word.casefold() not in _FILLER).casefold()
    return match[1] if match[2].casefold() in (initials, telling) else name


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
    """`<discipline_id>.<slug>-<8 hex>`: stable for a name however it is cased or spaced, unique across disciplines."""
    key = min(spellings_of(name))
    return f"{discipline_id}.{slug(name, 40) or 'subject'}-{digest(key)[:8]}"
