"""Editions: one is open at a time, the last finished one counts, an abandoned one never."""

from pathlib import Path

import pytest
from tiny_store import clock, new_store

from glan.store import editions
from glan.store.files import Files


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return new_store(str(tmp_path / "store")).files


def test_starting_again_continues_the_open_edition_and_another_stage_opens_the_next(files: Files) -> None:
    first = editions.opened(files, "physics", "questions", "run-1", clock)
    assert editions.opened(files, "physics", "questions", "run-2", clock) == first
    assert editions.opened(files, "physics", "syllabi", "run-3", clock).number == 2
    assert editions.opened(files, "law", "questions", "run-4", clock).number == 1
    assert sorted(editions.all_editions(files)) == ["law", "physics"]


def test_only_a_finished_edition_is_the_one_that_runs_go_on_from(files: Files) -> None:
    first = editions.opened(files, "physics", "questions", "run-1", clock)
    assert editions.numbers(editions.editions_of(files, "physics")) == {}
    editions.close(files, first, "finished", "run-1")
    assert editions.numbers(editions.editions_of(files, "physics")) == {
        "questions": 1, "answers": 1, "continuations": 1, "judgements": 1, "instructions": 1,
    }  # fmt: skip
    second = editions.opened(files, "physics", "answers", "run-2", clock)
    editions.close(files, second, "finished", "run-2")
    third = editions.opened(files, "physics", "subjects", "run-3", clock)
    editions.close(files, third, "abandoned", "run-3")
    assert editions.numbers(editions.editions_of(files, "physics")) == {
        "questions": 1, "answers": 2, "continuations": 2, "judgements": 2, "instructions": 2,
    }  # fmt: skip
    assert editions.opened(files, "physics", "subjects", "run-4", clock).number == 4


def test_a_run_that_is_tried_again_does_not_draw_twice(files: Files) -> None:
    first = editions.opened(files, "physics", "questions", "run-1", clock)
    editions.close(files, first, "finished", "run-1")
    again = editions.opened(files, "physics", "questions", "run-1", clock)
    assert (again.number, again.ending) == (1, "finished")
    assert editions.opened(files, "physics", "questions", "run-2", clock).number == 2
