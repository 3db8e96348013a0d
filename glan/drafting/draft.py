"""Plan and taxonomy -> draft: level by level, all branches of a level at once."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

from glan.drafting.asking import TAXONOMY, Branch, conversations, heard
from glan.drafting.documents import WORDINGS, Draft, DraftNode, DraftPlan, Kind, Path
from glan.drafting.likeness import duplicates, keys, near
from glan.drafting.votes import counted
from glan.errors import RETRYABLE
from glan.gateway.requests import Outcome
from glan.names import same
from glan.stages.shared.making import Effects
from glan.stages.shared.recipe import Recipe
from glan.taxonomy import Taxonomy

ROOT: Path = ()


def draft(plan: DraftPlan, tree: Taxonomy, base_version: int, recipe: Recipe, effects: Effects) -> Draft:
    """Ask what is missing in the taxonomy; what was asked before, also by a process that was killed, costs no call.

    A branch of which every list failed is noted as failed, and the rest goes on.

    Raises:
        InputError: the plan names a field or sub-field that is not in the taxonomy.
        EndpointRefused, EndpointDown, Cancelled, StoreError: there is no draft; replies so far are on record.
    """
    drafting = _Drafting(plan, tree, recipe, effects)
    drafting.all_levels()
    return Draft(
        base_version=base_version,
        plan=plan,
        model=recipe.profile("subject").model,
        prompts={name: recipe.prompts[name].stamp.digest for name in WORDINGS},
        nodes=drafting.nodes(),
    )


def standing(tree: Taxonomy) -> list[DraftNode]:
    """The nodes of a taxonomy, parents first."""
    found: dict[Path, Kind] = {}
    for one in tree:
        found.setdefault((one.field,), "field")
        if one.sub_field:
            found.setdefault((one.field, one.sub_field), "sub-field")
        path = tuple(name for name in (one.field, one.sub_field, one.discipline) if name)
        found.setdefault(path, "discipline")  # where a sub-field has its name, the two stand at one path
    return [DraftNode(path=path, kind=kind, present=True) for path, kind in found.items()]


class _Drafting:
    """The tree while it grows."""

    def __init__(self, plan: DraftPlan, tree: Taxonomy, recipe: Recipe, effects: Effects) -> None:
        tree.select(fields=plan.fields, sub_fields=plan.sub_fields)
        self._plan, self._recipe, self._effects = plan, recipe, effects
        self._fields, self._sub_fields = ({same(name) for name in names} for names in (plan.fields, plan.sub_fields))
        self._present = standing(tree)
        self._below: dict[Path, list[DraftNode]] = defaultdict(list)
        self._noted: dict[Path, dict[str, Any]] = {}  # of branches: lists asked for, and those that failed
        for node in self._present:
            self._below[node.path[:-1]].append(node)
        self._taken = {key for node in self._present for key in keys(node)}

    def all_levels(self) -> None:
        """Fields, then what is below fields, then what is below sub-fields."""
        if not (self._fields or self._sub_fields):
            self._expand([ROOT])
        self._expand([node.path for node in self._standing("field") if self._is_wanted(node.path)])
        self._expand([node.path for node in self._standing("sub-field") if self._is_wanted(node.path)])

    def nodes(self) -> list[DraftNode]:
        """All that was asked about or named, with what is like it, in the order of the tree."""
        known = [node for node in self._everything() if node.present or node.votes >= self._plan.min_votes]
        named = [node for node in known if not node.present]
        twice = duplicates(named, known)
        alike = near(named, known)
        root = DraftNode(path=ROOT, kind="field", present=True)
        return [
            node.model_copy(
                update={
                    "duplicate_of": twice.get(node.path, []),
                    "near": [one for one in alike.get(node.path, []) if one.node not in twice.get(node.path, [])],
                    **self._noted.get(node.path, {}),
                }
            )
            for node in chain([root], self._everything())
            if self._is_shown(node.path)
        ]

    def _everything(self, path: Path = ROOT) -> Iterator[DraftNode]:
        for node in self._below[path]:
            yield node
            yield from self._everything(node.path)

    def _standing(self, kind: Kind) -> list[DraftNode]:
        return [node for node in self._everything() if node.kind == kind and node.stands]

    def _is_wanted(self, path: Path) -> bool:
        """Whether a branch is asked about."""
        everywhere = not (self._fields or self._sub_fields)
        return everywhere or same(path[0]) in self._fields or (len(path) > 1 and same(path[1]) in self._sub_fields)

    def _is_shown(self, path: Path) -> bool:
        if not path or self._is_wanted(path):
            return True
        return len(path) == 1 and any(self._is_wanted(node.path) for node in self._below[path])

    def _expand(self, paths: Sequence[Path]) -> None:
        """Ask about all these branches and take in what is named often enough."""
        branches = [self._branch(path) for path in paths]
        lists = [conversations(branch, self._plan, self._recipe) for branch in branches]
        outcomes = iter(self._ask(list(chain.from_iterable(lists))))
        named: list[DraftNode] = []
        for branch, asked in zip(branches, lists, strict=True):
            mentions, failures = heard([next(outcomes) for _ in asked], branch, self._plan)
            self._noted[branch.path] = {"asked": len(asked), "failures": failures}
            named += counted(mentions, branch, len(asked) - len(failures))
        for node in self._proposed(named):
            self._below[node.path[:-1]].append(node)

    def _branch(self, path: Path) -> Branch:
        def names(above: Path) -> tuple[str, ...]:
            return tuple(node.path[-1] for node in self._below[above] if node.stands)

        return Branch(path, tuple((name, names((*path, name))) for name in names(path)))

    def _ask(self, asked: list[Any]) -> list[Outcome]:
        try:
            outcomes = self._effects.gateway.run(asked, self._effects.history(TAXONOMY))
            self._effects.log.wait()
        except RETRYABLE:
            self._effects.forget(TAXONOMY)  # so that the next try finds what was answered in this one
            raise
        return outcomes

    def _proposed(self, named: Sequence[DraftNode]) -> list[DraftNode]:
        """The same nodes, in the same order, each with whether it is proposed: of two that are one, that of more votes."""
        taken_in: dict[Path, int] = defaultdict(int)
        chosen: set[Path] = set()
        for node in sorted(named, key=lambda node: -node.votes):
            above = node.path[:-1]
            fits = node.votes >= self._plan.min_votes and taken_in[above] < self._plan.most_below(above)
            if fits and not self._taken.intersection(keys(node)):
                chosen.add(node.path)
                taken_in[above] += 1
                self._taken.update(keys(node))
        return [node.model_copy(update={"proposed": node.path in chosen}) for node in named]
