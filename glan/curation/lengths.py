"""Whether question and answer are of a length that a model can be trained on."""

from glan.config import Curation
from glan.curation.examples import Example
from glan.curation.words import size


def length(example: Example, settings: Curation) -> str | None:
    """Too many words, or an answer of too few."""
    asked, said = (size(text.words, example.language) for text in (example.asked, example.said))
    if asked > settings.max_question_words:
        return f"the question has {asked} words, more than {settings.max_question_words}"
    if said > settings.max_answer_words:
        return f"the answer has {said} words, more than {settings.max_answer_words}"
    if 0 < said < settings.min_answer_words:
        return f"the answer has {said} words, fewer than {settings.min_answer_words}"
    return None
