"""What a rule looks at."""

from dataclasses import dataclass
from functools import cached_property

from glan.curation.prose import prose_sentences, without_code
from glan.curation.words import words


@dataclass(frozen=True)
class Text:
    """A text with what several rules look for in it, each found once."""

    plain: str

    @cached_property
    def words(self) -> list[str]:
        """See `words.words`."""
        return words(self.plain)

    @cached_property
    def without_code(self) -> tuple[str, bool]:
        """See `prose.without_code`."""
        return without_code(self.plain)

    @cached_property
    def sentences(self) -> list[str]:
        """See `prose.sentences`."""
        return prose_sentences(self.without_code[0])


@dataclass(frozen=True)
class Example:
    """A question with its answer, as a rule sees it: never its place in the tree, so that rules stay general."""

    question: str
    answer: str
    finish_reason: str | None = None

    @cached_property
    def asked(self) -> Text:
        """The question, taken apart."""
        return Text(self.question)

    @cached_property
    def said(self) -> Text:
        """The answer, taken apart."""
        return Text(self.answer)
