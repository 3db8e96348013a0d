"""The runs on record: `_runs/<run_id>.json` when one starts, `_runs/<run_id>.end.json` when it has come to an end.

Beside them lies `_runs/<run_id>.html`, what the store looked like when the run ended, for people.
"""

import datetime
from functools import partial
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from glan.config import RunConfig
from glan.errors import StoreError
from glan.store import inputs
from glan.store.ahead import ahead
from glan.store.files import Files
from glan.units import Scope

_FOLDER = "_runs"
_ENDING = ".end.json"

_Document = TypeVar("_Document", bound=BaseModel)


class RunRecord(BaseModel):
    """That a run was started, and all that another process has to know to work on it."""

    model_config = ConfigDict(frozen=True)

    run_id: str
    started_at: datetime.datetime
    config: str
    """Digest of the RunConfig with every model named, kept under `_inputs/config/`."""

    given: str = ""
    """Digest of the RunConfig as it was given, in which models may be left to the settings."""

    prompts: dict[str, str] = {}
    """Digests of the templates by name, kept under `_inputs/prompts/`."""

    scope: Scope = Scope()
    budget_id: str = ""
    """What this run spends is counted under this id, together with all other runs of the same id."""


class RunEnd(BaseModel):
    """That a run has ended by itself, and how."""

    model_config = ConfigDict(frozen=True)

    ended_at: datetime.datetime
    state: str


def keep(files: Files, record: RunRecord) -> RunRecord:
    """Put a run on record; one that is there already, as when Prefect tries a run again, stays as it is."""
    if files.create(path_of(record.run_id), record.model_dump_json().encode()):
        return record
    return find(files, record.run_id)


def end(files: Files, run_id: str, state: str, at: datetime.datetime) -> None:
    """Note that a run has ended. A run that is tried again may end again; the first end stays on record."""
    files.create(f"{_FOLDER}/{run_id}{_ENDING}", RunEnd(ended_at=at, state=state).model_dump_json().encode())


def keep_report(files: Files, run_id: str, page: str) -> str:
    """Keep the page that a run ended with; the path. The first one stays, as with `end`."""
    path = report_path(run_id)
    files.create(path, page.encode())
    return path


def report_path(run_id: str) -> str:
    """Where the page is kept that a run ended with."""
    return f"{_FOLDER}/{run_id}.html"


def ended(files: Files, run_id: str) -> bool:
    """Whether a run came to an end by itself; one that was killed did not."""
    return files.exists(f"{_FOLDER}/{run_id}{_ENDING}")


def find(files: Files, run_id: str) -> RunRecord:
    """The record of a run.

    Raises:
        StoreError: there is none, or it is damaged.
    """
    return _read(files, path_of(run_id), RunRecord)


def ids(files: Files) -> list[str]:
    """All runs on record."""
    names = (entry.path.removeprefix(f"{_FOLDER}/") for entry in files.list(_FOLDER))
    return [name.removesuffix(".json") for name in names if name.endswith(".json") and not name.endswith(_ENDING)]


def every(files: Files) -> list[RunRecord]:
    """The records of all runs.

    Raises:
        StoreError: one is damaged, or was written by another version of glan.
    """
    return list(ahead(partial(find, files), ids(files)))


def unended(files: Files) -> list[RunRecord]:
    """The runs that have not come to an end by themselves: they are going on, or were killed.

    Raises:
        StoreError: a record is damaged, or was written by another version of glan.
    """
    over = {path.removesuffix(_ENDING) for path in files.names(_FOLDER) if path.endswith(_ENDING)}
    return [find(files, run_id) for run_id in ids(files) if f"{_FOLDER}/{run_id}" not in over]


def last(files: Files) -> RunRecord | None:
    """The run that was started last; None if none is on record.

    Raises:
        StoreError: a record is damaged, or was written by another version of glan.
    """
    return max(every(files), key=lambda record: record.started_at, default=None)


def config_of(files: Files, record: RunRecord) -> RunConfig:
    """What a run on record made, with every model named.

    Raises:
        StoreError: its configuration is gone, damaged, or was written by another version of glan.
    """
    return _read(files, inputs.path("config", record.config, "json"), RunConfig)


def given_of(files: Files, record: RunRecord) -> RunConfig:
    """The same as it was given, in which models may be left to the settings."""
    return _read(files, inputs.path("config", record.given or record.config, "json"), RunConfig)


def path_of(run_id: str) -> str:
    """Where the record of a run is."""
    return f"{_FOLDER}/{run_id}.json"


def _read(files: Files, path: str, kind: type[_Document]) -> _Document:
    try:
        return kind.model_validate_json(files.read(path))
    except FileNotFoundError as error:
        raise StoreError(f"{path} is not in {files.url}, though a run on record names it") from error
    except ValidationError as error:
        raise StoreError(f"{path} in {files.url} is damaged or was written by another version of glan") from error
