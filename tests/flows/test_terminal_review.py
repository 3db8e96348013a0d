"""`glan taxonomy draft` and `import --votes`: a review without a server, over a real model server."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from flow_world import KEY, environment
from model_server import ModelServer
from proof_checks import paid_twice, unrecorded
from terminal_world import Said, clean_environment, listing, typed

from glan.drafting import keeping
from glan.store import taxonomies
from glan.store.store import Store

DRAFT = ("taxonomy", "draft", "--field", "Formal sciences")
GLAN = Path(sys.executable).with_name("glan")


@pytest.fixture
def place(server: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a store, and a model server that the settings name."""
    for name in set(os.environ) - set(clean_environment(os.environ)):
        monkeypatch.delenv(name)
    for name, value in environment(server, "store").items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def store() -> Store:
    return Store.open("store")


def vote(name: str, keep: dict[str, bool], file: str, add: tuple[str, ...] = ()) -> str:
    """A copy of review.yaml, filled in as an editor would leave it."""
    document: dict[str, Any] = yaml.safe_load(Path("review.yaml").read_text(encoding="utf-8"))
    document["annotator"], document["add"] = name, list(add)
    for entry in document["nodes"]:
        if entry["node"] in keep:
            entry["keep"] = keep[entry["node"]]
    Path(file).write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    return file


def drafted() -> list[dict[str, Any]]:
    """The new disciplines of review.yaml that may be kept."""
    nodes = yaml.safe_load(Path("review.yaml").read_text(encoding="utf-8"))["nodes"]
    new = [node for node in nodes if node["kind"] == "discipline" and node["votes"] != "in the taxonomy"]
    return [node for node in new if not any("not proposed" in flag for flag in node.get("flags", []))]


def document(said: Said) -> Any:
    assert said.code == 0, said.stderr
    return json.loads(said.stdout)


def test_the_majority_of_several_files_publishes_a_version_that_leads_back_to_the_annotators(
    place: Path, server: ModelServer
) -> None:
    told = document(typed(*DRAFT, "--json"))
    asked = server.count
    assert asked == len([node for node in told["nodes"] if node["asked"]]) * 3
    first, second, third, *_ = (node["node"] for node in drafted())
    ada = vote("Ada", {first: True, second: True, third: True}, "a.yaml", add=("Crafts > Masonry",))
    bob = vote("Bob", {first: True, second: False}, "b.yaml")
    cyd = vote("Cyd", {first: False, second: False, third: False}, "c.yaml")
    made = document(typed("taxonomy", "import", "--votes", ada, "--votes", bob, "--votes", cyd, "--json"))
    new = {one.path: one.origin for one in taxonomies.current(store()) if one.origin != "curated"}
    assert new == {first: "model", "Crafts > Masonry": "user"}  # second: two to one against it; third: a tie
    assert made["version"] == 2 and made["disciplines"] == len(taxonomies.current(store()))
    review = keeping.review_of(store().files, 2)
    assert review is not None and [one.name for one in review.annotators] == ["Ada", "Bob", "Cyd"]
    assert review.model_dump(mode="json") == made["review"] and review.draft == told["draft"]
    assert server.count == asked
    assert "Decided by Ada, Bob, Cyd; record: " in typed("taxonomy", "show").stdout
    # The same votes again change nothing.
    again = typed("taxonomy", "import", "--votes", ada, "--votes", bob, "--votes", cyd)
    assert again.code == 0 and "Nothing changes: version 2 stays" in again.stdout


def test_a_draft_that_was_killed_goes_on_without_asking_again(place: Path, server: ModelServer) -> None:
    server.latency = 0.4
    process = subprocess.Popen(
        [GLAN, *DRAFT, "--lists", "4"], env=os.environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    server.wait_for_calls(12 + 4, timeout=60)  # the field, and the first of its sub-fields
    time.sleep(0.3)  # the first twelve are on record a tenth of a second after the last of them
    process.kill()
    process.communicate()
    server.latency = 0.0
    assert not Path("review.yaml").exists()
    asked_before = server.calls_after_a_kill()
    lost = unrecorded("store", asked_before)
    assert len(lost) < len(asked_before), "nothing of the draft is on record"
    assert typed(*DRAFT, "--lists", "4").code == 0
    assert paid_twice(server) <= {call.digest for call in lost}
    asked = server.count
    assert typed(*DRAFT, "--lists", "4", "--out", "again.yaml").code == 0
    assert server.count == asked and Path("again.yaml").read_text() == Path("review.yaml").read_text()


def test_a_kept_draft_is_written_again_without_a_model(place: Path, server: ModelServer) -> None:
    digest = document(typed(*DRAFT, "--json"))["draft"]
    asked = server.count
    assert typed("taxonomy", "draft", "--draft", digest, "--out", "copy.yaml").code == 0
    assert Path("copy.yaml").read_bytes() == Path("review.yaml").read_bytes() and server.count == asked


def test_votes_count_on_the_taxonomy_as_it_is_today(place: Path) -> None:
    assert typed(*DRAFT).code == 0
    one = drafted()[0]["node"]
    assert typed("taxonomy", "add", "Runes", "--field", "Occult").code == 0
    assert typed("taxonomy", "import", "--votes", vote("Ada", {one: True}, "a.yaml")).code == 0
    paths = [each.path for each in taxonomies.current(store())]
    assert one in paths and "Occult > Runes" in paths and taxonomies.versions(store().files) == [1, 2, 3]


def test_failed_branches_are_told(place: Path, server: ModelServer) -> None:
    from model_faults import Faults

    server.faults = Faults(
        when=lambda payload, nth: (
            "refusal" if "Branch: Formal sciences\n" in payload["messages"][-1]["content"] else None
        )
    )
    said = typed(*DRAFT)
    assert said.code == 0 and "Formal sciences: failed: what is below it is unknown" in said.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("taxonomy import", "name either one taxonomy FILE or review files"),
        ("taxonomy import a.yaml --votes b.yaml", "name either one taxonomy FILE or review files"),
        ("taxonomy import --replace --votes a.yaml", "name either one taxonomy FILE or review files"),
        ("taxonomy import --votes none.yaml", "none.yaml: the file cannot be read"),
        ("taxonomy import --votes wrong.yaml", "wrong.yaml, line 2: `annotater` is no key"),
        ("taxonomy import --votes foreign.yaml", "there is no draft `0000"),
        ("taxonomy draft --field Sciencefiction", "there is no field 'Sciencefiction'"),
        ("taxonomy draft --sub-field Nowhere", "there is no sub-field 'Nowhere'"),
        ("taxonomy draft --lists 0", "`lists`"),
        ("taxonomy draft --min-votes 4", "min_votes (4) is more than the 3 lists"),
        ("taxonomy draft --out wrong.yaml", "--out: wrong.yaml is there already"),
        ("taxonomy draft --draft ../../README", "is not the digest of a draft"),
        ("taxonomy draft none.toml", "none.toml"),
    ],
)
def test_bad_input_is_told_in_one_sentence_before_anything_is_asked(
    place: Path, server: ModelServer, arguments: str, told: str
) -> None:
    Path("wrong.yaml").write_text("draft: x\nannotater: Ada\n")
    Path("foreign.yaml").write_text(f"draft: '{'0' * 64}'\nannotator: Ada\ncriteria: [good]\nnodes: []\n")
    before = listing(place)
    said = typed(*arguments.split())
    assert said.code == 2 and told in said.stderr and said.stderr.count("\n") == 1 and not said.stdout
    assert server.count == 0 and KEY not in said.stderr
    if "field" not in arguments:
        assert listing(place) == before
