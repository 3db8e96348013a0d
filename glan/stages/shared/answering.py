"""What a question is asked as where it is to be answered, for the first time or once more to check that answer."""

from collections.abc import Mapping
from typing import Any

from glan.config import RunConfig
from glan.gateway.reading import prose
from glan.gateway.requests import Request
from glan.stages.sampling.kinds import ANSWER
from glan.stages.shared.recipe import Recipe
from glan.units import Unit


def prompts(config: RunConfig) -> list[str]:
    """The templates that answers rest on."""
    return ["answer", *([ANSWER] if config.question_types.given else [])]


def request(unit: Unit, question: Mapping[str, Any], recipe: Recipe, sample_index: int) -> Request:
    """The question by itself; one of a given type with what is said of answers to such."""
    asked = question.get("question_type")
    also = (ANSWER, {"question_type": asked}) if asked not in (None, "open") else None
    inputs = {"question": question["text"]}
    return recipe.request(unit, "answer", "answer", inputs, prose(), sample_index=sample_index, also=also)
