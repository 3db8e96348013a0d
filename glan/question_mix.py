"""What kind of questions are asked: two tables of a `RunConfig`, of how many questions have which difficulty and type.

The names stand in rows and in prompts. Nothing of it is on by default: then the question writer chooses.
"""

from pydantic import Field

from glan.checks import Strict

MULTIPLE_CHOICE, CODING, ESSAY = "multiple_choice", "coding", "essay"


class Weights(Strict):
    """By name: how many questions of this kind there are for those of the others; 0: none."""

    @property
    def given(self) -> dict[str, float]:
        """Those above 0, always in the same order; empty: nothing is asked for."""
        return {name: weight for name, weight in self if weight}


class Difficulties(Weights):
    """How hard questions are to be, by the scale that a judge goes by too."""

    easy: float = Field(default=0, ge=0, le=1_000, description="weight of questions that take one known step")
    medium: float = Field(default=0, ge=0, le=1_000, description="weight of those that bring several steps together")
    hard: float = Field(default=0, ge=0, le=1_000, description="weight of those whose approach has to be found")


class QuestionTypes(Weights):
    """What is asked for."""

    open: float = Field(default=0, ge=0, le=1_000, description="weight of questions with an answer of one's own words")
    multiple_choice: float = Field(
        default=0,
        ge=0,
        le=1_000,
        description="weight of those with four options, one of them right; the key is checked",
    )
    coding: float = Field(default=0, ge=0, le=1_000, description="weight of tasks that are solved by a program")
    essay: float = Field(default=0, ge=0, le=1_000, description="weight of topics for a text of several paragraphs")
