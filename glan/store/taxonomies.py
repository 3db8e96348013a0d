"""The versions of the taxonomy. The highest is what every run reads."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from glan import taxonomy
from glan.clock import Clock
from glan.errors import InputError, StoreError
from glan.keys import digest
from glan.records import table
from glan.store.files import Files
from glan.store.numbered import highest
from glan.store.parquet import conformed, encoded, opened
from glan.store.store import Store
from glan.taxonomy import Taxonomy

_VERSION = re.compile(r"taxonomy/\d{8}\.parquet")


def objects(files: Files) -> list[str]:
    """The objects of all versions that are there, lowest first."""
    return [_path(version) for version in versions(files)]


def versions(files: Files) -> list[int]:
    """All versions that are there, lowest first; other files are passed over."""
    paths = [entry.path for entry in files.list("taxonomy") if _VERSION.fullmatch(entry.path)]
    listed = [int(path.removeprefix("taxonomy/").removesuffix(".parquet")) for path in paths]
    last = listed[-1] if listed else 0
    return [*listed, *range(last + 1, highest(files, _path, last) + 1)]


def latest(files: Files) -> tuple[int, pa.Table] | None:
    """The highest version and its rows; None in an empty store."""
    numbers = versions(files)
    return (numbers[-1], at(files, numbers[-1])) if numbers else None


def current(store: Store) -> Taxonomy:
    """The tree of the highest version, or the shipped one where there is none yet.

    Raises:
        StoreError: the store is somebody else's folder, or its taxonomy is damaged.
    """
    store.begun()
    found = latest(store.files)
    return taxonomy.shipped() if found is None else taxonomy.from_table(found[1])


def at(files: Files, version: int) -> pa.Table:
    """The rows of one version.

    Raises:
        StoreError: there is no such version, or it is damaged.
    """
    path = _path(version)
    try:
        source = files.open_input(path)
    except FileNotFoundError as error:
        raise StoreError(f"the taxonomy has no version {version} in {files.url}") from error
    with opened(source, path, "taxonomy") as file:
        return conformed(file.read(), "taxonomy")


def publish(
    files: Files,
    rows: Sequence[Mapping[str, Any]],
    expected_latest: int | None,
    *,
    run_id: str = "",
    clock: Clock,
) -> int:
    """Publish rows of `field, sub_field, discipline, discipline_id, origin` as the version after `expected_latest`.

    Whoever comes second with the same rows for the same version has its number too, as when two runs start at once.

    Raises:
        InputError: `expected_latest` (None: an empty store) is no longer the latest; nothing was written.
    """
    version = (expected_latest or 0) + 1
    stamp = {
        "taxonomy_version": version,
        "unit_key": digest([dict(row) for row in rows]),
        "edition": 0,
        "run_id": run_id,
        "created_at": clock(),
    }
    body = encoded("taxonomy", table("taxonomy", [{**row, **stamp} for row in rows]))
    if max(versions(files), default=None) == expected_latest and files.create(_path(version), body):
        return version
    if not _holds(files, version, stamp["unit_key"]):
        raise InputError(
            f"the taxonomy has changed: version {max(versions(files), default=0)} is the latest, "
            f"these changes were made to {expected_latest or 'an empty store'}; make them again from the latest"
        )
    return version


def _holds(files: Files, version: int, unit_key: object) -> bool:
    """Whether a version is there and was published from the rows of this key."""
    return files.exists(_path(version)) and set(at(files, version)["unit_key"].to_pylist()) == {unit_key}


def _path(version: int) -> str:
    return f"taxonomy/{version:08d}.parquet"
