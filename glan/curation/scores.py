"""Scores that an answer was given by judges -> what they speak against. A row without a score has nothing against it."""

from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from glan.config import Curation

_LEAST: tuple[tuple[str, str, str], ...] = (
    ("question_quality", "min_question_quality", "low_question_quality"),
    ("correctness", "min_correctness", "incorrect"),
)
"""Score, the setting that says how low it may be, and the code of the reason if it is lower."""


def by_question(judgements: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    """All scores by the id of the question, in the order in which they were given."""
    found: dict[str, dict[str, float]] = {}
    for row in judgements:
        found.setdefault(row["question_id"], {}).update(row["scores"])
    return found


def reasons(scores: Mapping[str, float], settings: Curation) -> list[str]:
    """The codes of what speaks against a row with these scores."""
    limits = ((scores.get(name), getattr(settings, setting), code) for name, setting, code in _LEAST)
    return [code for score, least, code in limits if score is not None and least is not None and score < least]


def limits(settings: Curation) -> dict[str, int | None]:
    """The settings that scores are held against, for the unit_key of the units that have any."""
    return {setting: getattr(settings, setting) for _, setting, _ in _LEAST}


def worth(scores: pa.ChunkedArray) -> pa.ChunkedArray:
    """By how much a row is better than its duplicates: correctness and quality together, null if it was not judged."""
    quality, correctness = (pc.map_lookup(scores, name, "first") for name in ("question_quality", "correctness"))
    return pc.add(quality, correctness)
