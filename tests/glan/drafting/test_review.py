"""What ballots make of a draft and a taxonomy: majorities, cascades, additions, and a record of who decided."""

import datetime
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from draft_world import TREE, drafted
from stage_world import NOON, new_store

from glan.drafting import keeping, paths
from glan.drafting.documents import Draft, spelled
from glan.drafting.review import CRITERIA, Annotator, Ballot, Review, additions, applied, decided
from glan.errors import InputError, StoreError
from glan.store import taxonomies
from glan.taxonomy import Taxonomy

SUB, LEAF = "sub-field", "discipline"
TEXTILES, WEAVING, KNITTING = "Crafts > Textiles", "Crafts > Textiles > Weaving", "Crafts > Textiles > Knitting"
POTTERY, PHYSICAL, PHYSICS = (
    "Crafts > Pottery",
    "Sciences > Physical sciences",
    "Sciences > Physical sciences > Physics",
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Draft:
    said = {
        "Crafts": [("Pottery", LEAF), ("Textiles", SUB)],
        "Crafts > Textiles": [("Weaving", LEAF), ("Knitting", LEAF)],
        "Sciences > Physical sciences": [("Carpentry", LEAF)],
    }
    return drafted(tmp_path_factory.mktemp("draft"), said)


def ballots(*votes: Mapping[str, bool], add: Mapping[int, list[str]] | None = None) -> list[Ballot]:
    """A ballot for each mapping, by annotators A, B, C, ..."""
    return [
        Ballot(
            annotator=Annotator(name="ABCDEFG"[number]),
            keep=dict(keep),
            add=[paths.new(path) for path in (add or {}).get(number, [])],
        )
        for number, keep in enumerate(votes)
    ]


def result(made: Draft, votes: list[Ballot], tree: Taxonomy = TREE) -> list[str]:
    after = applied(tree, decided(made, votes), additions(votes))
    return [one.path for one in after if one not in tree.disciplines] + [
        f"-{one.path}" for one in tree if one not in after.disciplines
    ]


ALL = {POTTERY: True, TEXTILES: True, WEAVING: True, KNITTING: True}


@pytest.mark.parametrize(
    ("votes", "changes"),
    [
        ([ALL], [POTTERY, WEAVING, KNITTING]),
        ([{}], []),
        ([{POTTERY: True}, {POTTERY: True}, {POTTERY: False}], [POTTERY]),
        ([{POTTERY: True}, {POTTERY: False}], []),  # a tie: a drafted node stays out
        ([{POTTERY: True}, {}, {}], [POTTERY]),  # no vote is no vote against
        ([{PHYSICS: True}, {PHYSICS: False}], []),  # a tie: what stands there stays
        ([{PHYSICS: False}], [f"-{PHYSICS}"]),
        ([{WEAVING: True}], [WEAVING]),  # its sub-field comes with it
        ([{TEXTILES: True}], []),  # a sub-field alone is nothing
        ([ALL, {TEXTILES: False}], [POTTERY, WEAVING, KNITTING]),  # a tie on a branch decides nothing
        ([ALL, {TEXTILES: False}, {TEXTILES: False}], [POTTERY]),  # removed with all below it, whatever the votes there
        ([{PHYSICAL: False}], [f"-{PHYSICS}", "-Sciences > Physical sciences > Chemistry"]),
        ([{"Sciences": False, PHYSICS: True}], [f"-{PHYSICS}", "-Sciences > Physical sciences > Chemistry"]),
    ],
)
def test_the_majority_of_those_who_voted_decides(made: Draft, votes: list[dict[str, bool]], changes: list[str]) -> None:
    assert result(made, ballots(*votes)) == changes


def test_origins_tell_what_a_model_drafted_and_what_a_person_added(made: Draft) -> None:
    votes = ballots({POTTERY: True}, add={0: ["Crafts > Masonry", "Games > Board games > Chess"]})
    after = applied(TREE, decided(made, votes), additions(votes))
    assert {one.discipline: one.origin for one in after if one.origin != "user" or one.discipline in ("Masonry", "Chess")} == {
        "Pottery": "model", "Masonry": "user", "Chess": "user",
    }  # fmt: skip
    assert after.find("chess").path == "Games > Board games > Chess"


def test_what_two_people_add_is_added_once_and_leads_back_to_both(made: Draft) -> None:
    votes = ballots({}, {}, add={0: ["Crafts > Masonry"], 1: ["crafts  > masonry"]})
    [addition] = additions(votes)
    assert addition.by == ["A", "B"]
    assert result(made, votes) == ["Crafts > Masonry"]


@pytest.mark.parametrize(
    ("votes", "add", "told"),
    [
        ({"Sciences > Physical sciences > Carpentry": True}, [], "already there as 'Crafts > Carpentry'"),
        ({}, ["Sciences > Physics"], "already there as"),
        ({"Crafts": False}, ["Crafts > Masonry"], "'Crafts > Masonry' is added and 'Crafts' is removed"),
        ({"Crafts": False, "Sciences": False}, [], "nothing is left"),
    ],
)
def test_decisions_that_contradict_each_other_are_told(
    made: Draft, votes: dict[str, bool], add: list[str], told: str
) -> None:
    given = ballots(votes, add={0: add})
    with pytest.raises(InputError, match=told):
        applied(TREE, decided(made, given), additions(given))


def test_a_drafted_node_may_take_the_place_of_one_that_is_removed(made: Draft) -> None:
    moved = {"Sciences > Physical sciences > Carpentry": True, "Crafts > Carpentry": False}
    assert result(made, ballots(moved)) == ["Sciences > Physical sciences > Carpentry", "-Crafts > Carpentry"]


def test_the_decisions_say_who_voted_how_and_what_fell_with_what(made: Draft) -> None:
    found = {spelled(one.node): one for one in decided(made, ballots(ALL, {TEXTILES: False}, {TEXTILES: False}))}
    assert (found[POTTERY].kept, found[POTTERY].yes, found[POTTERY].no) == (True, ["A"], [])
    assert (found[TEXTILES].kept, found[TEXTILES].yes, found[TEXTILES].no) == (False, ["A"], ["B", "C"])
    assert (found[WEAVING].kept, found[WEAVING].removed_with) == (False, ("Crafts", "Textiles"))
    assert PHYSICS not in found  # nobody was asked, nothing was decided


@pytest.mark.parametrize("typed", ["crafts>pottery", " Crafts  >  POTTERY ", POTTERY])
def test_a_path_is_found_however_it_is_typed(made: Draft, typed: str) -> None:
    assert spelled(paths.found(made, typed).path) == POTTERY


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("Crafts > Potery", "did you mean `Crafts > Pottery`"),
        ("Weaving", "did you mean `Crafts > Textiles > Weaving`"),
        ("", "no node ''"),
        ("\u202ex\n", "nothing comes close"),
    ],
)
def test_a_path_that_is_not_in_the_draft_is_told_with_what_comes_close(made: Draft, typed: str, told: str) -> None:
    with pytest.raises(InputError, match="there is no node") as error:
        paths.found(made, typed)
    assert told in str(error.value) and "\u202e" not in str(error.value)


def test_all_wrong_paths_are_told_at_once(made: Draft) -> None:
    with pytest.raises(InputError, match=r"'Potery'.*; .*'Wiving'"):
        paths.all_found(made, ["Potery", POTTERY, "Wiving"])


@pytest.mark.parametrize("typed", ["Masonry", "A > B > C > D", "A > ", " > B", "A > B/C", "A > \u202eb", "> >"])
def test_what_is_no_path_of_a_discipline_cannot_be_added(typed: str) -> None:
    with pytest.raises(InputError):
        paths.new(typed)


def review(**changes: Any) -> Review:
    fields = {
        "draft": "a" * 64, "base_version": 1, "run_id": "run", "decided_at": NOON, "outcome": "approved",
        "annotators": [Annotator(name="A")],
    }  # fmt: skip
    return Review.model_validate({**fields, **changes})


def test_a_version_leads_back_to_its_review(tmp_path: Path) -> None:
    files = new_store(tmp_path).files
    taxonomies.publish(files, TREE.rows(1), None, clock=lambda: NOON)
    name = keeping.keep_review(files, review())
    taxonomies.publish(files, TREE.rows(2), 1, run_id=name, clock=lambda: NOON)
    assert keeping.review_of(files, 1) is None
    found = keeping.review_of(files, 2)
    assert found == review() and found.annotators[0].criteria == list(CRITERIA)
    assert files.exists(f"_inputs/taxonomy/{name}.json")
    files.delete(f"_inputs/taxonomy/{name}.json")
    with pytest.raises(StoreError, match="version 2 of the taxonomy names review-"):
        keeping.review_of(files, 2)


def test_a_draft_is_kept_under_its_digest_and_found_again(tmp_path: Path, made: Draft) -> None:
    files = new_store(tmp_path).files
    assert keeping.kept_draft(files, keeping.keep_draft(files, made)) == made
    for wrong in (
        "0" * 64,
        "../../README",
        "",
        review(decided_at=datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)).digest,
    ):
        with pytest.raises(InputError):
            keeping.kept_draft(files, wrong)
    files.replace(f"_inputs/taxonomy/{made.digest}.json", b"{}")
    with pytest.raises(StoreError, match="damaged"):
        keeping.kept_draft(files, made.digest)
