"""The retries of what is in quarantine, by discipline.

`_retries/<discipline_id>/<number>.json` opens one, `<number>.finished.json` ends it; each is written once. The
supplements of a retry carry its number, so a retry that was killed and is started again goes on with the same units.
"""

import datetime

from pydantic import BaseModel, ConfigDict, ValidationError

from glan.clock import Clock
from glan.errors import StoreError, StoreWeather
from glan.store.files import Files

_FINISHED = ".finished.json"
FOLDER = "_retries"
_RACES = 100


class Retry(BaseModel):
    """One retry of a discipline's quarantine."""

    model_config = ConfigDict(frozen=True)

    discipline_id: str
    number: int
    run_id: str
    opened_at: datetime.datetime
    finished: bool = False


def last(files: Files, discipline_id: str) -> Retry | None:
    """The retry that was opened last.

    Raises:
        StoreError: it is damaged.
    """
    paths = [entry.path for entry in files.list(f"{FOLDER}/{discipline_id}")]
    opened = [path for path in paths if path.count(".") == 1]
    if not opened:
        return None
    path = max(opened)
    try:
        retry = Retry.model_validate_json(files.read(path))
    except (FileNotFoundError, ValidationError) as error:
        raise StoreError(f"{path} is damaged or no retry") from error
    return retry.model_copy(update={"finished": path.removesuffix(".json") + _FINISHED in paths})


def next_number(files: Files, discipline_id: str) -> int:
    """The number of the retry that a run goes on with or opens."""
    known = last(files, discipline_id)
    return 1 if known is None else known.number + known.finished


def opened(files: Files, discipline_id: str, run_id: str, clock: Clock) -> Retry:
    """The retry that a run works on: its own or the one begun before, else the next number.

    One that this run has opened and finished is returned as it is, so that a run tried again does not ask twice.
    """
    for _ in range(_RACES):
        known = last(files, discipline_id)
        if known is not None and (not known.finished or known.run_id == run_id):
            return known
        number = known.number + 1 if known else 1
        retry = Retry(discipline_id=discipline_id, number=number, run_id=run_id, opened_at=clock())
        if files.create(_path(retry), retry.model_dump_json(exclude={"finished"}).encode()):
            return retry
    raise StoreWeather(f"{FOLDER}/{discipline_id}: others opened {_RACES} retries meanwhile; try again")


def finish(files: Files, retry: Retry, run_id: str) -> None:
    """End a retry. One that has ended already stays as it is."""
    files.create(_path(retry).removesuffix(".json") + _FINISHED, f'"{run_id}"'.encode())


def _path(retry: Retry) -> str:
    return f"{FOLDER}/{retry.discipline_id}/{retry.number:08d}.json"
