"""What the rules and the pass over duplicates found, as the verdict columns of `instructions`."""

from collections.abc import Iterable
from typing import Any

DUPLICATE = "duplicate"
"""The reason that other rows give; all other codes are those of rules."""


def verdict(reasons: Iterable[str], duplicate_of: str | None) -> dict[str, Any]:
    """The verdict columns of a row: kept if nothing speaks against it.

    `reasons` are codes of rules (or what `rules.reasons` returns), `duplicate_of` the id of the question that stays
    in its place.
    """
    found = [*own_reasons(reasons), *([DUPLICATE] if duplicate_of else [])]
    return {
        "kept": not found,
        "reasons": found,
        "duplicate_of": duplicate_of,
    }


def own_reasons(reasons: Iterable[str]) -> list[str]:
    """Of a row's reasons those that it has by itself, whatever other rows there are: none makes it eligible to stay."""
    return [code for code in reasons if code != DUPLICATE]
