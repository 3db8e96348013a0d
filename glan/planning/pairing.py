"""Syllabi that come to be there -> the rounds of questions on two subjects that can be asked now, and those that wait."""

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import NamedTuple

from glan.stages import pairs
from glan.stages.pairs import Row, Span, Taught
from glan.stages.questions import rounds

Reach = Callable[[str], list[Span]]
"""The rounds that there are of a pair, by its node."""

Branch = tuple[str, str]
"""A language, and the id of a subject that has its syllabus in it or is to have it."""

Capacity = Callable[[str, str], int | None]
"""How many questions a pair allows, by its node and the digest of both syllabi; None if none was asked yet."""


class Waiting(NamedTuple):
    """Rounds on two subjects, of which so many have no syllabus yet."""

    syllabi: int
    spans: list[Span]


class Pairing:
    """The pairs of subjects of one discipline, each found when the second of its syllabi is there."""

    def __init__(self, limit: int, reach: Reach, capacity: Capacity, keeps: Callable[[], bool]) -> None:
        """`limit`: questions of a subject together with others; `keeps`: whether rounds beyond it that there are count too."""
        self._limit, self._reach, self._capacity, self._keeps = limit, reach, capacity, keeps
        self._listed: dict[str, Row] = {}
        self._taught: dict[Branch, Taught] = {}
        self._partners: dict[str, dict[str, int]] = {}

    def listed(self, subjects: Iterable[Row]) -> None:
        """Take in subjects, those that come first in the list before the others."""
        self._listed |= {row["subject_id"]: row for row in subjects}

    def taught(self, one: Taught) -> Iterator[tuple[Taught, Taught, Span]]:
        """A subject has its syllabus: the rounds on it and one that has its own in that language, the later of the two first."""
        self._taught[one.unit.language, one.subject["subject_id"]] = one
        if not (self._limit or self._keeps()):
            return
        for other in self._taught.values():
            if other is not one and other.unit.language == one.unit.language:
                earlier, later = sorted((one, other), key=lambda taught: int(taught.subject["position"]))
                for span in self._spans(later, earlier):
                    yield later, earlier, span

    def waiting(self, coming: Collection[Branch]) -> list[Waiting]:
        """What follows from these syllabi, which are still to be written."""
        found = []
        there = [*self._taught, *(one for one in coming if one not in self._taught)]
        for language, name in there if self._limit else ():
            for partner, questions in self._with(self._listed[name]).items():
                other = language, partner
                missing = len({(language, name), other} & set(coming))
                if missing and (other in coming or other in self._taught):
                    found.append(Waiting(missing, rounds([], questions, questions)))
        return found

    def _with(self, subject: Row) -> dict[str, int]:
        name = subject["subject_id"]
        if name not in self._partners:
            self._partners[name] = pairs.partners(subject, self._listed.values(), self._limit)
        return self._partners[name]

    def _spans(self, later: Taught, earlier: Taught) -> list[Span]:
        other = earlier.subject["subject_id"]
        node = pairs.node(later.unit.address, other)
        wanted, keeps = self._with(later.subject).get(other, 0), self._keeps()
        there = self._reach(node) if wanted or keeps else []
        if keeps:
            wanted = max([wanted, *(stop for _, stop in there)])
        known = self._capacity(node, pairs.both(later.receipt, earlier.receipt)) if there else None
        return rounds(there, wanted, wanted if known is None else known)
