"""Likeness of names: a hint that is the same both ways."""

import pytest

from glan.drafting.documents import DraftNode
from glan.drafting.likeness import NEAR, likeness, near


@pytest.mark.parametrize(
    ("one", "other", "is_near"),
    [
        ("Applied mathematics", "Mathematics", True),
        ("Film", "Film industry", True),
        ("Visual Arts", "visual  arts", True),
        ("Food industry", "Wood industry", True),
        ("Physics", "Chemistry", False),
        ("Macroeconomics", "History", False),
        ("", "Law", False),
    ],
)
def test_names_are_near_by_what_they_share(one: str, other: str, is_near: bool) -> None:
    assert (likeness(one, other) >= NEAR) is is_near
    assert likeness(one, other) == likeness(other, one)
    assert likeness(one or "a", one or "a") == 1.0


def test_what_stands_above_or_below_is_never_near_and_the_nearest_come_first() -> None:
    paths = [
        ("Music",),
        ("Music", "Music history"),
        ("Arts", "History of music"),
        ("Arts", "Music"),
        ("Arts", "Musicology"),
    ]
    nodes = [DraftNode(path=path, kind="discipline", proposed=True) for path in paths]
    found = near(nodes, nodes)
    assert ("Music", "Music history") not in {one.node for one in found[("Music",)]}
    assert found[("Music",)][0].node == ("Arts", "Music")
    assert [one.likeness for one in found[("Music",)]] == sorted(
        (one.likeness for one in found[("Music",)]), reverse=True
    )
