"""What the tests of drafts share: a small taxonomy, a model that names what it is told to, and drafts made with it."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from stage_world import Reply, effects, new_store, recipe

from glan.drafting.documents import WORDINGS, Draft, DraftNode, DraftPlan, spelled
from glan.drafting.draft import draft
from glan.gateway.requests import Request
from glan.taxonomy import Taxonomy, read

TREE = read("Sciences:\n  Physical sciences:\n    - Physics\n    - Chemistry\nCrafts:\n  - Carpentry\n")
CATALOGUE, LIBRARY, OCCUPATIONS = WORDINGS

Said = Mapping[str, Sequence[tuple[str, str]] | Reply]
"""By branch: nodes as (name, kind), or a reply as it stands; a key `branch@wording` goes before `branch`."""


def branch_of(request: Request) -> str:
    """The branch that is asked about, `` for the root."""
    line = next(line for line in request.messages[-1]["content"].splitlines() if line.startswith("Branch: "))
    path = line.removeprefix("Branch: ")
    return "" if path.startswith(("all of", "the whole")) else path


def naming(said: Said) -> Callable[[Request], Reply]:
    """A model that names this; below branches that are not in it, nothing."""

    def say(request: Request) -> Reply:
        branch = branch_of(request)
        found = said.get(f"{branch}@{request.prompt.name}", said.get(branch, []))
        if isinstance(found, (str, tuple)):
            return found
        return json.dumps({"nodes": [{"name": name, "kind": kind} for name, kind in found]})

    return say


def drafted(folder: Path, said: Said, tree: Taxonomy = TREE, **plan: Any) -> Draft:
    """A draft from what a model names."""
    folder.mkdir(exist_ok=True)
    run = effects(new_store(folder), naming(said))
    return draft(DraftPlan(**plan), tree, 1, recipe(), run)


def node_at(made: Draft, path: str) -> DraftNode:
    """The node of that path."""
    return next(node for node in made.nodes if spelled(node.path) == path)


def proposed(made: Draft) -> list[str]:
    """The paths of what is proposed, in order."""
    return [spelled(node.path) for node in made.proposed()]
