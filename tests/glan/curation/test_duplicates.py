"""The pass over duplicates: what is alike is found, what is not stays, and no order matters."""

import random
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glan.curation.duplicates import CANDIDATES, Texts, duplicates_of
from glan.curation.signatures import signature
from glan.curation.words import grams, jaccard
from glan.errors import StoreError

THRESHOLD = 0.8
WORDS = [f"word{number}" for number in range(5_000)]


class Candidate(NamedTuple):
    """A row of `CANDIDATES`."""

    question_id: str
    signature: bytes
    held: bool = False
    accepted: bool = False
    score: float | None = None


def found_in(candidates: Sequence[Candidate], texts: Texts, portion: int = 1_000) -> dict[str, str]:
    """The duplicates, with candidates given in portions of this size."""
    rows = [one._asdict() for one in candidates]
    portions = [rows[start : start + portion] for start in range(0, len(rows), portion)]
    with tempfile.TemporaryDirectory() as scratch:
        tables = (pa.Table.from_pylist(some, schema=CANDIDATES) for some in portions)
        return duplicates_of(tables, texts, THRESHOLD, Path(scratch))


class Corpus:
    """Questions by id, and which of them were fetched."""

    def __init__(self, questions: Mapping[str, str]) -> None:
        self.questions = dict(questions)
        self.fetched: list[str] = []

    def texts(self, ids: Sequence[str]) -> dict[str, str]:
        self.fetched.extend(ids)
        return {name: self.questions[name] for name in ids}

    def candidates(self) -> list[Candidate]:
        return [Candidate(name, signature(text)) for name, text in self.questions.items()]

    def duplicates(self, candidates: Sequence[Candidate] | None = None) -> dict[str, str]:
        return found_in(self.candidates() if candidates is None else candidates, self.texts)


def text(seed: int, length: int = 40) -> list[str]:
    return random.Random(seed).choices(WORDS, k=length)


def with_changes(words: list[str], *places: int) -> str:
    return " ".join("changed" if place in places else word for place, word in enumerate(words))


LONG = text(0, 60)
# c is near a and b (52 of 64 grams), but a and b are not near each other (46 of 70).
CHAIN = {"a": with_changes(LONG, 10, 20), "c": with_changes(LONG), "b": with_changes(LONG, 30, 40)}


def alike(one: str, other: str) -> float:
    return jaccard(grams(one), grams(other))


def test_the_same_question_in_another_dress_is_a_duplicate_without_fetching_a_text() -> None:
    corpus = Corpus({"a": "What is the entropy of a fair coin?", "b": "**What is the Entropy of a fair coin?**"})
    assert corpus.duplicates() == {"b": "a"}
    assert corpus.fetched == []


def test_planted_pairs_at_the_threshold_and_above_are_found() -> None:
    questions = {}
    planted = []
    for seed in range(600):
        words = text(seed, 30 + seed % 40)
        cut = with_changes(words, *range(1 + seed % 3))
        if alike(" ".join(words), cut) >= THRESHOLD:
            questions[f"{seed:04d}-a"], questions[f"{seed:04d}-b"] = " ".join(words), cut
            planted.append(f"{seed:04d}")
    found = Corpus(questions).duplicates()
    assert len(planted) > 400
    assert sum(found.get(f"{name}-b") == f"{name}-a" for name in planted) >= 0.99 * len(planted)


def test_pairs_that_are_nearly_alike_enough_stay() -> None:
    questions = {}
    for seed in range(300):
        words = text(seed, 40)
        near = with_changes(words, 10, 25)
        assert 0.6 < alike(" ".join(words), near) < THRESHOLD
        questions[f"{seed}-a"], questions[f"{seed}-b"] = " ".join(words), near
    assert Corpus(questions).duplicates() == {}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Compute 5 + 3.", "Compute 5 - 3."),
        ("What is a ring?", "What is a field?"),
        ("Define entropy.", "Define enthalpy."),
        ("Is 7 prime?", "Is 9 prime?"),
        ("什么是光合作用？", "什么是细胞呼吸作用？"),
    ],
)
def test_short_questions_that_differ_stay(one: str, other: str) -> None:
    assert Corpus({"a": one, "b": other}).duplicates() == {}


def test_both_ends_of_a_chain_stay() -> None:
    assert alike(CHAIN["a"], CHAIN["c"]) >= THRESHOLD <= alike(CHAIN["c"], CHAIN["b"])
    assert alike(CHAIN["a"], CHAIN["b"]) < THRESHOLD
    assert Corpus(CHAIN).duplicates() == {"c": "a"}


def test_the_middle_of_a_chain_that_stays_replaces_both_ends() -> None:
    corpus = Corpus(CHAIN)
    middle_first = [one._replace(score=1.0 if one.question_id == "c" else 0.0) for one in corpus.candidates()]
    assert corpus.duplicates(middle_first) == {"a": "c", "b": "c"}


def test_a_copy_of_a_near_duplicate_names_the_one_that_stays() -> None:
    corpus = Corpus({"a": CHAIN["a"], "c": CHAIN["c"], "d": CHAIN["c"].upper()})
    assert corpus.duplicates() == {"c": "a", "d": "a"}


@pytest.mark.parametrize(
    "better",
    [
        {"held": True},
        {"held": True, "score": -1.0},
        {"accepted": True},
        {"score": 0.9},
    ],
    ids=str,
)
@pytest.mark.parametrize("other", ["Same  QUESTION of a few words", "same question of a few words here"])
def test_what_a_release_holds_or_was_accepted_or_scores_best_stays(better: dict[str, object], other: str) -> None:
    long = "same question of a few words " + " ".join(LONG)
    corpus = Corpus({"a": long, "b": f"{other} " + " ".join(LONG)})
    first, second = corpus.candidates()
    assert corpus.duplicates([first, second]) == {"b": "a"}
    assert corpus.duplicates([first, second._replace(**better)]) == {"a": "b"}


def test_a_release_counts_more_than_acceptance_and_acceptance_more_than_a_score() -> None:
    sign = signature("one question")
    rows = [
        Candidate("a", sign, score=1.0),
        Candidate("b", sign, accepted=True, score=0.5),
        Candidate("c", sign, held=True),
    ]
    assert Corpus({}).duplicates(rows) == {"a": "c", "b": "c"}
    assert Corpus({}).duplicates(rows[:2]) == {"a": "b"}


def test_a_question_that_comes_twice_is_no_duplicate_of_itself() -> None:
    sign = signature("one question")
    rows = [Candidate("a", sign), Candidate("a", sign, held=True), Candidate("b", sign)]
    assert Corpus({}).duplicates(rows) == {"b": "a"}


def test_nothing_has_no_duplicates() -> None:
    assert Corpus({}).duplicates([]) == {}
    assert Corpus({"a": "one question"}).duplicates() == {}


def test_a_text_that_cannot_be_fetched_is_an_error() -> None:
    with pytest.raises(StoreError, match="text of question"):
        found_in(Corpus(CHAIN).candidates(), lambda _: {})


def test_texts_are_fetched_for_candidates_only() -> None:
    corpus = Corpus({**CHAIN, **{f"other-{seed}": " ".join(text(seed)) for seed in range(1, 200)}})
    assert corpus.duplicates() == {"c": "a"}
    assert set(corpus.fetched) <= CHAIN.keys()


def test_many_copies_of_one_question_are_compared_with_the_first_alone() -> None:
    corpus = Corpus({f"{number:04d}": with_changes(LONG, number % 60) + f" {number}" for number in range(600)})
    found = corpus.duplicates()
    stay = corpus.questions.keys() - found.keys()
    assert len(stay) < 10
    assert all(alike(corpus.questions[name], corpus.questions[of]) >= THRESHOLD for name, of in found.items())


variants = st.tuples(st.integers(0, 2), st.sets(st.integers(0, 23), max_size=3))
rows = st.lists(st.tuples(variants, st.booleans(), st.booleans(), st.sampled_from([None, 0.2, 0.7])), max_size=14)


def corpus_of(
    drawn: Sequence[tuple[tuple[int, set[int]], bool, bool, float | None]],
) -> tuple[Corpus, list[Candidate]]:
    corpus = Corpus(
        {f"q{number:02d}": with_changes(text(one[0][0], 24), *one[0][1]) for number, one in enumerate(drawn)}
    )
    candidates = [
        candidate._replace(held=held, accepted=accepted, score=score)
        for candidate, (_, held, accepted, score) in zip(corpus.candidates(), drawn, strict=True)
    ]
    return corpus, candidates


@settings(deadline=None, max_examples=80)
@given(rows, st.randoms(use_true_random=False))
def test_the_outcome_does_not_depend_on_the_order_or_portions_of_rows(drawn: list, chance: random.Random) -> None:
    corpus, candidates = corpus_of(drawn)
    shuffled = chance.sample(candidates, len(candidates))
    assert found_in(shuffled, corpus.texts, chance.randint(1, 5)) == corpus.duplicates(candidates)


@settings(deadline=None, max_examples=80)
@given(rows)
def test_every_duplicate_is_like_a_row_that_stays_and_no_two_that_stay_are_alike(drawn: list) -> None:
    corpus, candidates = corpus_of(drawn)
    found = corpus.duplicates(candidates)
    stay = [one.question_id for one in candidates if one.question_id not in found]
    assert set(found.values()) <= set(stay)
    assert all(alike(corpus.questions[name], corpus.questions[of]) >= THRESHOLD for name, of in found.items())
    texts = [corpus.questions[name] for name in stay]
    assert all(alike(one, two) < THRESHOLD for place, one in enumerate(texts) for two in texts[:place])


@settings(deadline=None, max_examples=60)
@given(rows)
def test_a_second_pass_over_what_was_accepted_changes_nothing(drawn: list) -> None:
    corpus, candidates = corpus_of(drawn)
    found = corpus.duplicates(candidates)
    accepted = [one._replace(accepted=one.question_id not in found) for one in candidates]
    assert corpus.duplicates(accepted) == found


@settings(deadline=None, max_examples=60)
@given(rows, rows)
def test_what_was_accepted_stays_accepted_when_more_comes(drawn: list, more: list) -> None:
    _, candidates = corpus_of([(one, False, False, score) for one, _, _, score in drawn])
    corpus, together = corpus_of([(one, False, False, score) for one, _, _, score in [*drawn, *more]])
    gone = corpus.duplicates(candidates)
    kept = {one.question_id for one in candidates} - gone.keys()
    later = corpus.duplicates([one._replace(accepted=one.question_id in kept) for one in together])
    assert not kept & later.keys()


@settings(deadline=None, max_examples=80)
@given(rows, st.randoms(use_true_random=False))
def test_a_pass_that_was_interrupted_while_it_published_ends_as_one_that_was_not(
    drawn: list, chance: random.Random
) -> None:
    corpus, candidates = corpus_of([(one, False, False, score) for one, _, _, score in drawn])
    found = corpus.duplicates(candidates)
    published = {one.question_id for one in candidates if chance.random() < 0.5} - found.keys()
    again = [one._replace(accepted=one.question_id in published) for one in candidates]
    assert corpus.duplicates(again) == found
