"""A draft of the taxonomy and its review, as Prefect shows them. Every text of a model or a person is inert."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from prefect.artifacts import create_markdown_artifact, create_table_artifact

from glan.drafting.documents import Draft, DraftNode, spelled
from glan.drafting.flags import failure, flags
from glan.drafting.review import Review
from tasks.inert import plain

DRAFT_KEY = "glan-taxonomy-draft"
REVIEW_KEY = "glan-taxonomy-review"
LONGEST_REASON = 600
MOST_ROWS = 500
"""Of a list or table; what goes beyond is counted."""


def publish_draft(draft: Draft, digest: str) -> None:
    """The tree and a table of its nodes. A draft that cannot be shown is kept all the same."""
    try:
        create_markdown_artifact(
            key=DRAFT_KEY, markdown=draft_text(draft, digest), description="What the model proposes for the taxonomy"
        )
        create_table_artifact(
            key=f"{DRAFT_KEY}-nodes", table=_table(draft), description="The nodes that the model proposes, with votes"
        )
    except Exception:
        logging.getLogger("glan").warning("the draft could not be shown in Prefect", exc_info=True)


def publish_outcome(text: str) -> None:
    """What came of a review."""
    try:
        create_markdown_artifact(key=REVIEW_KEY, markdown=text, description="What was decided on the taxonomy")
    except Exception:
        logging.getLogger("glan").warning("the outcome of the review could not be shown in Prefect", exc_info=True)


def summary(draft: Draft) -> str:
    """The draft in one sentence."""
    failed = draft.with_failures()
    told = f"{len(draft.proposed())} nodes are proposed, from version {draft.base_version} of the taxonomy"
    return f"{told}; of {len(failed)} branches some or all lists failed." if failed else f"{told}."


def draft_text(draft: Draft, digest: str) -> str:
    """The tree as Markdown: new nodes in bold with their votes, duplicates struck out, failures in words."""
    parts = [
        f"# Draft of the taxonomy\n\n{summary(draft)} Asked of {plain(draft.model)} in {len(draft.prompts)} wordings; "
        f"a node needs {draft.plan.min_votes} votes. Draft `{digest}`.",
        "## Tree\n\n**New** nodes with their votes; ~~struck out~~: a duplicate, which is not proposed.\n\n"
        + "\n".join(_first(_tree(draft))),
    ]
    failed = [
        f"- {_name(node)}: {plain(text, LONGEST_REASON)}" for node in draft.with_failures() for text in failure(node)
    ]
    if failed:
        parts.append("## Failed\n\n" + "\n".join(_first(failed)))
    rare = [f"- {plain(spelled(node.path))} ({node.votes} of {node.lists})" for node in _too_rare(draft)]
    if rare:
        parts.append("## Named too rarely, or beyond the limit\n\n" + "\n".join(_first(rare)))
    return "\n\n".join(parts)


def outcome_text(review: Review, sentence: str) -> str:
    """What a review changed, who decided and by what, as Markdown."""
    kept = [one for one in review.decisions if one.drafted and one.kept and one.kind == "discipline"]
    removed = [one for one in review.decisions if one.removed]
    sections = {
        "Kept of the draft": [f"{plain(spelled(one.node))}{_by(one.yes)}" for one in kept],
        "Removed": [f"{plain(spelled(one.node))}{_by(one.no)}" for one in removed],
        "Added by hand": [f"{plain(spelled(one.node))}{_by(one.by)}" for one in review.added],
        "Who decided": [_annotator(one.name, one.criteria, one.note) for one in review.annotators],
    }
    lists = "\n\n".join(
        f"## {title}\n\n" + "\n".join(_first([f"- {line}" for line in lines or ["nothing"]]))
        for title, lines in sections.items()
    )
    return f"# Review of the taxonomy\n\n{sentence}\n\n{lists}"


def _tree(draft: Draft) -> Iterator[str]:
    for node in draft.listed():
        name = plain(node.path[-1])
        told = [f"{node.votes} of {node.lists}"] if not node.present else []
        told += [plain(text, LONGEST_REASON) for text in flags(node)]
        shown = name if node.present else f"**{name}**" if node.proposed else f"~~{name}~~"
        remarks = f" ({'; '.join(told)})" if told else ""
        yield f"{'  ' * (len(node.path) - 1)}- {shown}{'' if node.present else f', {node.kind}'}{remarks}"


def _table(draft: Draft) -> list[dict[str, Any]]:
    return [
        {
            "node": plain(spelled(node.path)),
            "kind": node.kind,
            "votes": f"{node.votes} of {node.lists}",
            "named by": ", ".join(node.wordings),
            "proposed": "yes" if node.proposed else "no",
            "flags": plain("; ".join(flags(node)), LONGEST_REASON),
        }
        for node in draft.listed()
        if not node.present
    ][:MOST_ROWS]


def _too_rare(draft: Draft) -> Iterable[DraftNode]:
    listed = {node.path for node in draft.listed()}
    return (node for node in draft.below_root() if node.path not in listed)


def _name(node: DraftNode) -> str:
    return plain(spelled(node.path)) if node.path else "fields"


def _by(names: Sequence[str]) -> str:
    return f" ({', '.join(map(plain, names))})" if names else ""


def _annotator(name: str, criteria: Sequence[str], note: str) -> str:
    told = "; ".join(plain(one) for one in criteria)
    return f"{plain(name)}, by: {told}{f'. Note: {plain(note, LONGEST_REASON)}' if note else ''}"


def _first(lines: Iterable[str]) -> list[str]:
    """At most so many lines, and how many more there are."""
    every = list(lines)
    left = len(every) - MOST_ROWS
    return every if left <= 0 else [*every[:MOST_ROWS], f"- and {left:,} more"]
