"""Stores in a state that no command should meet: another's folder, damaged objects, records that lack something."""

from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
from store_world import cut_in_half
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
        cut_in_half(folder / "v1" / path)

    return arrange


def rewritten(path: str, text: str) -> Callable[[Path], None]:
    """A store whose object at that path holds something else."""

    def arrange(folder: Path) -> None:
        published_store(folder)
        _write(folder, path, text)

    return arrange


def newer_layout(folder: Path) -> None:
    """A store that a later version of glan has laid out in another way."""
    published_store(folder)
    _write(folder, "README.txt", "glan store, layout v2\n")


def newer_schema(folder: Path) -> None:
    """A store with a taxonomy whose columns a later version of glan has changed."""
    published_store(folder)
    path = folder / "v1/taxonomy/00000001.parquet"
    table = pq.read_table(path)
    pq.write_table(table.replace_schema_metadata({**table.schema.metadata, b"schema_version": b"999"}), path)


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
