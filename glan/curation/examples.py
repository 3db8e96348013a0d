"""What a rule looks at."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Example:
    """A question with its answer, as a rule sees it: never its place in the tree, so that rules stay general."""

    question: str
    answer: str
    finish_reason: str | None = None
