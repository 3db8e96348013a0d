"""Syllabus -> samples: which sessions and concepts each question is about.

Two decks per syllabus, each dealt without replacement (paper, section 2.4):
- single session: one session, 1-5 of its concepts;
- cross session: two sessions, 2-5 concepts that no one session holds all of.
And beyond the paper, one deck for two syllabi of a discipline:
- cross subject: a session of each, 2-5 concepts of both that neither syllabus could deal by itself.

Concept sets are compared as sets of normalised names, so the same set never comes twice, whichever session it is
drawn from. A deck is dealt evenly: sessions take turns and within them the concepts used least so far come first, so
every session and every concept is reached as early as possible. The order depends on the seed and the syllabus alone.
"""

import itertools
import random
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import floor, lcm
from typing import Literal

from glan.keys import normalised, seed_for

Strategy = Literal["single_session", "cross_session", "cross_subject"]
Sessions = Sequence[Sequence[str]]
"""The key concepts of each class session, in order."""

Concept = tuple[int, int]
"""(session index, concept index)"""

Pick = tuple[Concept, ...]
"""The chosen concepts, in syllabus order."""

MOST_CONCEPTS = 5
RANDOM_TRIES = 20


@dataclass(frozen=True, slots=True)
class Sample:
    """What one question is about. `index` counts over the whole life of the syllabus, or of the two syllabi."""

    index: int
    strategy: Strategy
    session_indexes: tuple[int, ...]
    key_concepts: tuple[str, ...]
    other_session_indexes: tuple[int, ...] = ()
    """Of a cross-subject sample: those of the other syllabus."""

    other_key_concepts: tuple[str, ...] = ()
    """Those of the key concepts that come from there."""


def samples(sessions: Sessions, seed: int, share: float, start: int, stop: int) -> list[Sample]:
    """Samples `start..stop-1`; fewer if both decks run out before `stop`.

    Args:
        sessions: key concepts per session.
        seed: of this syllabus, from the run's seed and the syllabus's content.
        share: share of cross-session samples, 0 to 1. A deck that is exhausted leaves its turns to the other.
    """
    dealt = itertools.islice(_dealt(sessions, seed, share), start, stop)
    return [
        Sample(
            index=index,
            strategy=strategy,
            session_indexes=tuple(sorted({session for session, _ in pick})),
            key_concepts=tuple(sessions[session][concept] for session, concept in pick),
        )
        for index, (strategy, pick) in enumerate(dealt, start=start)
    ]


def samples_across(one: Sessions, other: Sessions, seed: int, start: int, stop: int) -> list[Sample]:
    """Cross-subject samples `start..stop-1` of two syllabi; fewer if their deck runs out before `stop`."""
    first = len(one)  # of the other's sessions, where those of both are counted on
    sessions = [*one, *other]
    dealt = itertools.islice(_cross_subject_deck(one, other, seed), start, stop)
    return [
        Sample(
            index=index,
            strategy="cross_subject",
            session_indexes=tuple(sorted({session for session, _ in pick if session < first})),
            key_concepts=tuple(sessions[session][concept] for session, concept in pick),
            other_session_indexes=tuple(sorted({session - first for session, _ in pick if session >= first})),
            other_key_concepts=tuple(sessions[session][concept] for session, concept in pick if session >= first),
        )
        for index, pick in enumerate(dealt, start=start)
    ]


def _dealt(sessions: Sessions, seed: int, share: float) -> Iterator[tuple[Strategy, Pick]]:
    """Both decks shuffled together: of the first n samples, floor(n * share) are cross-session."""
    order = [index for index, concepts in enumerate(sessions) if concepts]
    random.Random(seed_for(seed, "sessions")).shuffle(order)
    used: Counter[Concept] = Counter()  # by both decks, so that each goes for what the other has not reached
    single = _single_session_deck(sessions, order, used, random.Random(seed_for(seed, "single_session")))
    cross = _cross_session_deck(sessions, order, used, random.Random(seed_for(seed, "cross_session")))
    decks: dict[Strategy, Iterator[Pick]] = {"single_session": single, "cross_session": cross}
    for index in itertools.count():
        wants_cross = floor((index + 1) * share + 1e-9) > floor(index * share + 1e-9)
        preferred: Strategy = "cross_session" if wants_cross else "single_session"
        other: Strategy = "single_session" if wants_cross else "cross_session"
        # A share of 0 or 1 switches the other strategy off altogether.
        allowed = [preferred] if share in (0.0, 1.0) else [preferred, other]
        for strategy in allowed:
            pick = next(decks[strategy], None)
            if pick is not None:
                yield strategy, pick
                break
        else:
            return


def _single_session_deck(
    sessions: Sessions, order: Sequence[int], used: Counter[Concept], chance: random.Random
) -> Iterator[Pick]:
    """Sessions take turns; each turn takes one new set of 1-5 concepts of that session.

    They come from the middle of the order outwards: the other deck begins at its ends.
    """
    seen: set[frozenset[str]] = set()
    turns = [
        _new_sets([[(session, concept) for concept in range(len(sessions[session]))]], 1, sessions, seen, used, chance)
        for session in _from_the_middle(order)
    ]
    return _in_turns(turns)


def _from_the_middle(order: Sequence[int]) -> list[int]:
    ends = [place for pair in zip(order, reversed(order), strict=True) for place in pair]
    return list(reversed(dict.fromkeys(ends)))


def _cross_session_deck(
    sessions: Sessions, order: Sequence[int], used: Counter[Concept], chance: random.Random
) -> Iterator[Pick]:
    """Pairs of sessions take turns in the order of a round-robin tournament, so all sessions meet evenly."""
    seen: set[frozenset[str]] = set()
    within = names_within(sessions)
    turns = []
    for pair in _tournament(list(order)):
        groups = [[(session, concept) for concept in range(len(sessions[session]))] for session in sorted(pair)]
        turns.append(_new_sets(groups, 2, sessions, seen, used, chance, not_within=within))
    return _in_turns(turns)


def _cross_subject_deck(one: Sessions, other: Sessions, seed: int) -> Iterator[Pick]:
    """A session of each syllabus, in turns that reach the sessions of both evenly; the other's are counted on."""
    sessions = [*one, *other]
    places = [index for index, concepts in enumerate(sessions) if concepts]
    left, right = ([place for place in places if (place < len(one)) is own] for own in (True, False))
    for order, name in ((left, "sessions"), (right, "other sessions")):
        random.Random(seed_for(seed, name)).shuffle(order)
    seen: set[frozenset[str]] = set()
    used: Counter[Concept] = Counter()
    chance = random.Random(seed_for(seed, "cross_subject"))
    elsewhere = [*dealt_alone(one), *dealt_alone(other)]
    turns = [
        _new_sets(
            [[(session, concept) for concept in range(len(sessions[session]))] for session in pair],
            2,
            sessions,
            seen,
            used,
            chance,
            not_within=elsewhere,
        )
        for pair in _meetings(left, right)
    ]
    return _in_turns(turns)


def names_within(sessions: Sessions) -> list[frozenset[str]]:
    """The normalised names of each session's concepts."""
    return [frozenset(normalised(concept) for concept in concepts) for concepts in sessions]


def dealt_alone(sessions: Sessions) -> list[frozenset[str]]:
    """What a syllabus deals by itself lies within one of these: the concepts of one session, or of two."""
    within = names_within(sessions)
    return [*within, *(left | right for left, right in itertools.combinations(within, 2))]


def _meetings(left: Sequence[int], right: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Everyone on the left once with everyone on the right, so that both sides go round evenly."""
    if left and right:
        lap = lcm(len(left), len(right))  # after it the same would meet again
        for turn in range(len(left) * len(right)):
            yield left[turn % len(left)], right[(turn + turn // lap) % len(right)]


def _in_turns(turns: list[Iterator[Pick]]) -> Iterator[Pick]:
    while turns:
        left = []
        for turn in turns:
            pick = next(turn, None)
            if pick is not None:
                yield pick
                left.append(turn)
        turns = left


def _tournament(players: list[int]) -> Iterator[tuple[int, int]]:
    """Every pair once, in rounds in which each player meets one other (the circle method)."""
    seats: list[int | None] = [*players] if len(players) % 2 == 0 else [*players, None]
    for _ in range(len(seats) - 1):
        for left, right in zip(seats[: len(seats) // 2], reversed(seats[len(seats) // 2 :]), strict=True):
            if left is not None and right is not None:
                yield left, right
        seats = [seats[0], seats[-1], *seats[1:-1]]


def _new_sets(
    groups: list[list[Concept]],
    least: int,
    sessions: Sessions,
    seen: set[frozenset[str]],
    used: Counter[Concept],
    chance: random.Random,
    not_within: Sequence[frozenset[str]] = (),
) -> Iterator[Pick]:
    """New concept sets with at least one concept of each group, until none is left.

    The size goes round from `least` to 5, starting anywhere. The concepts used least so far are taken first; where
    that set was dealt before, chance chooses another one of the size, and near the end the rest is searched.
    """
    if not all(groups):
        return
    pool = [concept for group in groups for concept in group]
    name_of = {(session, concept): normalised(sessions[session][concept]) for session, concept in pool}
    # Nothing is searched for where nothing can be new, as where sessions teach the same: that could take hours.
    searched = [] if any(whole.issuperset(name_of.values()) for whole in not_within) else _each_name_once(name_of)
    sizes = deque(range(least, min(MOST_CONCEPTS, len(pool)) + 1))
    sizes.rotate(chance.randrange(len(sizes)))

    def is_new(pick: Pick) -> bool:
        names = frozenset(name_of[concept] for concept in pick)
        return len(names) == len(pick) and names not in seen and not any(names <= whole for whole in not_within)

    while sizes:
        size = sizes.popleft()
        pick = next(filter(is_new, _proposals(groups, searched, size, used, chance)), None)
        if pick is not None:
            sizes.append(size)
            seen.add(frozenset(name_of[concept] for concept in pick))
            used.update(pick)
            yield pick


def _each_name_once(name_of: Mapping[Concept, str]) -> list[Concept]:
    """The first concept of each name: enough for every set of names. One that neither of two groups holds whole has
    concepts of both."""
    first: dict[str, Concept] = {}
    for concept, name in name_of.items():
        first.setdefault(name, concept)
    return list(first.values())


def _proposals(
    groups: list[list[Concept]], searched: Sequence[Concept], size: int, used: Counter[Concept], chance: random.Random
) -> Iterator[Pick]:
    """Sets of one size, best first; in the end every one there is of the concepts that are searched."""
    yield _least_used(groups, size, used, chance)
    for _ in range(RANDOM_TRIES):
        yield _least_used(groups, size, Counter(), chance)
    yield from itertools.combinations(searched, size)


def _least_used(groups: list[list[Concept]], size: int, used: Counter[Concept], chance: random.Random) -> Pick:
    """One concept of each group and then any, the least used first, ties by chance."""
    ranked = [sorted(group, key=lambda concept: (used[concept], chance.random())) for group in groups]
    chosen = [group[0] for group in ranked]
    others = sorted(
        (concept for group in ranked for concept in group[1:]), key=lambda concept: (used[concept], chance.random())
    )
    return tuple(sorted(chosen + others[: size - len(chosen)]))
