"""Asking for another language than English, and refusing what surely came in a third.

The templates are in English whatever is asked for; the one named `language` says at their end what to write in. So what
is asked for in English is asked as if there were no other languages.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import BaseModel

from glan.config import Curation
from glan.curation.examples import Text
from glan.curation.language import other_than
from glan.gateway.requests import Message, Problem, Reader, Understood, with_end
from glan.languages import LANGUAGES
from glan.prompts import Prompt

PROMPT = "language"
"""The template that names the language."""

READ_STRICTLY = ("syllabus", "question")
"""The roles whose replies are looked at: what follows from a syllabus in the wrong language would all be lost.

Answers are judged by curation, which knows what their questions are about.
"""


def asked_in(language: str, prompt: Prompt, messages: Sequence[Message]) -> list[Message]:
    """The messages, with the language to write in at the end of the last."""
    return with_end(messages, prompt.render({"language": LANGUAGES[language]}))


def read_in(language: str, read: Reader) -> Reader:
    """A reader that also refuses a reply whose texts are surely in another language."""

    def checked(text: str, finish_reason: str | None) -> Understood | Problem:
        result = read(text, finish_reason)
        if isinstance(result, Problem):
            return result
        found = other_than(language, Text("\n".join(_texts(result.value))), Curation().min_language_certainty)
        if found is None:
            return result
        name = LANGUAGES[language]
        return Problem("other_language", f"This is not in {name}; write all of it in {name}.")

    return checked


def _texts(value: Any) -> Iterator[str]:
    """All texts in a reply."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, BaseModel):
        yield from _texts(list(value.model_dump().values()))
    elif isinstance(value, dict):
        yield from _texts(list(value.values()))
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)
