"""What the data card of a release promises."""

import datetime
import importlib.util
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from store_world import a_call
from tiny_store import NOON, clock, commit, instruction, new_store, publish, unit

from glan.release.card import escaped, size_category
from glan.release.publish import publish as release
from glan.release.releases import ReleaseOptions
from glan.store.calls import CallLog
from glan.store.store import Store


def authored(stage: Any, name: str, prompt: str, rows: int) -> tuple[Any, list[dict[str, Any]]]:
    stamp = {"prompt_name": prompt, "prompt_version": 3, "prompt_digest": "abcdef0123456789", "model": "asker-1"}
    return unit(stage, "physics", name), [{**stamp, "temperature": 1.0, "top_p": 0.95}] * rows


def card(store: Store, **options: Any) -> str:
    chosen = ReleaseOptions(**{"test": 0, "validation": 0, **options})
    release(store, "first", options=chosen, run_id="run", clock=clock)
    return store.files.read("releases/first/README.md").decode()


def small(url: str, **row: Any) -> Store:
    store = new_store(url)
    one = unit("instructions", "physics", "optics.0-20")
    rejected = instruction("q2", one, kept=False, reasons=["near-duplicate", "refused"])
    publish(
        store,
        commit(store, *authored("subjects", "physics", "subject_list", 2)),
        commit(store, *authored("questions", "optics.0-20", "question", 2)),
        commit(store, one, [instruction("q1", one, **row), rejected, {**rejected, "reasons": ["refused"]}]),
    )
    return store


@pytest.mark.parametrize("formats", [["parquet", "jsonl"], ["jsonl"]], ids="-".join)
def test_the_front_matter_tells_readers_which_files_are_the_data(tmp_path: Path, formats: list[str]) -> None:
    text = card(small(str(tmp_path)), formats=formats)
    header = yaml.safe_load(text.split("---\n")[1])
    path = header["configs"][0]["data_files"][0]["path"]
    folder = tmp_path / "v1" / "releases" / "first"
    assert [found.name for found in folder.glob(path)] == [f"train-00000.{formats[0]}"]
    assert header["size_categories"] == ["n<1K"]


def test_sizes_are_named_as_the_hub_names_them() -> None:
    found = importlib.util.find_spec("datasets")  # its list without its import, which takes seconds
    assert found and found.origin
    known = json.loads((Path(found.origin).parent / "utils" / "resources" / "size_categories.json").read_text())
    named = [size_category(10**digits) for digits in range(2, 13)]
    assert named == [size for size in known if size != "unknown"]


def test_counts_models_prompts_and_reasons_are_shown(tmp_path: Path) -> None:
    text = card(small(str(tmp_path)))
    for line in (
        "| Natural sciences | Physical sciences | Physics | 1 |",
        "| asker-1 | answerer-1 | 1 |",
        "| subjects | subject\\_list | 3 | `abcdef012345` | asker-1 | 1 | 0.95 | 2 |",
        "| refused | 2 |",
        "| near-duplicate | 1 |",
    ):
        assert line in text.splitlines()
    assert "2 rows (66.7%) were rejected" in text


def test_rows_that_a_check_speaks_against_are_counted_where_it_says_what_is_left_out(tmp_path: Path) -> None:
    store = small(str(tmp_path), flags=["code_fails"])
    checks = unit("judgements", "physics", "optics.0-20")
    publish(store, commit(store, checks, [{"method": "code", "verdict": "fails", "model": None}]))
    text = card(store)
    assert "| code\\_fails | 1 |" in text.splitlines()
    assert "They carry it in `flags`" in text
    assert "| judgements |" not in text
    assert "They carry it" not in card(small(str(tmp_path / "other")))


def test_hostile_text_is_shown_and_never_interpreted(tmp_path: Path) -> None:
    hostile = "# Title\n\n---\n```\n<script>alert(1)</script> [x](javascript:1) | \x1b[31m\u202e"
    text = card(small(str(tmp_path), question=hostile, level="<b>|[a](http://b)", subject=hostile))
    body = text.split("---\n", 2)[2]
    example = body[body.index("## An example") : body.index("## Limits")]
    quoted = [line for line in example.splitlines() if "script" in line]
    assert quoted
    assert all(line.startswith("    ") for line in quoted)
    assert "\x1b" not in body
    assert "\u202e" not in body
    assert "| &lt;b&gt;\\|\\[a\\](http\\://b) | 1 |" in body.splitlines()


def test_escaped_text_is_one_short_line_without_markup() -> None:
    text = escaped("a\nb | `c` *d* _e_ <i> & $f$ www.g.org h@i.org " + "x" * 500)
    assert "\n" not in text
    assert not re.search(r"(?<!\\)[|`*_$@]|<|www\.", text)
    assert len(text) < 200


def test_costs_are_those_of_all_calls_until_it_was_published_and_what_is_unknown_is_said(tmp_path: Path) -> None:
    store = small(str(tmp_path))
    log = CallLog(store.files, writer="w", clock=clock)
    times = {"finished_at": NOON, "stage": "answers"}
    log.append(a_call("1" * 64, cost_usd=0.5, **times))
    log.append(a_call("2" * 64, cost_usd=0.25, **times))
    log.append(a_call("3" * 64, cost_usd=9.0, stage="answers", finished_at=NOON + datetime.timedelta(seconds=1)))
    log.append(a_call("5" * 64, cost_usd=None, model="own", **times))
    log.close()
    text = card(store).replace("\\", "")
    assert "| answers | m | 2 | 20 | 40 | $0.7500 |" in text
    assert "| answers | own | 1 | 10 | 20 | unknown |" in text
    assert "| in all |  | 3 | 30 | 60 | $0.7500 + 1 call of unknown cost |" in text
    assert "a row" not in text.partition("## What it cost")[2].partition("\n\n|")[0]


def test_its_pictures_are_part_of_the_release(tmp_path: Path) -> None:
    text = card(small(str(tmp_path)))
    for name in re.findall(r"!\[[^]]*\]\((.*?)\)", text):
        assert (tmp_path / "v1" / "releases" / "first" / name).read_bytes().startswith(b"\x89PNG")
    assert text.count("![") == 2
