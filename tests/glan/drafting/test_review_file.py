"""Review files: written for people, read back strictly, every error with file and line."""

from pathlib import Path

import pytest
import yaml
from draft_world import LIBRARY, drafted

from glan.drafting.documents import Draft
from glan.drafting.review_file import FilledIn, together, written
from glan.errors import InputError

SUB, LEAF = "sub-field", "discipline"
HOSTILE = 'Knots: #1 "lark\'s head" {x} *a &b !c [[d]]'


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Draft:
    said = {
        "Crafts": [("Pottery", LEAF), ("No", LEAF), (HOSTILE, LEAF), ("Textiles", SUB)],
        "Crafts > Textiles": "I cannot help with that.",
        f"Sciences@{LIBRARY}": "I cannot help with that.",
        "Sciences > Physical sciences": [("Carpentry", LEAF), ("Applied physics", LEAF)],
    }
    return drafted(tmp_path_factory.mktemp("draft"), said)


def filled(made: Draft, name: str = "Ada", **keep: str) -> str:
    """The file with a name and votes, by the last name of a path."""
    lines, vote = [], ""
    for line in written(made).replace("\nannotator:\n", f"\nannotator: {name}\n").splitlines():
        if line.startswith("  - node: "):
            last = yaml.safe_load(line)[0]["node"].split(" > ")[-1]
            vote = keep.get(last, "")
        lines.append(f"{line} {vote}".rstrip() if line.strip() == "keep:" else line)
    return "\n".join(lines)


def test_what_is_written_can_be_read_back_with_every_node_and_no_vote(made: Draft) -> None:
    read = FilledIn(filled(made), "a.yaml")
    assert read.draft == made.digest
    ballot = read.ballot(made)
    assert (ballot.annotator.name, ballot.keep, ballot.add) == ("Ada", {}, [])
    listed = yaml.safe_load(written(made))["nodes"]
    assert [entry["node"] for entry in listed] == [" > ".join(node.path) for node in made.listed()]


def test_votes_additions_criteria_and_note_are_read(made: Draft) -> None:
    text = filled(made, Pottery="yes", No="n", Textiles="NO")
    text = text.replace("add: []", "add:\n  - Crafts > Masonry").replace("\nnote:", "\nnote: in haste: mostly")
    text = text.replace("note: in haste: mostly", "note: 'in haste: mostly'")
    ballot = FilledIn(text, "a.yaml").ballot(made)
    assert ballot.keep == {"Crafts > Pottery": True, "Crafts > No": False, "Crafts > Textiles": False}
    assert ballot.add == [("Crafts", "Masonry")]
    assert ballot.annotator.note == "in haste: mostly" and len(ballot.annotator.criteria) == 5


def test_a_hostile_name_goes_out_and_comes_back_as_it_is(made: Draft) -> None:
    assert f"Crafts > {HOSTILE}" in {entry["node"] for entry in yaml.safe_load(written(made))["nodes"]}
    assert FilledIn(filled(made, **{HOSTILE: "yes"}), "a.yaml").ballot(made).keep == {f"Crafts > {HOSTILE}": True}


def test_the_file_says_what_is_doubtful(made: Draft) -> None:
    entries = {entry["node"]: entry for entry in yaml.safe_load(written(made))["nodes"]}
    assert "failed: what is below it is unknown" in entries["Crafts > Textiles"]["flags"][0]
    assert "failed in part: 1 of 3 lists" in entries["Sciences"]["flags"][0]
    twice = entries["Sciences > Physical sciences > Carpentry"]["flags"]
    assert twice == ["duplicate of Crafts > Carpentry", "not proposed: its name is proposed or stands elsewhere"]
    assert entries["Sciences > Physical sciences > Applied physics"]["flags"][0].startswith("near to Sciences > ")
    assert entries["Crafts > Pottery"]["votes"] == "3 of 3" and entries["Crafts"]["votes"] == "in the taxonomy"


def line_of(text: str, part: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), start=1) if part in line)


@pytest.mark.parametrize(
    ("old", "new", "told", "at"),
    [
        ("annotator: Ada", "annotator:", "`annotator` is blank", "annotator:"),
        ("annotator: Ada", "annotater: Ada", "`annotater` is no key of a review file", "annotater"),
        ("annotator: Ada\n", "", "`annotator` is missing", "draft:"),
        ("node: Crafts > Pottery", "node: Crafts > Potery", "did you mean `Crafts > Pottery`", "Potery"),
        ("node: Crafts > Pottery", "node: Crafts > No", "stands already on line", ""),
        ("node: Crafts > Pottery", "knot: Crafts > Pottery", "`knot` is no key of a node", "knot"),
        ("node: Crafts > Pottery\n    kind", "kind", "`node` is missing", ""),
        ("keep: yes", "keep: maybe", "`keep` is yes, no or blank, not `maybe`", "maybe"),
        ("keep: yes", "keep: [yes]", "`keep` is yes, no or blank, not `a list`", "[yes]"),
        ("keep: yes", "keep: yes\n    keep: no", "`keep` stands twice", "keep: no"),
        ("add: []", "add: Crafts > Masonry", "`add` is a list", "add:"),
        ("add: []", "add: [Masonry]", "is no path of a discipline", "add:"),
        ("add: []", "add: [[a]]", "`add`: here belongs a text", "add:"),
        ("nodes:", "nodes: &a", "anchors", "nodes:"),
        ("draft: ", "draft: !!python/name:os.system ", "the tag", "draft:"),
        ("draft: ", "draft: [", "not valid YAML", ""),
    ],
)
def test_what_is_wrong_in_a_file_is_told_with_its_line(made: Draft, old: str, new: str, told: str, at: str) -> None:
    good = filled(made, Pottery="yes")
    assert old in good
    text = good.replace(old, new, 1)
    with pytest.raises(InputError) as error:
        FilledIn(text, "a.yaml").ballot(made)
    assert told in str(error.value) and str(error.value).startswith("a.yaml, line ")
    assert "\n" not in str(error.value)
    if at and "\n" not in at:
        assert f"line {line_of(text, at)}:" in str(error.value)


@pytest.mark.parametrize("text", ["", "- a\n", "just words", "draft:\n", "\x00", "a: b\n---\nc: d\n"])
def test_what_is_no_review_file_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"^a\.yaml"):
        FilledIn(text, "a.yaml")


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.yaml: the file cannot be read"):
        FilledIn(tmp_path / "none.yaml", "none.yaml")


def test_files_of_one_annotator_or_of_different_drafts_do_not_go_together(made: Draft) -> None:
    ada, bob = FilledIn(filled(made), "a.yaml"), FilledIn(filled(made, "Bob"), "b.yaml")
    assert together([ada, bob]) == made.digest
    with pytest.raises(InputError, match=r"c\.yaml: 'ADA' has voted already in a\.yaml"):
        together([ada, FilledIn(filled(made, "ADA"), "c.yaml")])
    other = filled(made, "Bob").replace(made.digest, "0" * 64)
    with pytest.raises(InputError, match=r"d\.yaml: is about another draft than a\.yaml"):
        together([ada, FilledIn(other, "d.yaml")])
