"""A draft counts lists like votes, shows what is doubtful, and never takes a failure for an answer."""

from pathlib import Path
from typing import Any

import pytest
from draft_world import CATALOGUE, LIBRARY, OCCUPATIONS, TREE, branch_of, drafted, naming, node_at, proposed
from stage_world import effects, new_store, recipe

from glan.drafting.documents import DraftPlan, spelled
from glan.drafting.draft import draft
from glan.errors import InputError
from glan.taxonomy import read

SUB, LEAF = "sub-field", "discipline"


def test_a_node_is_proposed_that_enough_wordings_name_however_they_spell_it(tmp_path: Path) -> None:
    said = {
        f"Crafts@{CATALOGUE}": [("Pottery", LEAF), ("Masonry", LEAF), ("Heraldry", LEAF)],
        f"Crafts@{LIBRARY}": [("pottery", LEAF), ("Masonries", LEAF)],
        f"Crafts@{OCCUPATIONS}": [("Masonry", LEAF)],
    }
    made = drafted(tmp_path, said)
    assert proposed(made) == ["Crafts > Masonry", "Crafts > Pottery"]
    masonry, heraldry = node_at(made, "Crafts > Masonry"), node_at(made, "Crafts > Heraldry")
    assert (masonry.votes, masonry.lists, masonry.wordings) == (3, 3, [CATALOGUE, LIBRARY, OCCUPATIONS])
    assert (heraldry.votes, heraldry.proposed, heraldry.wordings) == (1, False, [CATALOGUE])


def test_the_tree_is_drafted_level_by_level_and_only_below_what_is_proposed(tmp_path: Path) -> None:
    said = {
        "": [("Arts", "field")],
        "Arts": [("Music", SUB), ("Drawing", LEAF)],
        "Arts > Music": [("Harmony", LEAF)],
        "Sciences > Physical sciences": [("Astronomy", LEAF), ("Physics", LEAF)],
        f"Sciences@{LIBRARY}": [("Life sciences", SUB)],
        "Sciences > Life sciences": [("Biology", LEAF)],
    }
    made = drafted(tmp_path, said)
    assert proposed(made) == [
        "Sciences > Physical sciences > Astronomy", "Arts", "Arts > Music", "Arts > Music > Harmony", "Arts > Drawing",
    ]  # fmt: skip
    assert "Biology" not in str(made.nodes)


def test_the_model_is_told_what_is_there_and_asked_by_every_wording(tmp_path: Path) -> None:
    run = effects(new_store(tmp_path), naming({}))
    draft(DraftPlan(lists=2), TREE, 1, recipe(), run)
    asked: list[Any] = run.gateway.asked  # type: ignore[attr-defined]
    assert sorted({branch_of(request) for request in asked}) == [
        "",
        "Crafts",
        "Sciences",
        "Sciences > Physical sciences",
    ]
    assert len(asked) == 4 * 3 * 2 and len({request.key for request in asked}) == len(asked)
    for request in asked:
        if branch_of(request) == "Sciences":
            assert "Physical sciences: Physics; Chemistry" in request.messages[-1]["content"]
    assert {request.stage for request in asked} == {request.discipline_id for request in asked} == {"taxonomy"}


@pytest.mark.parametrize(
    ("scope", "branches"),
    [
        ({"fields": ["sciences"]}, ["Sciences", "Sciences > Physical sciences"]),
        ({"sub_fields": ["Physical Sciences"]}, ["Sciences > Physical sciences"]),
        ({"fields": ["Crafts"], "sub_fields": ["Physical sciences"]}, ["Crafts", "Sciences > Physical sciences"]),
    ],
)
def test_only_the_branches_named_are_asked_about(tmp_path: Path, scope: dict[str, Any], branches: list[str]) -> None:
    run = effects(new_store(tmp_path), naming({}))
    made = draft(DraftPlan(**scope), TREE, 1, recipe(), run)
    assert sorted({branch_of(request) for request in run.gateway.asked}) == branches  # type: ignore[attr-defined]
    assert {node.path[0] for node in made.below_root()} == {branch.split(" > ")[0] for branch in branches}


@pytest.mark.parametrize("scope", [{"fields": ["Science fiction"]}, {"sub_fields": ["Sciences"]}])
def test_a_branch_that_does_not_exist_is_refused_before_anything_is_asked(
    tmp_path: Path, scope: dict[str, Any]
) -> None:
    run = effects(new_store(tmp_path), naming({}))
    with pytest.raises(InputError, match="there is no"):
        draft(DraftPlan(**scope), TREE, 1, recipe(), run)
    assert run.gateway.asked == []  # type: ignore[attr-defined]


@pytest.mark.parametrize("reply", ["I can't help with that.", ('{"nodes": [', "length"), '{"nodes": [{"name": "//"}]}'])
def test_a_branch_of_which_every_list_fails_is_failed_and_the_rest_goes_on(tmp_path: Path, reply: Any) -> None:
    made = drafted(tmp_path, {"Sciences": reply, "Crafts": [("Pottery", LEAF)]})
    failed = node_at(made, "Sciences")
    assert failed.failed and len(failed.failures) == failed.asked == 3
    assert all(failure.kind and failure.message for failure in failed.failures)
    assert proposed(made) == ["Crafts > Pottery"]
    assert made.with_failures() == [failed]


def test_a_new_branch_whose_lists_are_empty_is_failed_not_empty(tmp_path: Path) -> None:
    made = drafted(tmp_path, {"Sciences": [("Life sciences", SUB)]})
    new = node_at(made, "Sciences > Life sciences")
    assert new.kind == SUB and new.failed
    assert not node_at(made, "Sciences > Physical sciences").failures  # there, nothing was missing


def test_lists_that_fail_in_part_are_told_and_the_others_count(tmp_path: Path) -> None:
    made = drafted(tmp_path, {f"Crafts@{LIBRARY}": "no", "Crafts": [("Pottery", LEAF)]})
    crafts, pottery = node_at(made, "Crafts"), node_at(made, "Crafts > Pottery")
    assert not crafts.failed and [failure.wording for failure in crafts.failures] == [LIBRARY]
    assert (pottery.votes, pottery.lists, pottery.proposed) == (2, 2, True)


def test_failed_fields_stand_at_the_root(tmp_path: Path) -> None:
    made = drafted(tmp_path, {"": "I cannot help with that."})
    assert made.nodes[0].failed and made.with_failures() == made.nodes[:1]


def test_of_two_nodes_of_one_name_that_of_more_votes_is_proposed_and_the_other_is_a_duplicate(tmp_path: Path) -> None:
    said = {
        f"Crafts@{LIBRARY}": [],
        "Crafts": [("Glass blowing", LEAF)],
        "Sciences > Physical sciences": [("Glass-blowing", LEAF), ("Carpentry", LEAF)],
    }
    made = drafted(tmp_path, said)
    # What is below fields is settled before what is below sub-fields.
    assert proposed(made) == ["Crafts > Glass blowing"]
    second = node_at(made, "Sciences > Physical sciences > Glass-blowing")
    assert (second.votes, second.proposed, second.duplicate_of) == (3, False, [("Crafts", "Glass blowing")])
    known = node_at(made, "Sciences > Physical sciences > Carpentry")
    assert (known.proposed, known.duplicate_of) == (False, [("Crafts", "Carpentry")])


def test_a_name_like_one_of_another_branch_is_shown_as_near(tmp_path: Path) -> None:
    made = drafted(tmp_path, {"Crafts": [("Applied physics", LEAF), ("Pottery", LEAF)]})
    [near] = node_at(made, "Crafts > Applied physics").near
    assert near.node == ("Sciences", "Physical sciences", "Physics") and 0.5 <= near.likeness < 1
    assert node_at(made, "Crafts > Pottery").near == []


@pytest.mark.parametrize(
    "name",
    [
        "a/b",
        "..",
        "\u202egnissap",
        "x" * 201,
        "Crafts",
        " carpentry ",
        "A > B",
        "§§",
        "\u0000zero",
        "one " * 13,
        "\ufffd",
    ],
)
def test_a_name_that_cannot_stand_in_a_tree_never_gets_there(tmp_path: Path, name: str) -> None:
    made = drafted(tmp_path, {"Crafts": [(name, LEAF), ("Pottery", LEAF)]})
    assert proposed(made) == ["Crafts > Pottery"]
    assert [spelled(node.path) for node in made.below_root() if node.path[0] == "Crafts"] == [
        "Crafts", "Crafts > Carpentry", "Crafts > Pottery",
    ]  # fmt: skip


def test_at_most_so_many_new_nodes_of_a_branch_are_proposed_those_of_most_votes_first(tmp_path: Path) -> None:
    said = {
        f"Crafts@{CATALOGUE}": [("B", LEAF), ("C", LEAF), ("D", LEAF)],
        "Crafts": [("D", LEAF), ("C", LEAF), ("A", LEAF)],
    }
    assert proposed(drafted(tmp_path, said, most_below_field=2)) == ["Crafts > D", "Crafts > C"]


def test_most_lists_decide_whether_a_node_is_a_sub_field(tmp_path: Path) -> None:
    said = {
        f"Crafts@{CATALOGUE}": [("Textiles", LEAF)],
        "Crafts": [("Textiles", SUB)],
        "Crafts > Textiles": [("Weaving", LEAF)],
    }
    assert proposed(drafted(tmp_path, said)) == ["Crafts > Textiles", "Crafts > Textiles > Weaving"]


def test_more_votes_than_lists_cannot_be_asked_for() -> None:
    with pytest.raises(ValueError, match=r"min_votes \(4\) is more than the 3 lists"):
        DraftPlan(min_votes=4)
    assert DraftPlan(min_votes=4, lists=2).min_votes == 4


def test_the_same_replies_give_the_same_draft_under_the_same_digest(tmp_path: Path) -> None:
    said = {"Crafts": [("Pottery", LEAF)]}
    first, second = drafted(tmp_path / "a", said), drafted(tmp_path / "b", said)
    assert first.digest == second.digest
    assert first.digest != drafted(tmp_path / "c", {"Crafts": [("Glazing", LEAF)]}).digest


def test_a_name_outside_latin_script_is_drafted_like_any_other(tmp_path: Path) -> None:
    tree = read("学问:\n  - 数学\n")
    assert proposed(drafted(tmp_path, {"学问": [("物理学", LEAF)]}, tree)) == ["学问 > 物理学"]
