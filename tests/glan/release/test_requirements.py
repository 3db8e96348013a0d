"""Bounds that stop a release: what is short is named, nothing is written, and what is enough passes."""

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from tiny_store import clock, commit, instruction, new_store, publish, unit

from glan.errors import InputError
from glan.release.publish import publish as release
from glan.release.releases import ReleaseManifest, ReleaseOptions
from glan.store.store import Store

QUESTIONS = [
    "How does a lens bend light so that an image forms behind it?",
    "Why is the sky blue at noon and red in the evening?",
    "Which law links the angles of a ray that enters water from air?",
]


def filled(url: str, questions: list[str] = QUESTIONS) -> Store:
    """Physics: one subject, two sessions of two concepts, and these questions, all on the first concept."""
    store = new_store(url)
    syllabus, asked = unit("syllabi", "physics", "optics"), unit("instructions", "physics", "optics.0-20")
    sessions = [{"title": "Light", "description": "", "key_concepts": list(names)} for names in ("ab", "cd")]
    place = {"subject_id": "optics", "syllabus_id": "s", "session_indexes": [0], "key_concepts": ["a"]}
    author = {"prompt_name": "syllabus", "prompt_version": 1, "prompt_digest": "0" * 64, "model": "writer-1"}
    publish(
        store,
        commit(store, syllabus, [{"syllabus_id": "s", "subject_id": "optics", "sessions": sessions, **author}]),
        commit(store, asked, [instruction(f"q{n}", asked, question=text, **place) for n, text in enumerate(questions)]),
    )
    return store


def make(store: Store, **require: Any) -> ReleaseManifest:
    options = ReleaseOptions.model_validate({"test": 0, "validation": 0, "require": require})
    return release(store, "first", options=options, run_id="run", clock=clock)


@pytest.mark.parametrize(
    ("require", "told"),
    [
        ({"rows": 4}, "`require.rows` asks for 4 of each discipline, and there is 3 of Physics"),
        ({"sessions": 0.6}, "`require.sessions` asks for 0.6 of each discipline, and there is 0.5 of Physics"),
        ({"concepts": 0.5}, "there is 0.25 of Physics"),
        ({"self_bleu": 0.01}, "`require.self_bleu` asks for at most 0.01"),
        ({"vendi": 1.0}, "`require.vendi` asks for at least 1"),
        ({"compression": 1.01}, "`require.compression` asks for at most 1.01"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_is_short_is_named_and_nothing_is_written(tmp_path: Path, require: dict[str, float], told: str) -> None:
    store = filled(str(tmp_path))
    with pytest.raises(InputError) as refused:
        make(store, **require)
    assert told in str(refused.value)
    assert store.files.list("releases") == []


def test_what_is_enough_is_published_and_its_figures_are_beside_it(tmp_path: Path) -> None:
    store = filled(str(tmp_path))
    manifest = make(store, rows=3, sessions=0.5, concepts=0.25, self_bleu=0.9)
    assert manifest.rows == 3
    lines = list(csv.DictReader(io.StringIO(store.files.read("releases/first/coverage.csv").decode())))
    assert [line["subject"] for line in lines] == ["", "", "", "Basics"]
    assert (lines[-1]["rows"], lines[-1]["concepts_reached"], lines[-1]["concepts"]) == ("3", "1", "4")
    card = store.files.read("releases/first/README.md").decode()
    assert "| Natural sciences | 3 | 1 | 1 of 2 (50%) | 1 of 4 (25%) |" in card
    assert "self-BLEU-4" in card


def with_law(url: str) -> Store:
    """Three kept rows of physics, and of law only rejected ones."""
    store, rejected = filled(url), unit("instructions", "law", "torts.0-20")
    publish(store, commit(store, rejected, [instruction("r", rejected, kept=False, reasons=["too short"])]))
    return store


@pytest.mark.parametrize("require", [{"rows": 3}, {"sessions": 0.1}, {"concepts": 0.1}, {"evenness": 0.1}], ids=str)
def test_a_discipline_of_which_nothing_is_kept_falls_short(tmp_path: Path, require: dict[str, float]) -> None:
    store = with_law(str(tmp_path))
    with pytest.raises(InputError, match="there is 0 of Law;"):
        make(store, **require)
    assert store.files.list("releases") == []
    options = ReleaseOptions.model_validate({"test": 0, "require": require, "weights": {"law": 0}})
    assert release(store, "first", options=options, run_id="run", clock=clock).rows == 3
    assert "Law" not in store.files.read("releases/first/coverage.csv").decode()


def test_a_discipline_of_which_nothing_is_kept_is_named_with_its_nought(tmp_path: Path) -> None:
    store = with_law(str(tmp_path))
    make(store)
    lines = csv.DictReader(io.StringIO(store.files.read("releases/first/coverage.csv").decode()))
    assert {line["discipline"]: line["rows"] for line in lines} == {"": "0", "Physics": "3", "Law": "0"}
    card = store.files.read("releases/first/README.md").decode()
    assert "| Social sciences |  | Law | 0 |" in card
    assert "from 1 disciplines in 1 fields" in card


def test_questions_that_repeat_each_other_are_stopped_by_their_self_bleu(tmp_path: Path) -> None:
    store = filled(str(tmp_path), [f"What is the weight of a ray of light in a box of {n} grams?" for n in range(9)])
    with pytest.raises(InputError, match="see what repeats"):
        make(store, self_bleu=0.5)


def test_other_bounds_do_not_make_another_release(tmp_path: Path) -> None:
    store = filled(str(tmp_path))
    make(store, rows=1)
    assert make(store, rows=2).already_published
