"""What a person should know of a node before deciding on it, in words."""

from glan.drafting.documents import DraftNode, FailedList, spelled

MOST_DUPLICATES = 3
"""That are named of one node."""


def flags(node: DraftNode) -> list[str]:
    """Duplicates, near-duplicates and failed lists of a node."""
    told = [f"duplicate of {spelled(path)}" for path in node.duplicate_of[:MOST_DUPLICATES]]
    if len(node.duplicate_of) > MOST_DUPLICATES:
        told.append(f"and of {len(node.duplicate_of) - MOST_DUPLICATES} more")
    if node.duplicate_of and not (node.present or node.proposed):
        told.append("not proposed: its name is proposed or stands elsewhere")
    told += [f"near to {spelled(one.node)} ({one.likeness:.2f})" for one in node.near]
    return [*told, *failure(node)]


def failure(node: DraftNode) -> list[str]:
    """That what is below a node is unknown, wholly or in part, and why."""
    if not node.failures:
        return []
    why = "; ".join(dict.fromkeys(_reason(one) for one in node.failures))
    if node.failed:
        return [f"failed: what is below it is unknown, since none of {node.asked} lists can be used ({why})"]
    return [f"failed in part: {len(node.failures)} of {node.asked} lists cannot be used ({why})"]


def _reason(failed: FailedList) -> str:
    return f"{failed.kind}: {failed.message}"
