"""A few questions of each discipline, end to end -> how far a run goes for them, at the least cost.

Everything that such a run makes is a part of the whole run under the same configuration: the same units, or first rounds
of syllabi that the whole run continues.
"""

from collections.abc import Iterable, Sequence
from itertools import repeat

from glan import supplements
from glan.config import RunConfig
from glan.planning.walk import Walk
from glan.units import Scope


def pilot(walks: Iterable[Walk], config: RunConfig, questions: int) -> Scope:
    """Limits for so many questions a discipline from as few syllabi as there can be, for a syllabus costs the most.

    Questions in all languages count together; a subject brings its syllabi in all of them.
    A syllabus that could not be written, or whose concepts allow fewer questions than wanted, is followed by the next.
    """
    subjects, samples = {}, {}
    for walk in walks:
        name = walk.discipline.discipline_id
        subjects[name], samples[name] = _limits(_allowed(walk, config.questions), config, questions)
    return Scope(subjects=subjects, questions=samples)


def _allowed(walk: Walk, most: int) -> list[list[int]]:
    """How many questions each syllabus of each subject that is listed allows, in the order in which a run takes them on."""
    found: dict[str, list[int]] = {}
    for unit, receipt in walk.all():
        if unit.stage == "syllabi" and not supplements.split(unit.stage, unit.address)[1]:
            capacity = most if receipt is None else (receipt.capacity or 0) if receipt.rows else 0
            found.setdefault(unit.subject_id, []).append(min(most, capacity))
    return list(found.values())


def _limits(allowed: Sequence[Sequence[int]], config: RunConfig, questions: int) -> tuple[int, int]:
    """How many subjects, and how many sample indices of each: whole calls, so that a later run makes the same ones."""
    subjects, taken = 0, list[int]()
    for each in allowed or repeat([config.questions] * len(config.languages), config.subjects or questions):
        subjects += 1
        taken += each
        if sum(taken) >= questions:
            break
    for samples in range(config.questions_per_call, config.questions, config.questions_per_call):
        if sum(min(samples, each) for each in taken) >= questions:
            return subjects, samples
    return subjects, config.questions
