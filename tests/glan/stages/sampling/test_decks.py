"""The sampler deals both decks evenly, without replacement and independently of rounds (design: sampling)."""

from collections import Counter
from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from glan.keys import normalised
from glan.stages.sampling.capacity import capacity, capacity_across
from glan.stages.sampling.decks import MOST_CONCEPTS, Sample, samples, samples_across

NINE_SESSIONS = [[f"concept {session}.{number}" for number in range(5)] for session in range(9)]

small_syllabi = st.lists(st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=4, unique=True), max_size=4)


def concept_set(sample: Sample) -> frozenset[str]:
    return frozenset(normalised(concept) for concept in sample.key_concepts)


def all_sets(sessions: list[list[str]]) -> tuple[set[frozenset[str]], set[frozenset[str]]]:
    """Every set each deck may deal, counted the slow way."""
    single = {
        frozenset(chosen)
        for session in sessions
        for size in range(1, MOST_CONCEPTS + 1)
        for chosen in combinations(session, size)
    }
    cross = {
        frozenset(one + other)
        for left, right in combinations(sessions, 2)
        for first in range(1, MOST_CONCEPTS)
        for second in range(1, MOST_CONCEPTS + 1 - first)
        for one in combinations(left, first)
        for other in combinations(right, second)
        if len(set(one + other)) == first + second
    }
    return single, {chosen for chosen in cross if not any(chosen <= set(session) for session in sessions)}


@settings(deadline=None, max_examples=60)
@given(small_syllabi, st.integers(0, 5))
def test_the_decks_deal_every_concept_set_exactly_once_and_then_end(sessions: list[list[str]], seed: int) -> None:
    single, cross = all_sets(sessions)
    dealt = samples(sessions, seed, 0.5, 0, 5_000)
    by_strategy = {
        strategy: [concept_set(sample) for sample in dealt if sample.strategy == strategy]
        for strategy in ("single_session", "cross_session")
    }
    assert Counter(by_strategy["single_session"]) == Counter(single)
    assert Counter(by_strategy["cross_session"]) == Counter(cross)
    assert capacity(sessions) == len(dealt)


def test_sessions_that_all_teach_the_same_are_dealt_without_a_search_of_all_that_no_deck_may_hold() -> None:
    concepts = [f"concept {number}" for number in range(40)]  # a search of all their sets would never end
    dealt = samples([concepts] * 12, 0, 0.5, 0, 40)
    assert {sample.strategy for sample in dealt} == {"single_session"}
    assert len({concept_set(sample) for sample in dealt}) == 40


def test_a_name_that_sessions_share_takes_away_only_the_sets_it_makes_alike() -> None:
    sessions = [[f"concept {session}.{number}" for number in range(5)] for session in range(12)]
    whole = capacity(sessions)
    for session in sessions[:3]:
        session[0] = "Overview"
    single, cross = all_sets(sessions)
    assert 0.8 * whole < capacity(sessions) == len(single) + len(cross) < whole


@settings(deadline=None)
@given(st.integers(0, 3), st.integers(0, 60), st.integers(0, 60))
def test_a_round_continues_where_the_last_one_stopped(seed: int, cut: int, more: int) -> None:
    whole = samples(NINE_SESSIONS, seed, 0.4, 0, cut + more)
    first = samples(NINE_SESSIONS, seed, 0.4, 0, cut)
    second = samples(NINE_SESSIONS, seed, 0.4, cut, cut + more)
    assert first + second == whole
    assert [sample.index for sample in whole] == list(range(cut + more))


def test_every_session_is_reached_before_any_comes_twice() -> None:
    single = samples(NINE_SESSIONS, 7, 0.0, 0, 18)
    assert sorted(sample.session_indexes[0] for sample in single[:9]) == list(range(9))
    cross = samples(NINE_SESSIONS, 7, 1.0, 0, 36)
    assert len({index for sample in cross[:5] for index in sample.session_indexes}) >= 8
    assert len({sample.session_indexes for sample in cross}) == 36


def test_concepts_of_a_session_are_reached_before_they_repeat_needlessly() -> None:
    uses = Counter(concept for sample in samples(NINE_SESSIONS, 3, 0.0, 0, 45) for concept in sample.key_concepts)
    assert len(uses) == 45
    assert max(uses.values()) - min(uses.values()) <= 2


def test_a_cross_session_sample_takes_concepts_of_both_its_sessions() -> None:
    for sample in samples(NINE_SESSIONS, 1, 1.0, 0, 400):
        sessions = [set(NINE_SESSIONS[index]) for index in sample.session_indexes]
        assert len(sessions) == 2
        assert all(session & set(sample.key_concepts) for session in sessions)
        assert 2 <= len(sample.key_concepts) <= MOST_CONCEPTS


def test_the_share_of_strategies_holds_over_every_prefix() -> None:
    dealt = samples(NINE_SESSIONS, 0, 0.3, 0, 100)
    for length in range(1, 101):
        cross = sum(sample.strategy == "cross_session" for sample in dealt[:length])
        assert abs(cross - 0.3 * length) < 1


def test_a_share_of_none_or_all_switches_the_other_strategy_off() -> None:
    assert {sample.strategy for sample in samples([["a"], ["b"]], 0, 0.0, 0, 50)} == {"single_session"}
    assert {sample.strategy for sample in samples([["a"], ["b"]], 0, 1.0, 0, 50)} == {"cross_session"}


def test_another_seed_deals_in_another_order() -> None:
    assert samples(NINE_SESSIONS, 1, 0.5, 0, 20) != samples(NINE_SESSIONS, 2, 0.5, 0, 20)


OTHER_SESSIONS = [[f"other {session}.{number}" for number in range(4)] for session in range(6)]


def all_sets_across(one: list[list[str]], other: list[list[str]]) -> set[frozenset[str]]:
    """Every set that takes from a session of each and that neither syllabus deals by itself, found the slow way."""
    across = {
        frozenset(left + right)
        for here in one
        for there in other
        for first in range(1, MOST_CONCEPTS)
        for second in range(1, MOST_CONCEPTS + 1 - first)
        for left in combinations(here, first)
        for right in combinations(there, second)
        if len(set(left + right)) == first + second
    }
    return across - set().union(*all_sets(one), *all_sets(other))


@settings(deadline=None, max_examples=40)
@given(small_syllabi, small_syllabi, st.integers(0, 5))
def test_two_syllabi_deal_what_neither_deals_alone_exactly_once_and_then_end(
    one: list[list[str]], other: list[list[str]], seed: int
) -> None:
    dealt = samples_across(one, other, seed, 0, 5_000)
    assert Counter(map(concept_set, dealt)) == Counter(all_sets_across(one, other))
    assert capacity_across(one, other) == len(dealt)
    for sample in dealt:
        [here], [there] = sample.session_indexes, sample.other_session_indexes
        taken = len(sample.key_concepts) - len(sample.other_key_concepts)
        assert set(sample.key_concepts[:taken]) <= set(one[here])
        assert set(sample.key_concepts[taken:]) == set(sample.other_key_concepts) <= set(other[there])


def test_rounds_on_two_syllabi_continue_and_reach_all_sessions_evenly() -> None:
    whole = samples_across(NINE_SESSIONS, OTHER_SESSIONS, 3, 0, 54)
    assert whole == [
        sample
        for start in (0, 10, 31)
        for sample in samples_across(NINE_SESSIONS, OTHER_SESSIONS, 3, start, {0: 10, 10: 31, 31: 54}[start])
    ]
    assert len({(sample.session_indexes, sample.other_session_indexes) for sample in whole}) == 54
    assert len({sample.session_indexes for sample in whole[:9]}) == 9
    assert len({sample.other_session_indexes for sample in whole[:6]}) == 6
    assert whole != samples_across(NINE_SESSIONS, OTHER_SESSIONS, 4, 0, 54)
