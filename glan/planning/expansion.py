"""Accepted instructions against a target -> how many questions more each syllabus is to be asked for.

Rounds only continue what the decks have not dealt, so new questions are on concept sets that were never used. What is
still wanted goes to the syllabi that have been asked least, one question at a time, so that a discipline grows evenly.
"""

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import pyarrow.compute as pc

from glan.languages import language_at
from glan.planning.experience import SUBJECTS_PER_DISCIPLINE
from glan.planning.walk import Shelf
from glan.stages.questions import span_of
from glan.store.store import Store
from glan.taxonomy import Discipline
from glan.units import planned

LEAST_ACCEPTED_SHARE = 0.1
"""What is assumed of a discipline whose questions were rejected nearly all: more is decided by the cap on attempts."""

ENOUGH_TO_TELL = 20
"""Answers of a discipline from which its own share of accepted ones counts, not that of the whole store."""


@dataclass(frozen=True)
class Standing:
    """How far a discipline is: instructions accepted and judged, questions asked and begun, the decks of its syllabi."""

    discipline: Discipline
    accepted: int
    judged: int
    asked: int
    begun: int
    """Questions among those asked whose verdicts are still to be made, as after a run that broke off."""

    reached: Mapping[str, int]
    """By the address of a syllabus: how many of its samples have been asked."""

    capacity: Mapping[str, int]
    """By the address of a syllabus: how many distinct samples it allows; of one that is not to grow, no more than asked."""

    @property
    def exhausted(self) -> bool:
        """Whether every concept set of every syllabus has been dealt."""
        return bool(self.capacity) and all(self.reached[name] >= most for name, most in self.capacity.items())


@dataclass(frozen=True)
class Growth:
    """What a discipline gets next: limits by node as in `Scope.questions`, or why it gets nothing."""

    standing: Standing
    wanted: int
    limits: Mapping[str, int]
    reason: str = ""


def standing(store: Store, discipline: Discipline, shelf: Shelf, languages: Collection[str]) -> Standing:
    """Count what is published of a discipline in any language; reads one column of its instructions.

    Only syllabi in these languages are to grow. Rounds on two subjects count as asked and accepted; how far the deck of
    a syllabus is dealt they do not say. A round that came out short shows the end of a deck that holds less than the
    syllabus's capacity: that of one strategy alone, where `cross_session_share` is 0 or 1.
    """
    judged = accepted = 0
    for receipt in shelf.named["instructions"].values():
        kept = store.read(receipt, ["kept"])["kept"]
        judged += len(kept)
        accepted += pc.sum(kept).as_py() or 0
    syllabi = {name: receipt for name, receipt in shelf.named["syllabi"].items() if receipt.rows}
    reached = dict.fromkeys(syllabi, 0)
    dealt_out = set()
    for name, receipt in shelf.named["questions"].items():
        syllabus, (start, stop) = span_of(name)
        if syllabus in reached:
            reached[syllabus] = max(reached[syllabus], stop)
            if receipt.planned < stop - start and not receipt.asks_again:
                dealt_out.add(syllabus)
    return Standing(
        discipline=discipline,
        accepted=accepted,
        judged=judged,
        asked=planned(shelf.named["questions"].values()),
        begun=_begun(shelf),
        reached=reached,
        capacity={
            name: (receipt.capacity or 0) if language_at(name) in languages and name not in dealt_out else reached[name]
            for name, receipt in syllabi.items()
        },
    )


def _begun(shelf: Shelf) -> int:
    """Questions that will have verdicts and have none yet: not those of rounds whose answers are all in quarantine."""
    answers, instructions = shelf.named["answers"], shelf.named["instructions"]
    return sum(
        receipt.rows
        for at, receipt in shelf.named["questions"].items()
        if at not in instructions and (at not in answers or answers[at].rows)
    )


def growth(
    standings: Iterable[Standing],
    target: int,
    attempts: float,
    subjects: int | None,
    first_round: int,
    languages: int = 1,
) -> list[Growth]:
    """What each discipline gets, the least covered first.

    Args:
        target: accepted instructions that each discipline is to reach, in all languages together.
        attempts: most questions asked, in all, for each instruction of the target.
        subjects: the limit of subjects of a discipline, if there is one.
        first_round: most questions a syllabus of a discipline of which nothing is known yet.
        languages: syllabi of each subject.
    """
    every = list(standings)
    share = _share(sum(one.accepted for one in every), sum(one.judged for one in every))
    ordered = sorted(every, key=lambda one: (one.accepted, one.discipline.discipline_id))
    expected = min(subjects or SUBJECTS_PER_DISCIPLINE[1], SUBJECTS_PER_DISCIPLINE[1]) * languages
    return [_growth(one, target, attempts, expected, first_round, share) for one in ordered]


def _growth(one: Standing, target: int, attempts: float, expected: int, first_round: int, overall: float) -> Growth:
    name = one.discipline.discipline_id
    if one.accepted >= target:
        return Growth(one, 0, {}, "has reached its target")
    left = math.floor(target * attempts) - one.asked
    if one.begun and one.reached and (left <= 0 or one.exhausted):  # first it is to be seen what comes of these
        return Growth(one, 0, _limits(name, one.reached))
    if left <= 0:
        return Growth(one, 0, {}, f"was given up: {one.asked} questions asked, {one.accepted} accepted")
    if one.exhausted:
        return Growth(one, 0, {}, "has no concept set left that was not asked")
    own = _share(one.accepted, one.judged) if one.judged >= ENOUGH_TO_TELL else overall
    wanted = min(left, math.ceil((target - one.accepted) / own))
    if not one.capacity:
        each = min(first_round, max(1, wanted // expected))
        return Growth(one, each * expected, {name: each})
    limits = even(one.reached, one.capacity, wanted)
    added = sum(limit - one.reached[address] for address, limit in limits.items())
    return Growth(one, added, _limits(name, limits))


def _limits(name: str, each: Mapping[str, int]) -> dict[str, int]:
    """By node. No discipline-wide limit may ask for more than its syllabi's own: the least goes for any to come."""
    return {name: min(each.values()), **{f"{name}/{key}": limit for key, limit in each.items()}}


def _share(accepted: int, judged: int) -> float:
    return max(LEAST_ACCEPTED_SHARE, accepted / judged) if judged else 1.0


def even(reached: Mapping[str, int], capacity: Mapping[str, int], wanted: int) -> dict[str, int]:
    """Limits that add as many as are wanted, if the decks allow, to the lowest first; ties by address."""
    low, high = min(reached.values()), max([*capacity.values(), *reached.values()])
    while low < high:  # the highest level that does not ask for more than wanted
        middle = (low + high + 1) // 2
        if _added(reached, capacity, middle) <= wanted:
            low = middle
        else:
            high = middle - 1
    limits = {name: max(reached[name], min(low, capacity[name])) for name in sorted(reached)}
    over = wanted - sum(limits[name] - reached[name] for name in limits)
    for name in sorted(reached):
        if over > 0 and limits[name] == low < capacity[name]:
            limits[name] += 1
            over -= 1
    return limits


def _added(reached: Mapping[str, int], capacity: Mapping[str, int], level: int) -> int:
    return sum(max(0, min(level, capacity[name]) - done) for name, done in reached.items())
