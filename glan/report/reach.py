"""Instructions and their syllabi -> how deep each node of the tree is covered, from subjects up to fields.

Counted are, of the rows that are added, the class sessions and key concepts they reach and the concept sets they use,
of those that the syllabi hold; and how evenly rows are spread over the subjects of a node. A row on two subjects belongs
to the later of the two, and reaches sessions and concepts of both.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple

from glan import taxonomy
from glan.dataset import View
from glan.keys import normalised
from glan.report.diversity import evenness
from glan.stages import pairs
from glan.store import taxonomies
from glan.taxonomy import Discipline

READS = (
    "field", "sub_field", "discipline", "discipline_id", "subject", "subject_id", "syllabus_id", "session_indexes",
    "key_concepts", "other_subject_id", "other_subject", "other_syllabus_id", "other_session_indexes", "other_key_concepts",
)  # fmt: skip
"""The columns of instructions that are looked at."""

COUNTED = (
    "rows", "subjects", "sessions_reached", "sessions", "concepts_reached", "concepts", "sets", "sets_possible",
)  # fmt: skip
"""The counts of a node, by name."""

LEVELS = ("field", "sub_field", "discipline", "subject")


class Path(NamedTuple):
    """A node of the tree; the levels below it are empty."""

    field: str = ""
    sub_field: str = ""
    discipline: str = ""
    subject: str = ""

    def up_to(self, level: str) -> "Path":
        """The node above, at this level."""
        return Path(*self[: LEVELS.index(level) + 1])


@dataclass(frozen=True)
class Reach:
    """Of one node: what its rows reach, of what its syllabi hold.

    `sets` are different concept sets; `sets_possible` are those that sampling can make of the syllabi, and of two
    together where questions on both were asked.
    """

    rows: int = 0
    subjects: int = 0
    sessions_reached: int = 0
    sessions: int = 0
    concepts_reached: int = 0
    concepts: int = 0
    sets: int = 0
    sets_possible: int = 0
    rows_by_subject: tuple[int, ...] = ()

    def plus(self, other: "Reach") -> "Reach":
        """The sum."""
        return Reach(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))

    @property
    def evenness(self) -> float | None:
        """Entropy of the rows over the subjects, as a share of the most it could be; None for a single subject or no row."""
        return evenness(self.rows_by_subject)


@dataclass
class _Subject:
    """What the rows of one subject reach: hashes, so that texts need not be kept."""

    path: Path
    rows: int = 0
    sessions: set[tuple[str, int]] = field(default_factory=set)
    concepts: set[int] = field(default_factory=set)
    sets: set[int] = field(default_factory=set)

    def add(self, row: Mapping[str, Any]) -> None:
        syllabus = row["syllabus_id"]
        names = {normalised(concept) for concept in row["key_concepts"] or ()}
        others = {normalised(concept) for concept in row["other_key_concepts"] or ()}
        self.rows += 1
        self.reach(syllabus, row["session_indexes"] or (), names - others)
        self.sets.add(hash((syllabus, row["other_syllabus_id"], frozenset(names))))

    def reach(self, syllabus: str, sessions: Iterable[int], names: Iterable[str]) -> None:
        """Sessions and concepts of its syllabus are asked about."""
        self.sessions.update((syllabus, session) for session in sessions)
        self.concepts.update(hash((syllabus, name)) for name in names)


Nodes = Mapping[Path, Reach]


def begun(view: View) -> list[Discipline]:
    """The disciplines of the taxonomy that have syllabi or instructions, whether or not a row of them is kept."""
    latest = taxonomies.latest(view.store.files)
    there = view.generations("syllabi").keys() | view.generations("instructions").keys()
    return [one for one in taxonomy.from_table(latest[1]) if one.discipline_id in there] if latest else []


class Reached:
    """Feed it the rows discipline by discipline, as a snapshot shows them; then ask for the nodes.

    Args:
        expected: disciplines that are nodes even if no row of them comes.
    """

    def __init__(self, view: View, expected: Iterable[Discipline]) -> None:
        self._view = view
        self._without = {one.discipline_id: Path(one.field, one.sub_field, one.discipline) for one in expected}
        self._discipline_id: str | None = None
        self._subjects: dict[str, _Subject] = {}
        self._found: list[tuple[Path, Reach]] = []
        self._syllabi = {(one.discipline_id, one.unit): one for one in view.receipts("syllabi")}
        self._pairs = {
            (one.discipline_id, pairs.syllabi_of(one.unit)): one.capacity or 0
            for one in view.receipts("questions")
            if one.capacity is not None
        }

    def add(self, row: Mapping[str, Any]) -> None:
        """Take a row in, with the columns in `READS`."""
        if row["discipline_id"] != self._discipline_id:
            self._close()
            self._discipline_id = row["discipline_id"]
            self._without.pop(row["discipline_id"], None)
        subject = self._subjects.get(row["subject_id"])
        if subject is None or not subject.rows:
            path = Path(row["field"], row["sub_field"] or "", row["discipline"], row["subject"])
            subject = self._subjects.setdefault(row["subject_id"], _Subject(path))
            subject.path = path
        subject.add(row)
        if other := row["other_subject_id"]:
            names = map(normalised, row["other_key_concepts"] or ())
            reached = self._subjects.setdefault(other, _Subject(subject.path.up_to("discipline")))
            reached.reach(row["other_syllabus_id"], row["other_session_indexes"] or (), names)

    def nodes(self) -> Nodes:
        """Every node that has rows or is expected, at every level, in the order of the tree."""
        self._close()
        while self._without:
            self._discipline_id, path = self._without.popitem()
            self._found.append((path, Reach()))
            self._close(path)
        nodes: dict[Path, Reach] = {}
        for path, reach in self._found:
            for above in {path.up_to(level) for level in LEVELS}:
                nodes[above] = nodes.get(above, Reach()).plus(reach)
        return dict(sorted(nodes.items()))

    def _close(self, path: Path | None = None) -> None:
        """Count what the discipline holds; only numbers are kept of it. Subjects without rows count towards it.

        Args:
            path: of a discipline without rows; None: as its rows say, and there is nothing to count without any.
        """
        if path is None and self._subjects:
            path = next(iter(self._subjects.values())).path.up_to("discipline")
        held = self._held() if path else {}
        for subject_id in [*self._subjects, *(held.keys() - self._subjects.keys())]:
            one = self._subjects.get(subject_id) or _Subject(path or Path())
            reached = Reach(
                rows=one.rows,
                subjects=1,
                sessions_reached=len(one.sessions),
                concepts_reached=len(one.concepts),
                sets=len(one.sets),
                rows_by_subject=(one.rows,),
            )
            self._found.append((one.path, reached.plus(held.get(subject_id, Reach()))))
        self._subjects.clear()

    def _held(self) -> dict[str, Reach]:
        """What the syllabi of the discipline hold in all languages, by subject, whether rows reach it or not."""
        found: dict[str, Reach] = {}
        shared: Counter[str] = Counter()
        for (discipline_id, (syllabus, _)), capacity in self._pairs.items():
            shared[syllabus] += capacity if discipline_id == self._discipline_id else 0
        for (discipline_id, address), receipt in self._syllabi.items():
            if discipline_id == self._discipline_id:
                for row in self._view.store.read(receipt, ["subject_id", "sessions"]).to_pylist():
                    names = [{normalised(one) for one in session["key_concepts"]} for session in row["sessions"]]
                    one = Reach(
                        sessions=len(names),
                        concepts=len(set().union(*names)),
                        sets_possible=(receipt.capacity or 0) + shared[address],
                    )
                    found[row["subject_id"]] = found.get(row["subject_id"], Reach()).plus(one)
        return found
