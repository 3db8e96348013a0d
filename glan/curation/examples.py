"""What a rule looks at."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from glan.curation.identification import likeliest
from glan.curation.prose import prose_sentences, without_code
from glan.curation.words import words

_PIECE = 80  # characters of each piece of a text by which its language is told


@dataclass
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
        """See `prose.prose_sentences`."""
        return prose_sentences(self.without_code[0])

    @cached_property
    def likeliest_language(self) -> tuple[str, float]:
        """The likeliest language of a sample of the text, and its probability."""
        return likeliest([self.sample])[0]

    @property
    def sample(self) -> str:
        """Something of its beginning, its middle and its end: it may open in one language and go on in another."""
        middle = len(self.plain) // 2
        return f"{self.plain[:_PIECE]} {self.plain[middle : middle + _PIECE]} {self.plain[-_PIECE:]}"


@dataclass(frozen=True)
class Example:
    """A question with its answer, as a rule sees it: never its place in the tree, so that rules stay general."""

    question: str
    answer: str
    finish_reason: str | None = None
    language: str | None = None
    """What it was asked for in; None: in English, the language of the prompts."""

    @cached_property
    def asked(self) -> Text:
        """The question, taken apart."""
        return Text(self.question)

    @cached_property
    def said(self) -> Text:
        """The answer, taken apart."""
        return Text(self.answer)


def tell_languages(examples: Sequence[Example]) -> None:
    """Find the likeliest language of all texts together, which takes a third of what it takes one by one."""
    texts = [text for example in examples for text in (example.asked, example.said)]
    for text, found in zip(texts, likeliest([text.sample for text in texts]), strict=True):
        text.likeliest_language = found
