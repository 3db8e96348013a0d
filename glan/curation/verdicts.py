"""What the rules and the passes over duplicates found, as columns of `instructions`."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

DUPLICATE = "duplicate"
"""The reason that another row of nearly the same words gives; all codes but this and the next are those of rules."""

SAME_MEANING = "same_meaning"
"""The reason that another row gives which asks the same in other words."""

SIMILARITY = "similarity"
"""The score of a row with that reason: how near it is to the row that stays in its place."""

_OF_OTHERS = (DUPLICATE, SAME_MEANING)


class Duplicate(NamedTuple):
    """Why a row goes: the id of the question that stays in its place, and how near the two are, null if by words."""

    of: str
    similarity: float | None = None

    @property
    def reason(self) -> str:
        """The code."""
        return DUPLICATE if self.similarity is None else SAME_MEANING


def verdict(reasons: Iterable[str], duplicate: Duplicate | None) -> dict[str, Any]:
    """The verdict columns of a row: kept if nothing speaks against it.

    `reasons` are codes of rules (or what `rules.reasons` returns).
    """
    found = [*own_reasons(reasons), *([duplicate.reason] if duplicate else [])]
    return {
        "kept": not found,
        "reasons": found,
        "duplicate_of": duplicate.of if duplicate else None,
    }


def compared(row: Mapping[str, Any], duplicate: Duplicate | None) -> dict[str, Any]:
    """The row with what follows from its being this duplicate of another, or of none."""
    similarity = duplicate.similarity if duplicate else None
    return {**row, **verdict(row["reasons"], duplicate), "scores": _scores(row, similarity)}


def _scores(row: Mapping[str, Any], similarity: float | None) -> Any:
    """A row that has no scores, and gets none, keeps its null."""
    own = [(name, score) for name, score in row["scores"] or () if name != SIMILARITY]
    added = own if similarity is None else [*own, (SIMILARITY, similarity)]
    return added if added != (row["scores"] or []) else row["scores"]


def own_reasons(reasons: Iterable[str]) -> list[str]:
    """Of a row's reasons those that it has by itself, whatever other rows there are: none makes it eligible to stay."""
    return [code for code in reasons if code not in _OF_OTHERS]
