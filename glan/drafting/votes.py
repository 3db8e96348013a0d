"""Mentions -> nodes: the lists of a branch are counted like votes."""

from collections import Counter
from collections.abc import Sequence

from glan.drafting.asking import Branch, Mention
from glan.drafting.documents import DraftNode, Kind
from glan.keys import normalised
from glan.spellings import grouped, standing


def counted(mentions: Sequence[Mention], branch: Branch, readable: int) -> list[DraftNode]:
    """A node for each name of a branch, those of most lists first, then by their mean rank there."""
    groups = sorted(grouped(mentions, lambda mention: mention.name), key=_standing)
    return [_node(group, branch, readable) for group in groups]


def _standing(group: list[Mention]) -> tuple[int, float, str]:
    in_lists = standing((mention.list_index, mention.rank) for mention in group)
    return *in_lists, min(normalised(mention.name) for mention in group)


def _node(group: list[Mention], branch: Branch, readable: int) -> DraftNode:
    in_order = sorted(group, key=lambda mention: (mention.list_index, mention.rank))
    return DraftNode(
        path=(*branch.path, _most_common([mention.name for mention in in_order])),
        kind=_kind(in_order),
        votes=len({mention.list_index for mention in group}),
        lists=readable,
        wordings=list(dict.fromkeys(mention.wording for mention in in_order)),
    )


def _kind(group: list[Mention]) -> Kind:
    """What most lists take it for; between a sub-field and a discipline, where as many say so, the sub-field."""
    counts = Counter(mention.kind for mention in group)
    return max(counts, key=lambda kind: (counts[kind], kind == "sub-field"))


def _most_common(names: list[str]) -> str:
    return Counter(names).most_common(1)[0][0]
