"""What a table of the report is, and those of kept rows: depth, variety and lengths."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from glan.report.diversity import Diversity
from glan.report.reach import Nodes
from glan.report.texts import SHARES, Texts

MOST_NODES = 2_000
"""Nodes in the table; a page of all subjects of a large store would be of no use."""


@dataclass(frozen=True)
class Table:
    """A table of the page; `chart`: what the page's script draws of it."""

    title: str
    heads: Sequence[str]
    texts: int
    """The first columns, which are texts; the others are figures."""

    lines: Sequence[Sequence[str]]
    chart: str = ""


def tables_of(texts: Texts) -> Iterator[Table]:
    """How deep the tree is covered, how varied questions and how long texts are."""
    heads = ["field", "sub-field", "discipline", "rows", "subjects", "sessions", "concepts", "sets", "evenness"]
    yield Table("How deep the tree is covered", heads, 3, list(_depth(texts.nodes)))
    heads = ["figure", "more varied is", "value"]
    yield Table("How varied questions are", heads, 2, list(variety(texts.diversity)))
    yield Table(
        "Lengths in characters, and the share of texts that are not longer",
        ["", "shortest", *(f"{share} %" for share in SHARES[1:-1]), "longest"],
        1,
        [[name, *(f"{length:,}" for length in lengths)] for name, lengths in texts.lengths.items()],
        chart="lengths",
    )


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
