"""What a night asks for: the shortfall of accepted instructions, evenly, within what the decks and attempts allow."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from stage_world import PHYSICS, grow, new_store, publish, recipe, teacher

from glan.planning.expansion import Standing, even, growth, standing
from glan.planning.scope import walks
from glan.taxonomy import Discipline


def at(
    name: str, accepted: int, judged: int, asked: int, decks: Mapping[str, tuple[int, int]], begun: int = 0
) -> Standing:
    """A standing whose syllabi have been asked for so many of so many samples."""
    return Standing(
        discipline=Discipline("Field", "Sub-field", name.title(), name, "curated"),
        accepted=accepted,
        judged=judged,
        asked=asked,
        begun=begun,
        reached={node: reached for node, (reached, _) in decks.items()},
        capacity={node: capacity for node, (_, capacity) in decks.items()},
    )


def added(standing: Standing, limits: Mapping[str, int]) -> int:
    name = standing.discipline.discipline_id
    return sum(max(0, limits[f"{name}/{node}"] - done) for node, done in standing.reached.items())


def test_what_is_wanted_goes_to_those_asked_least_and_to_no_deck_more_than_it_has() -> None:
    reached, capacity = {"a": 10, "b": 2, "c": 2}, {"a": 100, "b": 100, "c": 3}
    assert even(reached, capacity, 0) == reached
    assert even(reached, capacity, 2) == {"a": 10, "b": 3, "c": 3}
    assert even(reached, capacity, 9) == {"a": 10, "b": 10, "c": 3}
    assert even(reached, capacity, 11) == {"a": 11, "b": 11, "c": 3}
    assert even(reached, capacity, 10_000) == capacity


def test_the_least_covered_come_first_and_those_at_their_target_get_nothing() -> None:
    full = at("physics", 100, 100, 100, {"a": (100, 900)})
    half = at("law", 50, 50, 50, {"a": (50, 900)})
    empty = at("music", 10, 10, 10, {"a": (10, 900)})
    plan = growth([full, half, empty], target=100, attempts=3, subjects=None, first_round=20)
    assert [one.standing.discipline.discipline_id for one in plan] == ["music", "law", "physics"]
    assert [one.wanted for one in plan] == [90, 50, 0]
    assert "reached its target" in plan[2].reason


def test_the_share_that_was_rejected_is_asked_for_in_addition() -> None:
    one = at("physics", 40, 80, 80, {"a": (40, 900), "b": (40, 900)})
    [grown] = growth([one], target=60, attempts=10, subjects=None, first_round=20)
    assert grown.wanted == added(one, grown.limits) == 40


def test_a_discipline_that_yields_nothing_is_given_up_after_the_attempts_allowed() -> None:
    poor = at("physics", 1, 250, 250, {"a": (250, 900)})
    [last] = growth([poor], target=100, attempts=3, subjects=None, first_round=20)
    assert last.wanted == 50
    spent = at("physics", 1, 300, 300, {"a": (300, 900)})
    [none] = growth([spent], target=100, attempts=3, subjects=None, first_round=20)
    assert none.limits == {}
    assert "given up" in none.reason


@pytest.mark.parametrize("capacity", [300, 900])
def test_a_discipline_is_not_given_up_before_what_was_begun_is_judged(capacity: int) -> None:
    begun = at("physics", 20, 20, 300, {"a": (290, capacity), "b": (10, 10)}, begun=280)
    [grown] = growth([begun], target=100, attempts=3, subjects=None, first_round=20)
    assert grown.limits == {"physics": 10, "physics/a": 290, "physics/b": 10}
    assert grown.reason == ""


def test_decks_that_are_dealt_out_say_so() -> None:
    [grown] = growth([at("physics", 5, 5, 6, {"a": (6, 6)})], target=100, attempts=3, subjects=None, first_round=20)
    assert grown.limits == {}
    assert "no concept set left" in grown.reason


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_the_deck_of_one_strategy_alone_ends_before_that_of_both(tmp_path: Path, share: float) -> None:
    store, made = new_store(tmp_path), recipe(questions=200, cross_session_share=share)
    receipts = grow(store, made, teacher("Optics"))
    publish(store, receipts)
    [walk] = walks(store, [PHYSICS], made)
    now = standing(store, PHYSICS, walk.shelf, ["en"])
    assert now.asked == sum(receipt.rows for receipt in receipts["questions"]) < (receipts["syllabi"][0].capacity or 0)
    [grown] = growth([now], target=10_000, attempts=3, subjects=None, first_round=20)
    assert grown.limits == {}
    assert "no concept set left" in grown.reason


def test_a_discipline_of_which_nothing_is_known_begins_with_few_questions_a_subject() -> None:
    [grown] = growth([at("physics", 0, 0, 0, {})], target=1_000, attempts=3, subjects=None, first_round=20)
    assert grown.limits == {"physics": 5}
    [few] = growth([at("physics", 0, 0, 0, {})], target=1_000, attempts=3, subjects=10, first_round=20)
    assert few.limits == {"physics": 20}


@pytest.mark.parametrize(("kept_of_ten", "reached"), [(7, True), (4, True), (1, False)])
def test_rounds_top_up_what_curation_rejected_until_the_target_or_the_cap(kept_of_ten: int, reached: bool) -> None:
    done, target, attempts, reason = {"a": 0, "b": 0}, 100, 4, ""
    for _ in range(20):
        asked = sum(done.values())
        accepted = sum(number % 10 < kept_of_ten for number in range(asked))
        standing = at("physics", accepted, asked, asked, {name: (most, 900) for name, most in done.items()})
        [grown] = growth([standing], target=target, attempts=attempts, subjects=None, first_round=20)
        if not grown.limits:
            reason = grown.reason
            break
        assert grown.wanted > 0
        done = {name: grown.limits[f"physics/{name}"] for name in done}
        assert sum(done.values()) <= target * attempts
    if reached:
        assert target <= accepted <= target * 1.1
        assert "reached its target" in reason
    else:
        assert asked == target * attempts
        assert reason == f"was given up: {asked} questions asked, {accepted} accepted"
