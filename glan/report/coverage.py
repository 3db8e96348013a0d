"""Snapshot -> how far each discipline is covered: instructions kept, rejected, in quarantine, still to come."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from glan.dataset import View
from glan.languages import ENGLISH, language_at
from glan.report.kinds_asked import asked
from glan.stages.sampling.kinds import Kind
from glan.store import taxonomies
from glan.store.store import Store
from glan.units import Receipt, planned, quarantined

GoOn = Callable[[], None]
"""Called between objects while figures are read; whoever has no more time raises in it."""

GONE = "No longer in the taxonomy"

KINDS = Kind._fields

_Item = TypeVar("_Item")


@dataclass(frozen=True)
class Cover:
    """Of the questions planned so far: how many became kept or rejected instructions, how many are in quarantine."""

    kept: int = 0
    rejected: int = 0
    quarantined: int = 0
    planned: int = 0

    @property
    def coming(self) -> int:
        """Planned, but neither judged nor in quarantine yet."""
        return max(0, self.planned - self.kept - self.rejected - self.quarantined)

    @property
    def whole(self) -> int:
        """All there is to show."""
        return self.kept + self.rejected + self.quarantined + self.coming

    def plus(self, other: "Cover") -> "Cover":
        """The sum."""
        return Cover(
            self.kept + other.kept,
            self.rejected + other.rejected,
            self.quarantined + other.quarantined,
            self.planned + other.planned,
        )


@dataclass(frozen=True)
class Place:
    """A node of the tree and its cover; a level that is summed up is the empty string."""

    field: str
    sub_field: str
    discipline: str
    cover: Cover
    discipline_id: str = ""


@dataclass(frozen=True)
class Coverage:
    """Every discipline of the taxonomy in the order of the tree, why rows were rejected, and what checks speak against."""

    places: tuple[Place, ...]
    reasons: Counter[str] = field(default_factory=Counter)
    flags: Counter[tuple[str, bool]] = field(default_factory=Counter)
    """Rows by flag, and whether they are kept."""
    languages: Mapping[str, Cover] = field(default_factory=dict)
    """Of each language that questions were planned in, the most used one first."""
    kinds: Mapping[str, Mapping[str, Cover]] = field(default_factory=dict)
    """Of each difficulty and each question type, where any was asked for."""

    @property
    def total(self) -> Cover:
        """Of all disciplines."""
        return added(place.cover for place in self.places)

    @property
    def begun(self) -> int:
        """Disciplines with at least one question planned."""
        return sum(1 for place in self.places if place.cover.whole)


class Judged:
    """Feed it the tables of instructions, with the columns in `READS`: it counts what is kept, what not, and why."""

    READS = ("discipline_id", "language", *KINDS, "kept", "reasons", "flags")

    def __init__(self) -> None:
        self.by_discipline: dict[str, tuple[int, int]] = {}
        """Kept and rejected rows."""
        self.by_language: dict[str, tuple[int, int]] = {}
        """Likewise."""
        self.by_kind: dict[str, dict[str, tuple[int, int]]] = {name: {} for name in KINDS}
        """Likewise, by what was asked for."""
        self.reasons: Counter[str] = Counter()
        self.flags: Counter[tuple[str, bool]] = Counter()

    def add(self, table: pa.Table) -> None:
        """Count the rows of a unit."""
        self.reasons.update(pc.list_flatten(table["reasons"]).to_pylist())
        of = table["kept"].take(pc.list_parent_indices(table["flags"]))
        self.flags.update(zip(pc.list_flatten(table["flags"]).to_pylist(), of.to_pylist(), strict=True))
        _count(self.by_discipline, table["discipline_id"], table["kept"])
        _count(self.by_language, pc.fill_null(table["language"], ENGLISH), table["kept"])
        for name, counts in self.by_kind.items():
            _count(counts, table[name], table["kept"])


def _count(counts: dict[str, tuple[int, int]], names: pa.ChunkedArray, every: pa.ChunkedArray) -> None:
    for name in names.unique().drop_null().to_pylist():
        rows = every.filter(pc.equal(names, name))
        kept = pc.sum(rows).as_py() or 0
        before = counts.get(name, (0, 0))
        counts[name] = before[0] + kept, before[1] + len(rows) - kept


def coverage(view: View, go_on: GoOn = lambda: None) -> Coverage:
    """Read the receipts and, as a stream, few columns of the instructions."""
    judged = Judged()
    for table in checked(view.tables("instructions", list(Judged.READS)), go_on):
        judged.add(table)
    return covered(view, judged)


def covered(view: View, judged: Judged) -> Coverage:
    """What the receipts say of the rest, beside rows that are counted already."""
    asked = view.receipts("questions")
    every = [*asked, *view.receipts("answers")]
    places = _covers(judged.by_discipline, asked, every, lambda one: one.discipline_id)
    languages = _covers(judged.by_language, asked, every, lambda one: language_at(one.unit))
    ranked = dict(sorted(languages.items(), key=lambda item: (-item[1].planned, item[0])))
    return Coverage(tuple(_places(view.store, places)), judged.reasons, judged.flags, ranked, _kinds(view, judged))


def _kinds(view: View, judged: Judged) -> dict[str, dict[str, Cover]]:
    """Asked for against reached; questions are only read where kinds are among the rows."""
    if not any(judged.by_kind.values()):
        return {}
    wanted = asked(view)
    found: dict[str, dict[str, Cover]] = {}
    for place, (name, counts) in enumerate(judged.by_kind.items()):
        planned_of = Counter[str]()
        for kind, number in wanted.items():
            planned_of.update({one: number for one in kind[place : place + 1] if one})
        found[name] = {
            one: Cover(*counts.get(one, (0, 0)), 0, planned_of[one]) for one in sorted({*counts, *planned_of})
        }
    return {name: covers for name, covers in found.items() if covers}


def _covers(
    kept: Mapping[str, tuple[int, int]],
    asked: Iterable[Receipt],
    every: Iterable[Receipt],
    name_of: Callable[[Receipt], str],
) -> dict[str, Cover]:
    wanted, lost = Counter[str](), Counter[str]()
    for receipt in asked:
        wanted[name_of(receipt)] += planned([receipt])
    for receipt in every:
        lost[name_of(receipt)] += quarantined([receipt])
    return {one: Cover(*kept.get(one, (0, 0)), lost[one], wanted[one]) for one in {*kept, *wanted, *lost}}


def added(covers: Iterable[Cover]) -> Cover:
    """The sum of any number."""
    total = Cover()
    for cover in covers:
        total = total.plus(cover)
    return total


def checked(items: Iterable[_Item], go_on: GoOn) -> Iterator[_Item]:
    """The same, asking before each whether there is time for it."""
    for item in items:
        go_on()
        yield item


def _places(store: Store, covers: Mapping[str, Cover]) -> Iterator[Place]:
    """The tree as it is now, then what has left it and still has rows."""
    tree = taxonomies.current(store)
    for one in tree:
        yield Place(one.field, one.sub_field, one.discipline, covers.get(one.discipline_id, Cover()), one.discipline_id)
    for discipline_id in sorted(covers.keys() - {one.discipline_id for one in tree}):
        yield Place(GONE, "", discipline_id, covers[discipline_id], discipline_id)
