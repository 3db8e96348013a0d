"""The editions of a discipline: from which stage down everything was, or is being, drawn anew.

`_editions/<discipline_id>/<number>.json` opens one; `<number>.finished.json` makes it the one that all runs read and
go on from; `<number>.abandoned.json` sets it aside. Each is written once. An edition that is neither finished nor
abandoned is open: a refresh that is started again goes on with it, and nobody else sees it.
"""

import datetime
from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from glan.clock import Clock
from glan.errors import StoreError, StoreWeather
from glan.store.files import Files
from glan.units import STAGES, Stage

Ending = Literal["finished", "abandoned"]

FOLDER = "_editions"
_RACES = 100


class Edition(BaseModel):
    """One drawing of a discipline, from `stage` down."""

    model_config = ConfigDict(frozen=True)

    discipline_id: str
    number: int
    stage: Stage
    run_id: str
    opened_at: datetime.datetime
    ending: Ending | None = None


def all_editions(files: Files) -> dict[str, list[Edition]]:
    """Every edition by discipline, lowest number first, by one listing.

    Raises:
        StoreError: one is damaged.
    """
    found: dict[str, list[Edition]] = {}
    for edition in _listed(files, FOLDER):
        found.setdefault(edition.discipline_id, []).append(edition)
    return found


def editions_of(files: Files, discipline_id: str) -> list[Edition]:
    """The editions of one discipline, lowest number first."""
    return _listed(files, f"{FOLDER}/{discipline_id}")


def numbers(editions: Sequence[Edition]) -> dict[Stage, int]:
    """The edition that each stage is read in and goes on from; a stage that is not named is in its first, 0."""
    current: dict[Stage, int] = {}
    for edition in editions:
        if edition.ending == "finished":
            current |= dict.fromkeys(STAGES[STAGES.index(edition.stage) :], edition.number)
    return current


def following(editions: Sequence[Edition]) -> int:
    """The number of the next edition."""
    return editions[-1].number + 1 if editions else 1


def last_open(editions: Sequence[Edition], stage: Stage) -> Edition | None:
    """The edition that a refresh from this stage goes on with, if there is one."""
    last = editions[-1] if editions else None
    return last if last and last.ending is None and last.stage == stage else None


def opened(files: Files, discipline_id: str, stage: Stage, run_id: str, clock: Clock) -> Edition:
    """The edition that a run draws from this stage down: its own or the one begun before, else the next number.

    One that this run has opened and ended is returned as it is, so that a run tried again does not draw twice.
    """
    for _ in range(_RACES):
        known = editions_of(files, discipline_id)
        found = known[-1] if known and known[-1].run_id == run_id else last_open(known, stage)
        if found is not None:
            return found
        edition = Edition(
            discipline_id=discipline_id, number=following(known), stage=stage, run_id=run_id, opened_at=clock()
        )
        body = edition.model_dump_json(exclude={"ending"}).encode()
        if files.create(f"{FOLDER}/{discipline_id}/{edition.number:08d}.json", body):
            return edition
    raise StoreWeather(f"{FOLDER}/{discipline_id}: others opened {_RACES} editions meanwhile; try again")


def close(files: Files, edition: Edition, ending: Ending, run_id: str) -> None:
    """End an edition. One that has ended already stays as it is."""
    files.create(f"{FOLDER}/{edition.discipline_id}/{edition.number:08d}.{ending}.json", f'"{run_id}"'.encode())


def _listed(files: Files, folder: str) -> list[Edition]:
    paths = {entry.path for entry in files.list(folder)}
    return [_load(files, path, paths) for path in sorted(paths) if path.count(".") == 1]


def _load(files: Files, path: str, paths: set[str]) -> Edition:
    stem = path.removesuffix(".json")
    ending: Ending | None = "finished" if f"{stem}.finished.json" in paths else None
    if ending is None and f"{stem}.abandoned.json" in paths:
        ending = "abandoned"
    try:
        edition = Edition.model_validate_json(files.read(path))
    except (FileNotFoundError, ValidationError) as error:
        raise StoreError(f"{path} is damaged or no edition") from error
    return edition.model_copy(update={"ending": ending})
