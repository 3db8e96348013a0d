"""Duplicates by meaning from the terminal: what is missing is said at once, and what was compared by is on record."""

import json
import re
import sys
from itertools import count
from pathlib import Path

import pytest
from embedding_world import model_of_one_meaning
from flow_world import World, asks_for
from model_faults import Payload
from model_texts import Author
from terminal_world import listing, typed

numbers = count()
EXTRA = "pip install 'glan[embeddings]'"


def named(folder: str, further: str = "") -> None:
    Path("RUN.toml").write_text(f'disciplines = ["physics"]\n\n[curation]\nembedding_model = "{folder}"\n{further}')


@pytest.fixture
def model(made: World) -> str:
    """A model to which all that was asked is one and the same."""
    folder = model_of_one_meaning(Path("model"), made.load("instructions")["question"])
    named(folder)
    return folder


def without_numbers(payload: Payload) -> str | None:
    """A question as usual, but that names no number and negates nothing."""
    if asks_for(payload) != "question":
        return None
    return re.sub(r"[\d.-]*\d|\b(?:no|not|neither|nor|without)\b", "", Author(f"{next(numbers)}").question())


def test_what_is_the_same_to_the_model_is_rejected_and_the_card_says_by_which(world: World) -> None:
    made, world.server.says = world, without_numbers
    made.run()
    asked = made.server.count
    named(model_of_one_meaning(Path("model"), made.load("instructions")["question"]))
    before = made.load("instructions").set_index("question_id")
    said = typed("curate", "RUN.toml", "--json")
    assert said.code == 0, said.stderr
    assert made.server.count == asked
    rows = made.load("instructions").set_index("question_id")
    gone = rows[rows["reasons"].map(lambda reasons: "same_meaning" in reasons)]
    assert json.loads(said.stdout)["reasons"]["same_meaning"] == len(gone) > 1
    assert before.loc[gone.index, "kept"].all() and rows.loc[gone["duplicate_of"], "kept"].all()
    assert [dict(scores) for scores in gone["scores"]] == [{"similarity": 1.0}] * len(gone)

    assert typed("publish", "first", "--test", "0", "--validation", "0").code == 0
    card = made.store.files.read("releases/first/README.md").decode()
    assert f"| same\\_meaning | {len(gone)} |" in card
    assert f"| 0.9 | {len(gone)} |" in card and "embedding model" in card

    assert typed("curate", "--json").code == 0  # by the same recipe: the very same
    assert made.load("instructions").set_index("question_id")["duplicate_of"].equals(rows["duplicate_of"])
    replayed = typed("replay", "--into", "again", "--json")
    assert replayed.code == 0, replayed.stdout


def test_without_the_package_a_run_says_so_and_writes_nothing(
    made: World, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "model2vec", None)
    before = listing(Path.cwd())
    for command in ("run", "curate", "plan", "doctor"):
        end = typed(command, "RUN.toml")
        sentences = [line for line in end.stderr.strip().splitlines() if line.startswith("glan: ")]
        assert end.code == 2 and len(sentences) == 1 and EXTRA in sentences[0], end.stderr
    assert made.server.count == 0
    assert listing(Path.cwd()) == before


@pytest.mark.parametrize("name", ["./nowhere", "nobody/has-this"])
def test_a_model_that_is_nowhere_is_one_sentence(made: World, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    named(name)
    before = listing(Path.cwd())
    end = typed("run", "RUN.toml")
    sentences = [line for line in end.stderr.strip().splitlines() if line.startswith("glan: ")]
    assert end.code == 2 and len(sentences) == 1 and f"{name} is no folder here" in sentences[0], end.stderr
    assert listing(Path.cwd()) == before


def test_a_later_run_by_the_same_recipe_refuses_other_files_under_the_same_name(made: World, model: str) -> None:
    assert typed("curate", "RUN.toml").code == 0
    before = made.load("instructions")
    model_of_one_meaning(Path(model), ["other words"])
    end = typed("curate")
    assert end.code == 2 and "`embedding_digest`" in end.stderr
    assert made.load("instructions").equals(before)
    assert typed("curate", "RUN.toml", "--json").code == 0  # a run file goes by the files that are there
    assert not made.load("instructions")["reasons"].map(lambda reasons: "same_meaning" in reasons).any()


def test_the_doctor_tries_the_model(made: World, model: str) -> None:
    found = json.loads(typed("doctor", "RUN.toml", "--json").stdout)
    [tried] = [one for one in found if one["what"] == "comparing questions by meaning"]
    assert tried["fine"]
    (Path(model) / "tokenizer.json").write_text("{")
    ended = typed("doctor", "RUN.toml", "--json")
    [tried] = [one for one in json.loads(ended.stdout) if one["what"] == "comparing questions by meaning"]
    assert ended.code == 1 and not tried["fine"] and "cannot be loaded" in tried["remark"]
