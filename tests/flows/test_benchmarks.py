"""Benchmarks that a person points at: what holds their items is rejected with its evidence, and no model is asked."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from flow_world import World
from terminal_world import listing, typed

from glan import errors
from glan.config import RunConfig

EXAM = "exam.jsonl"


def plant(path: Path, *questions: str) -> dict[str, Any]:
    path.write_text("".join(json.dumps({"question": text, "answer": "42"}) + "\n" for text in questions))
    return {"curation": {"benchmarks": [{"name": "exam", "path": str(path)}]}}


def test_what_holds_a_benchmark_item_is_rejected_with_its_evidence(made: World, tmp_path: Path) -> None:
    rows = made.load("instructions").query("kept").reset_index()
    long = rows.loc[rows["question"].str.split().str.len().idxmax()]
    given = plant(
        tmp_path / EXAM,
        "Which planet is the largest of them all, and how was its mass first measured?",
        long["question"],
    )

    assert made.sent(**given) == 0

    judged = made.load("instructions").set_index("question_id")
    contaminated = judged.loc[long["question_id"]]
    assert not contaminated["kept"] and list(contaminated["reasons"]) == ["contaminated"]
    evidence = contaminated["contamination"]
    assert (evidence["benchmark"], evidence["item"], evidence["part"]) == ("exam", "1", "question")
    assert evidence["overlap"] == 1.0 and len(evidence["ngrams"])
    clean = judged[judged["contamination"].isna()]
    assert len(clean) >= 1 and clean["kept"].sum() >= len(rows) - 2


def test_a_later_run_goes_by_the_benchmarks_that_the_last_one_read(made: World, tmp_path: Path) -> None:
    question = made.load("instructions").query("kept")["question"].iloc[0]
    made.run(**plant(tmp_path / EXAM, question))
    seen = made.load("instructions")
    (tmp_path / EXAM).unlink()

    said = typed("curate", "--json")

    assert said.code == 0, said.stderr
    pd.testing.assert_frame_equal(made.load("instructions"), seen)


def test_a_changed_benchmark_judges_again_and_touches_nothing_else(made: World, tmp_path: Path) -> None:
    kept = made.load("instructions").query("kept")["question"]
    made.run(**plant(tmp_path / EXAM, kept.iloc[0]))
    before = made.objects("answers")
    assert (
        made.sent(**plant(tmp_path / EXAM, "An item on something that nobody here has ever been asked about at all?"))
        == 0
    )
    assert sorted(made.load("instructions").query("kept")["question"]) == sorted(kept)
    assert made.objects("answers") == before


@pytest.mark.parametrize(
    ("benchmark", "said"),
    [
        ({"name": "exam", "path": "nowhere.jsonl"}, "nowhere.jsonl"),
        ({"path": "exam.jsonl"}, "`layout`"),
        ({"layout": "gsm9k", "path": "exam.jsonl"}, "layout"),
        ({"name": "exam", "path": "exam.jsonl", "question": "qestion"}, "`question`"),
        ({"name": "exam", "path": "broken.jsonl"}, "broken.jsonl"),
        ({"name": "exam", "path": "exam.jsonl", "digest": "0" * 64}, "`digest`"),
    ],
)
def test_a_wrong_benchmark_is_one_sentence_and_writes_nothing(
    world: World, tmp_path: Path, benchmark: dict[str, str], said: str
) -> None:
    plant(tmp_path / EXAM, "Which planet is the largest?")
    (tmp_path / "broken.jsonl").write_text("{not json\n")
    lines = [f'{name} = "{value}"' for name, value in benchmark.items()]
    (tmp_path / "RUN.toml").write_text("\n".join(["[[curation.benchmarks]]", *lines]))
    before = listing(tmp_path)

    end = typed("run", "RUN.toml")

    sentences = [line for line in end.stderr.strip().splitlines() if line.startswith("glan: ")]
    assert end.code == 2 and len(sentences) == 1, end.stderr
    assert said in sentences[0] and "benchmarks" in sentences[0]
    assert listing(tmp_path) == before


def test_layouts_know_the_columns_of_benchmarks_as_they_are_distributed(tmp_path: Path) -> None:
    from glan.benchmark import Benchmark
    from glan.curation.benchmarks import read

    files: dict[str, tuple[str, Any]] = {
        "gsm8k": ("train.jsonl", {"question": "How many?", "answer": "#### 4"}),
        "math": ("math.json", [{"problem": "Solve it.", "solution": "Done.", "level": "Level 1"}]),
        "mmlu": ("mmlu.parquet", {"question": "Which?", "choices": ["a", "b"], "answer": 1, "subject": "law"}),
        "arc": ("arc.parquet", {"id": "A1", "question": "Why?", "choices": {"text": ["x", "y"], "label": ["A", "B"]}}),
        "bbh": ("bbh.json", {"canary": "no", "examples": [{"input": "Sort them.", "target": "a b"}]}),
        "humaneval": (
            "he.jsonl",
            {
                "task_id": "HumanEval/0",
                "prompt": 'def f(a: int, b):\n    """ Add them.\n    >>> f(1, 2)\n    3\n    """\n',
            },
        ),
        "mbpp": (
            "mbpp.jsonl",
            {"task_id": 2, "text": "Write a function to add.", "code": "def add(a, b):\n  return a+b"},
        ),
        "ifeval": ("ifeval.jsonl", {"key": 1000, "prompt": "Write in capitals."}),
    }
    for layout, (name, content) in files.items():
        path = tmp_path / name
        if name.endswith(".parquet"):
            pd.DataFrame([content]).to_parquet(path)
        else:
            path.write_text(json.dumps(content))
        (item,) = read(Benchmark(path=str(path), layout=layout))  # type: ignore[arg-type]
        assert item.benchmark == layout and item.question, layout
        if layout in ("mmlu", "arc"):
            assert len(item.choices.split("\n")) == 2
        if layout == "humaneval":
            assert (item.item, item.signature, item.question) == ("HumanEval/0", "f(a,b)", "Add them.")
        if layout == "mbpp":
            assert (item.item, item.signature) == ("2", "add(a,b)")


def test_a_folder_and_a_pattern_name_all_files_in_them(tmp_path: Path) -> None:
    from glan.benchmark import Benchmark
    from glan.curation.benchmarks import read

    (tmp_path / "sub").mkdir()
    (tmp_path / "one.txt").write_text("What is one?\nWhat is two?\n")
    (tmp_path / "sub" / "two.jsonl").write_text('{"prompt": "What is three?"}\n')

    def found(path: str) -> list[str]:
        return [item.question for item in read(Benchmark(path=path, name="mine"))]

    assert found(str(tmp_path)) == ["What is one?", "What is two?", "What is three?"]
    assert found(f"{tmp_path}/*.txt") == ["What is one?", "What is two?"]
    with pytest.raises(errors.InputError, match="cannot be read"):
        found(f"{tmp_path}/*.jsonl")


def test_a_benchmark_is_part_of_what_a_run_makes(tmp_path: Path) -> None:
    (tmp_path / "RUN.toml").write_text('[[curation.benchmarks]]\nlayout = "gsm8k"\npath = "gsm8k/*.parquet"\n')
    (benchmark,) = RunConfig.from_file(tmp_path / "RUN.toml").curation.benchmarks
    assert (benchmark.label, benchmark.path) == ("gsm8k", "gsm8k/*.parquet")
