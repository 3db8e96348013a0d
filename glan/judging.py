"""What is said of answers before they are curated, by a model or by a check: two tables of a `RunConfig`."""

from pydantic import Field

from glan.checks import Strict


class Judging(Strict):
    """How answered questions are looked at by a model before they are curated. Nothing of it is on by default."""

    rubric: bool = Field(
        default=False,
        description="one call of the judge for each answer: question quality, difficulty and correctness, from 1 to 5",
    )


class Checking(Strict):
    """What of answers is checked without a judge before they are curated. Nothing of it is on by default."""

    math: bool = Field(
        default=False,
        description="a second answer where the first states a number or a formula in the end, and the results compared "
        "by math-verify (agreement of independent samples: self-consistency, Wang et al. 2022)",
    )
    code: bool = Field(
        default=False,
        description="whole Python programs in answers are run where they can harm nobody (own choice of what is whole)",
    )

    @property
    def on(self) -> bool:
        """Whether anything is checked."""
        return self.math or self.code
