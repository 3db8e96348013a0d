"""Draft and ballots -> the next taxonomy, and a record of who decided what by which criteria.

A ballot is one person's: keep or remove, for as many nodes as they like. The majority of those who voted on a node
decides; a tie, or no vote, leaves the taxonomy as it is: a drafted discipline stays out, one that stands there stays in.
Removing a node removes all below it, whatever the votes there. A drafted field or sub-field is there if anything
below it is kept. Nodes that people add by hand need no vote.
"""

import datetime
from collections.abc import Iterable, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from glan import taxonomy as trees
from glan.drafting.documents import Draft, Kind, Path, spelled
from glan.errors import InputError
from glan.keys import digest
from glan.names import same, shown
from glan.taxonomy import Discipline, Origin, Taxonomy

CRITERIA = (
    "correct: the name exists, experts use it, and it belongs where it stands",
    "not redundant: no other node covers the same ground under another name",
    "teachable: a discipline could fill a curriculum of several different courses",
    "lasting: it is knowledge or a capability, not a product, an institution or a fashion",
    "harmless: what is taught under it may be taught to anyone",
)
"""By which a node is kept, unless an annotator names others."""


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Annotator(_Document):
    """Who votes, and by what."""

    name: str
    criteria: list[str] = Field(default_factory=lambda: list(CRITERIA))
    note: str = ""


class Ballot(_Document):
    """One person's votes on nodes of a draft, and the nodes they add."""

    annotator: Annotator
    keep: dict[str, bool] = Field(default_factory=dict, description="by the path of the node, as `spelled`")
    add: list[Path] = Field(default_factory=list)


class Decision(_Document):
    """What became of a node that there was a choice about."""

    node: Path
    kind: Kind
    drafted: bool
    kept: bool
    yes: list[str] = Field(default_factory=list, description="who voted to keep it")
    no: list[str] = Field(default_factory=list, description="who voted to remove it")
    removed_with: Path = Field(default=(), description="the node above it that was removed")

    @property
    def removed(self) -> bool:
        """Whether people took it out, itself or with what is above it; what only a tie keeps out is not removed."""
        return bool(self.removed_with) or len(self.no) > len(self.yes)


class Addition(_Document):
    """A discipline that people added."""

    node: Path
    by: list[str]


class Review(_Document):
    """A review as it is kept: of which draft, by whom, when, with what result."""

    draft: str
    base_version: int
    run_id: str
    decided_at: datetime.datetime
    outcome: Literal["approved", "rejected"]
    annotators: list[Annotator]
    decisions: list[Decision] = Field(default_factory=list)
    added: list[Addition] = Field(default_factory=list)

    @property
    def digest(self) -> str:
        """Under which it is kept."""
        return digest(self.model_dump(mode="json"))


def decided(draft: Draft, ballots: Sequence[Ballot]) -> list[Decision]:
    """What becomes of every node that was proposed or voted on, in the order of the tree."""
    decisions: list[Decision] = []
    removed: list[Path] = []
    for node in draft.below_root():
        votes = {one.annotator.name: one.keep.get(spelled(node.path)) for one in ballots}
        yes, no = ([name for name, vote in votes.items() if vote is wanted] for wanted in (True, False))
        if not (node.proposed or yes or no):
            continue
        above = next((path for path in removed if node.path[: len(path)] == path), ())
        if not above and len(no) > len(yes):
            removed.append(node.path)
        kept = not above and (len(yes) > len(no) or (len(yes) == len(no) and node.present))
        decisions.append(
            Decision(
                node=node.path, kind=node.kind, drafted=not node.present, kept=kept, yes=yes, no=no, removed_with=above
            )
        )
    return _with_branches(decisions)


def _with_branches(decisions: Sequence[Decision]) -> list[Decision]:
    """The same, each drafted field and sub-field kept if a discipline below it is: without one it is not in the tree."""
    leaves = [one.node for one in decisions if one.drafted and one.kept and one.kind == "discipline"]
    needed = {leaf[:length] for leaf in leaves for length in (1, 2)}
    return [
        one if one.kind == "discipline" or not one.drafted else one.model_copy(update={"kept": one.node in needed})
        for one in decisions
    ]


def additions(ballots: Iterable[Ballot]) -> list[Addition]:
    """What people add, each node once."""
    by: dict[tuple[str, ...], tuple[Path, list[str]]] = {}
    for ballot in ballots:
        for path in ballot.add:
            by.setdefault(tuple(map(same, path)), (path, []))[1].append(ballot.annotator.name)
    return [Addition(node=path, by=names) for path, names in by.values()]


def applied(tree: Taxonomy, decisions: Sequence[Decision], added: Sequence[Addition]) -> Taxonomy:
    """The taxonomy after a review: without what was removed, with what was kept and added.

    Raises:
        InputError: two nodes that were kept or added contradict each other, or nothing would be left.
    """
    removed = [one.node for one in decisions if one.removed]
    for addition in added:
        if above := next((path for path in removed if _is_under(addition.node, path)), None):
            raise InputError(
                f"'{shown(spelled(addition.node), 120)}' is added and '{shown(spelled(above), 120)}' is removed, "
                "with all below it; take back one of the two"
            )
    left = [one for one in tree if not any(_is_under(_path(one), path) for path in removed)]
    kept = [one.node for one in decisions if one.drafted and one.kept and one.kind == "discipline"]
    new: list[tuple[Origin, Path]] = [("model", path) for path in kept]
    new += [("user", addition.node) for addition in added]
    if not (left or new):
        raise InputError("with these removals nothing is left of the taxonomy; keep something")
    result = Taxonomy(tuple(left))
    for origin, (field, *between, discipline) in new:
        result = trees.added(result, field, "".join(between), discipline, origin)
    return result


def _path(one: Discipline) -> Path:
    return tuple(name for name in (one.field, one.sub_field, one.discipline) if name)


def _is_under(path: Path, above: Path) -> bool:
    return list(map(same, path[: len(above)])) == list(map(same, above))
