"""Which difficulty and which type each sample of a syllabus has, where the configuration asks for any; and saying so.

Both are dealt in hands of twenty, in which every name has its share to within one. A hand depends on the seed, the
weights and the address of its syllabus (of the two, for questions on two subjects) and on nothing else, so further
questions never change earlier ones; and other weights change only those samples whose place they move past.
"""

import random
from bisect import bisect_right
from collections.abc import Mapping
from itertools import accumulate
from typing import NamedTuple

from glan.config import RunConfig
from glan.keys import seed_for
from glan.question_mix import Weights

QUESTION, ANSWER = "question_kind", "answer_kind"
"""The templates that say what kind of question to write, and how one of a kind is answered."""

HAND = 20

_STEP = (5**0.5 - 1) / 2  # the golden ratio: hands of one syllabus begin as differently as can be


class Kind(NamedTuple):
    """What a question is to be; None: whatever suits."""

    difficulty: str | None = None
    question_type: str | None = None


def asked_for(config: RunConfig) -> bool:
    """Whether any kind is."""
    return bool(config.difficulties.given or config.question_types.given)


def kinds(config: RunConfig, node: str, start: int, stop: int) -> list[Kind]:
    """Those of the samples `start..stop-1` of a syllabus or of two, by what its rounds are rounds of."""

    def dealt(what: str, weights: Weights) -> list[str | None]:
        given = weights.given
        if not given:
            return [None] * (stop - start)
        seed = seed_for(config.seed, what, node)
        hands = range(start // HAND, (stop - 1) // HAND + 1) if stop > start else range(0)
        cards = [card for number in hands for card in _hand(given, seed, number)]
        first = start // HAND * HAND
        return list(cards[start - first : stop - first])

    found = dealt("difficulty", config.difficulties), dealt("question type", config.question_types)
    return [Kind(*pair) for pair in zip(*found, strict=True)]


def _hand(weights: Mapping[str, float], seed: int, number: int) -> list[str]:
    """Twenty points at even distances over the shares of all names, in an order that is the same for all weights."""
    begins = (random.Random(seed).random() + number * _STEP) % 1
    ends = list(accumulate(weights.values()))
    places = [bisect_right(ends, ends[-1] * (place + begins) / HAND, hi=len(ends) - 1) for place in range(HAND)]
    random.Random(seed_for(seed, number)).shuffle(places)
    names = list(weights)
    return [names[place] for place in places]
