"""Figures of diversity: they rank what is varied before what is not, and depend on no order."""

import math
import random

import pytest

from glan.report.diversity import Sampled, diversity, evenness

WORDS = [f"{stem}{ending}" for stem in ("bee", "hive", "honey", "wax", "comb", "queen") for ending in "abcdefghij"]


def varied(number: int, seed: int = 1) -> list[str]:
    chance = random.Random(seed)
    return [" ".join(chance.choices(WORDS, k=12)) for _ in range(number)]


def test_varied_questions_come_out_better_by_every_figure() -> None:
    same = diversity([f"What is the weight of hive number {n}?" for n in range(100)])
    mixed = diversity(varied(100))
    assert (
        same.distinct
        and mixed.distinct
        and all(a < b for a, b in zip(same.distinct[1:], mixed.distinct[1:], strict=True))
    )
    assert same.compression and mixed.compression and same.compression > mixed.compression
    assert same.self_bleu and mixed.self_bleu and same.self_bleu > 0.8 > 0.4 > mixed.self_bleu
    assert same.vendi and mixed.vendi and 1 <= same.vendi < mixed.vendi <= 100


def test_the_effective_number_of_questions_is_that_of_the_different_ones() -> None:
    assert diversity(["one two three"] * 50).vendi == pytest.approx(1)
    assert diversity([f"word{n}" for n in range(40)]).vendi == pytest.approx(40)
    half = diversity(["a b c", "a b c", "d e f", "d e f"])
    assert half.vendi == pytest.approx(2) and half.self_bleu == pytest.approx(1, abs=0.6)


def test_equal_questions_have_a_self_bleu_of_one() -> None:
    assert diversity(["how much honey does a hive hold"] * 5).self_bleu == pytest.approx(1)


def test_too_little_to_say_is_said() -> None:
    assert diversity([]) == diversity(["", "?"])
    assert diversity(["What is honey?"]).vendi is None


def test_a_sample_depends_on_no_order_and_is_of_fixed_size() -> None:
    questions = [(f"q{n}", f"question {n}") for n in range(1_000)]
    one, other = Sampled(50), Sampled(50)
    for question in questions:
        one.add(*question)
    for question in reversed(questions):
        other.add(*question)
    assert one.texts == other.texts and len(set(one.texts)) == 50
    fewer = Sampled(50)
    for question in questions[:30]:
        fewer.add(*question)
    assert len(fewer.texts) == 30


def test_evenness_is_one_where_all_are_equal_and_none_where_there_is_one() -> None:
    assert evenness([5, 5, 5, 5]) == pytest.approx(1)
    assert str(evenness([20, 0, 0, 0])) == "0.0"
    assert evenness([3]) is None
    lopsided = evenness([97, 1, 1, 1])
    assert lopsided is not None and lopsided < 0.2 and not math.isnan(lopsided)
