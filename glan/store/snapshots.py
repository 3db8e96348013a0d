"""Snapshots: one generation of every stage of every discipline that belong together, for whoever reads across them."""

import datetime
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, ValidationError

from glan.clock import Clock
from glan.errors import StoreError, StoreWeather
from glan.store.files import Files
from glan.store.numbered import highest

FOLDER = "_snapshots"
_RACES = 100


class Snapshot(BaseModel):
    """`generations[discipline_id][stage]`: the generation to read; within one, every parent row exists."""

    model_config = ConfigDict(frozen=True)

    number: int
    generations: dict[str, dict[str, int]]
    run_id: str
    created_at: datetime.datetime


def latest(files: Files) -> Snapshot | None:
    """The highest snapshot; None if there is none yet."""
    entries = files.list(FOLDER)
    snapshot = _load(files, entries[-1].path) if entries else None
    shown = snapshot.number if snapshot else 0
    number = highest(files, _path, shown)
    return snapshot if number == shown else at(files, number)


def at(files: Files, number: int) -> Snapshot:
    """One snapshot.

    Raises:
        StoreError: it is not there (any more), or damaged.
    """
    return _load(files, _path(number))


def find(files: Files, number: int) -> Snapshot | None:
    """The same; None if it is not there (any more)."""
    return at(files, number) if files.exists(_path(number)) else None


def publish(
    files: Files,
    generations: Mapping[str, Mapping[str, int]],
    run_id: str,
    clock: Clock,
) -> Snapshot:
    """Merge the generations into the latest snapshot as a new one; none is ever replaced by a lower one.

    Returns the latest, and writes nothing, if that changes nothing (number 0 if there is none yet).
    """
    for _ in range(_RACES):
        base = latest(files)
        before = base.generations if base else {}
        following = Snapshot(
            number=base.number + 1 if base else 1,
            generations=_merged(before, generations),
            run_id=run_id,
            created_at=clock(),
        )
        if following.generations == before:
            return base or following.model_copy(update={"number": 0})
        if files.create(_path(following.number), following.model_dump_json().encode()):
            return following
    raise StoreWeather(f"{FOLDER}: others published {_RACES} snapshots meanwhile; try again")


def _merged(before: Mapping[str, Mapping[str, int]], new: Mapping[str, Mapping[str, int]]) -> dict[str, dict[str, int]]:
    merged = {discipline: dict(stages) for discipline, stages in before.items()}
    for discipline, stages in new.items():
        for stage, generation in stages.items():
            if generation > merged.get(discipline, {}).get(stage, 0):
                merged.setdefault(discipline, {})[stage] = generation
    return {discipline: merged[discipline] for discipline in sorted(merged)}


def _load(files: Files, path: str) -> Snapshot:
    try:
        return Snapshot.model_validate_json(files.read(path))
    except FileNotFoundError as error:
        raise StoreError(f"{path} is not in {files.url}") from error
    except ValidationError as error:
        raise StoreError(f"{path} is damaged or no snapshot") from error


def _path(number: int) -> str:
    return f"{FOLDER}/{number:08d}.json"
