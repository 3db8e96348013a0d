"""Shares of a budget: together never more than the budget, over starts and restarts."""

from pathlib import Path

import pytest
from store_world import a_call, clock

from glan.config import Budget
from glan.store.calls import CallLog
from glan.store.files import Files
from tasks.sharing import Shares


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files.open(str(tmp_path))


def make_calls(files: Files, share: Budget, number: int, writer: str) -> None:
    """So many calls of 30 tokens under the id of a share."""
    log = CallLog(files, writer=writer, clock=clock)
    for nth in range(number):
        log.append(a_call(f"{writer}-{nth}", budget_id=share.id))
    log.close()


def test_what_one_leaves_over_is_dealt_to_the_others(files: Files) -> None:
    shares = Shares(Budget(calls=12, tokens=3_000), "all", files, 3)
    first = shares.deal("physics")
    assert (first.id, first.calls, first.tokens) == ("all.physics", 4, 1_000)
    make_calls(files, first, 2, "w1")
    shares.give_back("physics")
    assert (shares.deal("law").calls, shares.deal("history").calls) == (5, 5)


def test_a_budget_without_caps_is_dealt_without_caps(files: Files) -> None:
    assert Shares(Budget(), "all", files, 2).deal("physics") == Budget()


def test_what_was_spent_before_a_restart_counts(files: Files) -> None:
    first = Shares(Budget(calls=10), "all", files, 2)
    make_calls(files, first.deal("physics"), 1, "w1")
    first.give_back("physics")
    make_calls(files, first.deal("law"), 7, "w2")  # and then all of them are killed

    again = Shares(Budget(calls=10), "all", files, 2)
    physics = again.deal("physics")
    assert physics.calls == 1 + 1  # the one it has made, and half of the two that are left
    make_calls(files, physics, 1, "w3")
    again.give_back("physics")
    law = again.deal("law")
    assert law.calls == 7 + 1
    make_calls(files, law, 1, "w4")
    again.give_back("law")
    assert again.spent
