"""A pattern that is spared most texts finds what it would have found."""

import pytest

from glan.curation.patterns import Guarded

PATTERN = Guarded(("session", "above"), r"\b(?:this session|the kits? above)\b")


@pytest.mark.parametrize(
    "text",
    [
        "In THIS SESSION",
        "in this \u017fe\u017f\u017fion",
        "in th\u0131s sess\u0130on",
        "THE KIT ABOVE",
        "the \u212aits above",
    ],
)
def test_a_match_is_found_however_its_letters_are_written(text: str) -> None:
    assert PATTERN.search(text)


@pytest.mark.parametrize("text", ["", "above this", "obsession", "the kit below"])
def test_a_text_without_a_match_has_none(text: str) -> None:
    assert PATTERN.search(text) is None
