"""What makes two questions the same: words and operators, not how they are dressed."""

import pytest

from glan.curation.words import grams, jaccard, words


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("What is entropy?", "what  is ENTROPY"),
        ("**What** is *entropy*?", "What is entropy?"),
        ("# Task\n- Name it.\n- Prove it.", "Task\nName it.\nProve it."),
        ("1. Name it.", "Name it."),
        ("Find it!", "Find it."),
        ("a well-known rule", "a well known rule"),
        ("What is \uff21\uff22?", "What is AB?"),
        ("Naïve Bayes", "Nai\u0308ve Bayes"),
    ],
)
def test_dress_makes_no_difference(one: str, other: str) -> None:
    assert words(one) == words(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Compute 5 + 3.", "Compute 5 - 3."),
        ("Compute 5 * 3.", "Compute 5 / 3."),
        ("Compute 5*3.", "Compute 5+3."),
        ("What is 2*3?", "What is 2**3?"),
        ("What is 5!?", "What is 5?"),
        ("Compute a - b.", "Compute a + b."),
        ("Is x < y?", "Is x > y?"),
        ("Is 7 prime?", "Is -7 prime?"),
        ("Find \u222a of A and B.", "Find \u2229 of A and B."),
        ("\u0915\u093f \u0939\u0948", "\u0915\u093e \u0939\u0948"),  # two Hindi words that differ in a vowel sign
        ("café", "cafe"),
    ],
)
def test_what_changes_the_question_makes_a_difference(one: str, other: str) -> None:
    assert words(one) != words(other)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("A well-known \u201cfact\u201d \u2014 it\u2019s 3-2\u2026", "a well known fact it s 3 - 2"),
        ("x_1 = -y; 5! != 6", "x_1 = - y 5 ! ! = 6"),
        ("O(n) costs \u00e9clairs \u2013 -3", "o n costs \u00e9clairs - 3"),
    ],
)
def test_words_are_the_same_whatever_quotes_dashes_and_accents_stand_between(text: str, found: str) -> None:
    assert words(text) == found.split()


def test_a_script_without_spaces_gives_one_word_a_character() -> None:
    assert words("什么是光合作用？") == list("什么是光合作用")


def test_a_short_text_is_one_gram_and_an_empty_one_has_none() -> None:
    assert grams("Define entropy.") == {"define entropy"}
    assert grams(" ... ") == set()


def test_jaccard_is_the_share_of_common_grams() -> None:
    assert jaccard(grams("one two three four"), grams("one two three five")) == pytest.approx(1 / 3)
    assert jaccard(grams("same words here"), grams("Same words, here!")) == 1
    assert jaccard(set(), set()) == 0
