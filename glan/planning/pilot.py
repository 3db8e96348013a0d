"""A few questions of each discipline, end to end -> how far a run goes for them, at the least cost.

Everything that such a run makes is a part of the whole run under the same configuration: the same units, or first rounds
of syllabi that the whole run continues.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import repeat

from glan import supplements
from glan.config import RunConfig
from glan.planning.walk import Walk
from glan.units import Scope


def pilot(walks: Iterable[Walk], config: RunConfig, questions: int) -> Scope:
    """Limits for so many questions a discipline from as few syllabi as there can be, for a syllabus costs the most.

    A syllabus that could not be written, or whose concepts allow fewer questions than wanted, is followed by the next.
    """
    subjects, samples = {}, {}
    for walk in walks:
        name = walk.discipline.discipline_id
        subjects[name], samples[name] = _limits(list(_allowed(walk, config.questions)), config, questions)
    return Scope(subjects=subjects, questions=samples)


def _allowed(walk: Walk, most: int) -> Iterator[int]:
    """How many questions each subject that is listed allows, in the order in which a run takes them on."""
    for unit, receipt in walk.all():
        if unit.stage == "syllabi" and not supplements.split(unit.stage, unit.address)[1]:
            capacity = most if receipt is None else (receipt.capacity or 0) if receipt.rows else 0
            yield min(most, capacity)


def _limits(allowed: Sequence[int], config: RunConfig, questions: int) -> tuple[int, int]:
    """How many subjects, and how many sample indices of each: whole calls, so that a later run makes the same ones."""
    each_subject = allowed or repeat(config.questions, config.subjects or questions)
    taken: list[int] = []
    for each in each_subject:
        taken.append(each)
        if sum(taken) >= questions:
            break
    for samples in range(config.questions_per_call, config.questions, config.questions_per_call):
        if sum(min(samples, each) for each in taken) >= questions:
            return len(taken), samples
    return len(taken), config.questions
