"""Figures of kept rows -> the tables of a report on depth, variety and lengths."""

from collections.abc import Iterator
from typing import Any

from glan.report.diversity import Diversity
from glan.report.reach import Nodes
from glan.report.texts import SHARES, Texts

MOST_NODES = 2_000
"""Nodes in the table; a page of all subjects of a large store would be of no use."""


def tables_of(texts: Texts) -> Iterator[dict[str, Any]]:
    """Title, heads (text columns first) and lines of every table."""
    yield {
        "title": "How deep the tree is covered",
        "chart": "",
        "heads": ["field", "sub-field", "discipline", "rows", "subjects", "sessions", "concepts", "sets", "evenness"],
        "texts": 3,
        "lines": list(_depth(texts.nodes)),
    }
    yield {
        "title": "How varied questions are",
        "chart": "",
        "heads": ["figure", "more varied is", "value"],
        "texts": 2,
        "lines": list(variety(texts.diversity)),
    }
    names = ["shortest", *(f"{share} %" for share in SHARES[1:-1]), "longest"]
    yield {
        "title": "Lengths in characters, and the share of texts that are not longer",
        "chart": "lengths",
        "heads": ["", *names],
        "texts": 1,
        "lines": [[name, *(f"{length:,}" for length in lengths)] for name, lengths in texts.lengths.items()],
    }


def variety(found: Diversity) -> Iterator[list[str]]:
    """Figure, direction and value of each; none if there are too few questions to say."""
    if found.distinct is None:
        return
    for size, value in enumerate(found.distinct, start=1):
        yield [f"distinct-{size}", "higher", figure(value)]
    yield ["compression ratio", "lower", figure(found.compression)]
    yield ["self-BLEU-4", "lower", figure(found.self_bleu)]
    yield ["Vendi score", "higher", f"{found.vendi:,.0f} of {found.questions:,}"]


def figure(value: float | None) -> str:
    """A share or ratio; a dash where it cannot be said."""
    return "–" if value is None else f"{value:.3f}"


def part(reached: int, whole: int) -> str:
    """So many of so many."""
    return f"{reached:,} of {whole:,} ({reached / whole:.0%})" if whole else f"{reached:,}"


def _depth(nodes: Nodes) -> Iterator[list[str]]:
    shown = [(path, one) for path, one in nodes.items() if not path.subject][:MOST_NODES]
    for path, one in shown:
        yield [
            *path[:3],
            f"{one.rows:,}",
            f"{one.subjects:,}",
            part(one.sessions_reached, one.sessions),
            part(one.concepts_reached, one.concepts),
            part(one.sets, one.sets_possible),
            figure(one.evenness),
        ]
