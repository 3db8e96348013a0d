"""Which nodes of a tree may be the same: exact duplicates by spelling, near-duplicates by what their names share.

Likeness of two names is the larger of two Jaccard indices: of their character 3-grams (two spaces around the name, so
that beginnings and ends count) and of their words. From `NEAR` on it is shown: Mathematics and Applied mathematics
have 0.52, Film and Film industry 0.50. It is a hint for people, no verdict: Food industry and Wood industry have 0.67.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable

from glan.drafting.documents import DraftNode, Kind, Near, Path
from glan.keys import normalised
from glan.spellings import spellings_of

NEAR = 0.5
MOST_NEAR = 3
"""Near-duplicates that are named of one node."""


def duplicates(nodes: Iterable[DraftNode], others: Iterable[DraftNode]) -> dict[Path, list[Path]]:
    """Of each node that bears the name of another of its kind: where that stands. `nodes` may be among `others`."""
    standing: dict[tuple[Kind, str], list[Path]] = defaultdict(list)
    for other in others:
        for key in keys(other):
            standing[key].append(other.path)
    found = {}
    for node in nodes:
        paths = dict.fromkeys(path for key in keys(node) for path in standing[key] if path != node.path)
        if paths:
            found[node.path] = list(paths)
    return found


def keys(node: DraftNode) -> set[tuple[Kind, str]]:
    """What makes a node the same as another that shares any of it."""
    return {(node.kind, spelling) for spelling in spellings_of(node.path[-1])}


def near(nodes: Iterable[DraftNode], others: Iterable[DraftNode]) -> dict[Path, list[Near]]:
    """Of each node: the nodes anywhere in the tree, but not above or below it, whose names are like its own."""
    features = {other.path: _features(other.path[-1]) for other in others}
    holding: dict[str, list[Path]] = defaultdict(list)
    for path, parts in features.items():
        for part in parts:
            holding[part].append(path)
    found = {}
    for node in nodes:
        own = _features(node.path[-1])
        shared = Counter(path for part in own for path in holding[part] if not _in_line(path, node.path))
        like = [Near(node=path, likeness=round(_likeness(own, features[path]), 2)) for path in shared]
        like = sorted((one for one in like if one.likeness >= NEAR), key=lambda one: (-one.likeness, one.node))
        if like:
            found[node.path] = like[:MOST_NEAR]
    return found


def likeness(one: str, other: str) -> float:
    """How much two names share, from 0 to 1."""
    return _likeness(_features(one), _features(other))


def _features(name: str) -> set[str]:
    """Words, each marked by a `=` that no 3-gram holds, and 3-grams."""
    padded = f"  {normalised(name)}  "
    return {f"={word}" for word in padded.split()} | {padded[at : at + 3] for at in range(len(padded) - 2)}


def _likeness(one: set[str], other: set[str]) -> float:
    words, others = ({part for part in parts if part.startswith("=")} for parts in (one, other))
    return max(_jaccard(words, others), _jaccard(one - words, other - others))


def _jaccard(one: set[str], other: set[str]) -> float:
    return len(one & other) / (len(one | other) or 1)


def _in_line(one: Path, other: Path) -> bool:
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]
