"""Generations: which objects are the current rows of one stage of one discipline."""

import datetime
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import cast

from msgspec import MsgspecError, Struct, json
from msgspec.structs import replace

from glan.clock import Clock
from glan.errors import StoreError, StoreWeather
from glan.store.files import Files
from glan.store.numbered import highest
from glan.units import STAGES, Receipt, Stage

Named = Mapping[str, Receipt]
"""Receipts by address."""

FOLDER = "_manifests"
_PATH = re.compile(rf"{FOLDER}/({'|'.join(STAGES)})/([^/]+)/(\d+)\.json")
_READERS = 16
_RACES = 100


class Manifest(Struct, frozen=True, kw_only=True):
    """One generation: immutable, and complete in itself. Generation 0 is the empty one that nobody had to write."""

    stage: Stage
    discipline_id: str
    generation: int
    parent: int | None
    units: list[Receipt]
    run_id: str
    created_at: datetime.datetime


def current(files: Files, stage: Stage, discipline_id: str) -> Manifest | None:
    """The highest generation; None if nothing was published yet.

    Raises:
        StoreError: the manifest is damaged.
    """
    paths = [entry.path for entry in files.list(folder_of(stage, discipline_id))]
    return _from(files, stage, discipline_id, max(paths, default=None))


def generations(files: Files, stage: Stage, disciplines: Iterable[str] = ()) -> dict[str, int]:
    """The number of the highest generation of every discipline that has one, by one listing.

    Those of `disciplines` are found even if the listing lags so far behind that it has none of them.

    Raises:
        StoreError: a file that is no generation lies among them.
    """
    listed = dict.fromkeys(disciplines, 0)
    for path in sorted(files.names(f"{FOLDER}/{stage}")):  # so the last of a discipline is its highest
        _, discipline_id, number = place_of(path)
        listed[discipline_id] = number
    with ThreadPoolExecutor(_READERS) as pool:
        numbers = pool.map(lambda name: highest(files, partial(path_of, stage, name), listed[name]), listed)
        return {name: number for name, number in zip(listed, numbers, strict=True) if number}


def all_current(files: Files, stage: Stage) -> dict[str, Manifest]:
    """The highest generation of every discipline that has one."""
    numbers = generations(files, stage)
    with ThreadPoolExecutor(_READERS) as pool:
        return dict(zip(numbers, pool.map(lambda one: at(files, stage, *one), numbers.items()), strict=True))


def at(files: Files, stage: Stage, discipline_id: str, generation: int) -> Manifest:
    """One generation.

    Raises:
        StoreError: it is not there (any more), or damaged.
    """
    return _load(files, path_of(stage, discipline_id, generation))


def publish(
    files: Files,
    stage: Stage,
    discipline_id: str,
    *,
    add: Sequence[Receipt],
    drop: Collection[str] = (),
    run_id: str,
    clock: Clock,
) -> Manifest:
    """Make the next generation: the current one without the addresses in `drop`, with `add` put in by address.

    Returns the current generation, and writes nothing, if that changes nothing. Whoever loses the race for a
    generation applies the same changes to the winner's, so no published unit is lost.
    """

    def changed(before: Named) -> Named:
        kept = {unit: receipt for unit, receipt in before.items() if unit not in drop}
        return {**kept, **{receipt.unit: receipt for receipt in add}}

    return _follow(files, stage, discipline_id, changed, run_id, clock)


def move(
    files: Files,
    stage: Stage,
    discipline_id: str,
    moved: Sequence[tuple[Receipt, Receipt]],
    run_id: str,
    clock: Clock,
) -> Manifest:
    """Make the next generation, in which units are elsewhere: (as named, as it is now), with the same rows.

    A unit that is no longer named as it was, because a run has made it anew or somebody has moved it, stays as it is.
    """

    def changed(before: Named) -> Named:
        return {**before, **{old.unit: new for old, new in moved if before.get(old.unit) == old}}

    return _follow(files, stage, discipline_id, changed, run_id, clock)


def _follow(
    files: Files, stage: Stage, discipline_id: str, changed: Callable[[Named], Named], run_id: str, clock: Clock
) -> Manifest:
    """The current generation with its units changed, as the next one; the current one if nothing is."""
    for _ in range(_RACES):
        base = current(files, stage, discipline_id)
        before = {receipt.unit: receipt for receipt in base.units} if base else {}
        after = changed(before)
        following = Manifest(
            stage=stage,
            discipline_id=discipline_id,
            generation=base.generation + 1 if base else 1,
            parent=base.generation if base else None,
            units=[after[unit] for unit in sorted(after)],
            run_id=run_id,
            created_at=clock(),
        )
        if after == before:
            return base or replace(following, generation=0)
        if files.create(path_of(stage, discipline_id, following.generation), json.encode(following)):
            return following
    raise StoreWeather(f"{folder_of(stage, discipline_id)}: others published {_RACES} generations meanwhile; try again")


def _from(files: Files, stage: Stage, discipline_id: str, listed: str | None) -> Manifest | None:
    """The highest generation, given the path of the highest that was listed."""
    manifest = _load(files, listed) if listed else None
    shown = manifest.generation if manifest else 0
    number = highest(files, lambda number: path_of(stage, discipline_id, number), shown)
    return manifest if number == shown else _load(files, path_of(stage, discipline_id, number))


def _load(files: Files, path: str) -> Manifest:
    try:
        return json.decode(files.read(path), type=Manifest)
    except FileNotFoundError as error:
        raise StoreError(f"{path} is not in {files.url}") from error
    except (MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise StoreError(f"{path} is damaged or no manifest") from error


def folder_of(stage: Stage, discipline_id: str) -> str:
    """Where the generations of one stage of one discipline are."""
    return f"{FOLDER}/{stage}/{discipline_id}"


def path_of(stage: Stage, discipline_id: str, generation: int) -> str:
    """Where a generation is."""
    return f"{folder_of(stage, discipline_id)}/{generation:08d}.json"


def place_of(path: str) -> tuple[Stage, str, int]:
    """The stage, discipline and number of a generation, by where it is.

    Raises:
        StoreError: there is something else at this path.
    """
    found = _PATH.fullmatch(path)
    if found is None:
        raise StoreError(f"{path} is damaged or no manifest")
    return cast(Stage, found[1]), found[2], int(found[3])
