"""Stores in a state that no command should meet: another's folder, damaged objects, records that lack something."""

from collections.abc import Callable
from pathlib import Path

from tiny_store import commit, new_store, publish, unit


def published_store(folder: Path) -> None:
    """A sound store with one published unit and no run on record."""
    store = new_store(str(folder))
    publish(store, commit(store, unit("subjects", "physics", "physics"), [{"subject_id": "optics"}]))


def foreign_folder(folder: Path) -> None:
    """A folder that somebody else uses for something else."""
    _write(folder, "README.txt", "My holiday photographs\n")


def damaged(path: str) -> Callable[[Path], None]:
    """A store whose object at that path has lost its second half."""

    def arrange(folder: Path) -> None:
        published_store(folder)
        place = folder / "v1" / path
        place.write_bytes(place.read_bytes()[: place.stat().st_size // 2])

    return arrange


def run_on_record(body: str) -> Callable[[Path], None]:
    """A store with this as the record of its only run."""

    def arrange(folder: Path) -> None:
        published_store(folder)
        _write(folder, "_runs/one.json", body)

    return arrange


def broken_inputs_store(folder: Path) -> None:
    """A store with a run on record whose configuration is gone."""
    record = '{"run_id": "one", "started_at": "2026-01-02T12:00:00+00:00", "config": "0123"}'
    run_on_record(record)(folder)


def _write(folder: Path, path: str, text: str) -> None:
    place = folder / "v1" / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text, encoding="utf-8")
