"""A release folder as its users read it: by `datasets.load_dataset`, offline, without code of ours."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from tiny_store import clock, commit, instruction, new_store, publish, unit

from glan.release.publish import publish as release
from glan.release.releases import ReleaseOptions

READ = """
import json, sys
from datasets import get_dataset_config_names, load_dataset
found = {}
for name in get_dataset_config_names(sys.argv[1]):
    read = load_dataset(sys.argv[1], name)
    found[name] = {split: rows.to_list() for split, rows in read.items()}
json.dump(found, sys.stdout)
"""


def read_by_datasets(folder: Path, cache: Path) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """Every configuration and split of the folder, read by a process that may not use the network."""
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(cache), "HF_DATASETS_DISABLE_PROGRESS_BARS": "1"}
    read = subprocess.run(
        [sys.executable, "-c", READ, str(folder)], env=environment, capture_output=True, text=True, timeout=120
    )
    assert read.returncode == 0, read.stderr[-2000:]
    found: dict[str, dict[str, list[dict[str, Any]]]] = json.loads(read.stdout)
    return found


@pytest.mark.parametrize(
    "formats", [["parquet", "jsonl", "alpaca", "sharegpt"], ["jsonl", "sharegpt"]], ids=["all", "lines"]
)
def test_every_configuration_and_split_is_read_offline(tmp_path: Path, formats: list[str]) -> None:
    store = new_store(str(tmp_path))
    one = unit("instructions", "physics", "optics.0-200")
    # Levels are null in every row of some files, and texts hold line ends that JSON knows and Unicode does too.
    rows = [
        instruction(f"q{n}", one, key_concepts=[f"c{n}"], question=f"What\u2028is {n}?", level="graduate" if n == 7 else None)
        for n in range(60)
    ]  # fmt: skip
    publish(store, commit(store, one, rows))
    options = ReleaseOptions.model_validate({"formats": formats, "test": 5, "validation": 0.2})
    manifest = release(store, "first", options=options, run_id="run", clock=clock)
    assert set(manifest.splits) == {"train", "validation", "test"}
    assert not manifest.conversations
    found = read_by_datasets(tmp_path / "v1" / "releases" / "first", tmp_path / "cache")
    assert set(found) == {"default", *(set(formats) & {"alpaca", "sharegpt"})}
    for splits in found.values():
        assert {name: len(read) for name, read in splits.items()} == manifest.splits
    asked = {row["question_id"]: row["question"] for row in rows}
    for split, read in found["default"].items():
        for place, row in enumerate(read):
            texts = [asked[row["question_id"]], f"It is {row['question_id']}."]
            assert [turn["content"] for turn in row["messages"]] == texts
            assert [turn["value"] for turn in found["sharegpt"][split][place]["conversations"]] == texts
            if "alpaca" in found:
                beside = found["alpaca"][split][place]
                assert "history" not in beside
                assert [beside["instruction"], beside["input"], beside["output"]] == [texts[0], "", texts[1]]
            assert row["level"] == ("graduate" if row["question_id"] == "q7" else None)


@pytest.mark.parametrize("ending", ["parquet", "jsonl"])
def test_conversations_are_read_whole_in_every_shape(tmp_path: Path, ending: str) -> None:
    store = new_store(str(tmp_path))
    one = unit("instructions", "physics", "optics.0-200")
    turns = [{"question": "Why\u2028so?", "answer": "Because."}, {"question": "Always?", "answer": "Mostly."}]
    rows = [instruction(f"q{n}", one, key_concepts=[f"c{n}"], turns=turns[: n % 3] or None) for n in range(6)]
    publish(store, commit(store, one, rows))
    options = ReleaseOptions.model_validate({"formats": [ending, "alpaca", "sharegpt"], "test": 0, "validation": 0})
    manifest = release(store, "first", options=options, run_id="run", clock=clock)
    assert manifest.conversations
    folder = tmp_path / "v1" / "releases" / "first"
    found = {name: splits["train"] for name, splits in read_by_datasets(folder, tmp_path / "cache").items()}
    for number, row in enumerate(rows):
        pairs = [[row["question"], row["answer"]], *([turn["question"], turn["answer"]] for turn in row["turns"] or ())]
        whole, alpaca, sharegpt = (found[name][number] for name in ("default", "alpaca", "sharegpt"))
        said = [text for pair in pairs for text in pair]
        assert [turn["content"] for turn in whole["messages"]] == said
        assert [turn["role"] for turn in whole["messages"]] == ["user", "assistant"] * len(pairs)
        assert [turn["value"] for turn in sharegpt["conversations"]] == said
        assert [turn["from"] for turn in sharegpt["conversations"]] == ["human", "gpt"] * len(pairs)
        assert alpaca["history"] == pairs[:-1] and [alpaca["instruction"], alpaca["output"]] == pairs[-1]
    card = (folder / "README.md").read_text()
    assert "| turns | rows |\n| --- | --- |\n| 1 | 2 |\n| 2 | 2 |\n| 3 | 2 |" in card
    assert "then any follow-ups in turn" in card and "Conversations were continued before curation" in card


@pytest.mark.parametrize(
    ("given", "fields", "told"),
    [
        ({}, {"license": "unknown"}, "No licence is stated."),
        ({"license": "cc-by-4.0"}, {"license": "cc-by-4.0"}, "published under cc-by-4.0."),
        ({"license": "CC-BY-4.0"}, {"license": "cc-by-4.0"}, "published under CC-BY-4.0."),
        (
            {"license": "House rules 2", "license_link": "https://example.org/rules"},
            {"license": "other", "license_name": "house-rules-2", "license_link": "https://example.org/rules"},
            "published under House rules 2",
        ),
    ],
    ids=["none", "known", "capitals", "own"],
)
def test_the_licence_stands_in_the_fields_of_the_hub(
    tmp_path: Path, given: dict[str, str], fields: dict[str, str], told: str
) -> None:
    store = new_store(str(tmp_path))
    one = unit("instructions", "physics", "optics.0-20")
    publish(store, commit(store, one, [instruction("q1", one)]))
    options = ReleaseOptions.model_validate({"test": 0, "validation": 0, **given})
    release(store, "first", options=options, run_id="run", clock=clock)
    card = store.files.read("releases/first/README.md").decode()
    header = yaml.safe_load(card.split("---\n")[1])
    assert {name: value for name, value in header.items() if name.startswith("license")} == fields
    assert told in card
