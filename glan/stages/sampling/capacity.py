"""How many samples the decks of a syllabus, or of two, hold: their concept sets, counted without dealing them.

Where all concept names differ these are the sums of the paper (section 2.4). A name that several sessions share makes
some sets the same. So sets are told apart by the concepts that belong to one session alone: those with such concepts
of two sessions are a sum again; of the others, the shared names are gone through.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import chain, combinations, islice, product
from math import comb
from typing import TypeVar

from glan.stages.sampling.decks import MOST_CONCEPTS, Sessions, dealt_alone, names_within

MOST_GONE_THROUGH = 20_000
"""Sets of shared names. Where syllabi share more, their capacity counts those found among these: it is at least that."""

Names = frozenset[str]
T = TypeVar("T")


def capacity(sessions: Sessions) -> int:
    """How many samples both decks of a syllabus hold."""
    names = names_within(sessions)
    single = _count(names, [(place,) for place in range(len(names))], 1, lambda chosen: True)
    pairs = list(combinations(range(len(names)), 2))
    return single + _count(names, pairs, 2, lambda chosen: not any(chosen <= whole for whole in names))


def capacity_across(one: Sessions, other: Sessions) -> int:
    """How many samples the deck of two syllabi holds."""
    names = names_within([*one, *other])
    pairs = list(product(range(len(one)), range(len(one), len(names))))
    elsewhere = [*dealt_alone(one), *dealt_alone(other)]
    return _count(names, pairs, 2, lambda chosen: not any(chosen <= whole for whole in elsewhere))


def _count(
    names: Sequence[Names], groups: Sequence[tuple[int, ...]], least: int, is_new: Callable[[Names], bool]
) -> int:
    """Sets of `least` to 5 names that lie within the sessions of a group; each once, if it is new.

    A set with names of two sessions that no other session has is always new, and lies in one group alone.
    """
    counts = Counter(chain.from_iterable(names))
    shared = frozenset(name for name, count in counts.items() if count > 1)
    own = [within - shared for within in names]
    known = {group: shared.intersection(chain.from_iterable(names[place] for place in group)) for group in groups}
    of_one = _gone_through(
        (place, rest)
        for group in groups
        for place in group
        if own[place]
        for rest in _subsets(known[group] - names[place], 0, MOST_CONCEPTS - 1)
    )
    of_none = _gone_through(chosen for group in groups for chosen in _subsets(known[group], least, MOST_CONCEPTS))
    pairs = [group for group in groups if len(group) > 1]
    return (
        sum(_of_both(len(own[left]), len(own[right]), len(known[left, right])) for left, right in pairs)
        + sum(
            _with_any(len(own[place]), len(names[place]), least - len(rest), MOST_CONCEPTS - len(rest))
            for place, rest in of_one
            if is_new(rest | own[place])
        )
        + sum(1 for chosen in of_none if is_new(chosen))
    )


def _of_both(left: int, right: int, others: int) -> int:
    """Sets of up to 5 with some of the left, some of the right and any of the others."""
    sizes = (left + right + others, left + others, right + others, others)
    whole, without_right, without_left, neither = (sum(_ways(size, 2, MOST_CONCEPTS)) for size in sizes)
    return whole - without_right - without_left + neither


def _with_any(some: int, of: int, least: int, most: int) -> int:
    """Sets of `least` to `most` things out of so many, with any of some of them."""
    return sum(_ways(of, max(1, least), most)) - sum(_ways(of - some, max(1, least), most))


def _ways(size: int, least: int, most: int) -> Iterator[int]:
    return (comb(size, chosen) for chosen in range(least, most + 1))


def _subsets(names: Collection[str], least: int, most: int) -> Iterator[Names]:
    return (
        frozenset(chosen) for size in range(least, min(most, len(names)) + 1) for chosen in combinations(names, size)
    )


def _gone_through(found: Iterable[T]) -> set[T]:
    return set(islice(found, MOST_GONE_THROUGH))
