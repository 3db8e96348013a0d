"""Scores that an answer was given by judges and checks -> what they speak against. A row without a score has nothing against it."""

from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from glan.config import Curation, RunConfig

_LEAST: tuple[tuple[str, str, str], ...] = (
    ("question_quality", "min_question_quality", "low_question_quality"),
    ("correctness", "min_correctness", "incorrect"),
)
"""Score, the setting that says how low it may be, and the code of the reason if it is lower."""


_CHECKS: tuple[tuple[str, str], ...] = (("answers_agree", "answers_disagree"), ("code_runs", "code_fails"))
"""Score of a check, 1 or 0, and the code of the flag if it is 0."""


def by_question(judgements: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    """All scores by the id of the question, in the order in which they were given."""
    found: dict[str, dict[str, float]] = {}
    for row in judgements:
        found.setdefault(row["question_id"], {}).update(row["scores"])
    return found


def reasons(scores: Mapping[str, float], settings: Curation) -> list[str]:
    """The codes of what speaks against a row with these scores."""
    limits = ((scores.get(name), getattr(settings, setting), code) for name, setting, code in _LEAST)
    low = [code for score, least, code in limits if score is not None and least is not None and score < least]
    return low + (flags(scores) if settings.reject_failed_checks else [])


def flags(scores: Mapping[str, float]) -> list[str]:
    """The codes of the checks that a row with these scores did not pass."""
    return [code for name, code in _CHECKS if scores.get(name) == 0]


def limits(config: RunConfig) -> dict[str, int | None]:
    """The settings that scores are held against, for the unit_key of the units that have any."""
    curation = config.curation
    judged = {setting: getattr(curation, setting) for _, setting, _ in _LEAST} if config.judging.rubric else {}
    return judged | ({"reject_failed_checks": curation.reject_failed_checks} if config.checking.on else {})


def worth(scores: pa.ChunkedArray) -> pa.ChunkedArray:
    """By how much a row is better than its duplicates: correctness and quality together, null if it was not judged."""
    quality, correctness = (pc.map_lookup(scores, name, "first") for name in ("question_quality", "correctness"))
    return pc.add(quality, correctness)
