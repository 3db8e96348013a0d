"""What belongs to the whole store and to no discipline: versions of the taxonomy, inputs kept by digest, releases."""

import hashlib
from collections.abc import Iterator

from glan.care.findings import RESTORED, Finding
from glan.errors import StoreError, StoreWeather
from glan.release import releases
from glan.store import inputs, runs, taxonomies
from glan.store.files import Files

_NAMED_BY_CONTENT = ("prompts", "config")
"""Kinds of inputs whose digest is that of their bytes."""


def taxonomy_whole(files: Files) -> Iterator[Finding]:
    """Versions follow each other from 1, can be read, and name each discipline once."""
    numbers = taxonomies.versions(files)
    if numbers != list(range(1, len(numbers) + 1)):
        gone = sorted(set(range(1, numbers[-1])) - set(numbers))
        yield Finding("missing", "taxonomy", f"version {', '.join(map(str, gone))} is not there", RESTORED)
    for number, path in zip(numbers, taxonomies.objects(files), strict=True):
        try:
            rows = taxonomies.at(files, number)
        except StoreWeather:
            raise
        except StoreError as error:
            yield Finding("damaged", path, str(error), RESTORED)
            continue
        ids = rows["discipline_id"].to_pylist()
        if len(set(ids)) != len(ids):
            twice = next(one for one in ids if ids.count(one) > 1)
            yield Finding("duplicate", path, f"it names the discipline {twice} twice", "publish a corrected version")
        if set(rows["taxonomy_version"].to_pylist()) - {number}:
            yield Finding("foreign", path, "its rows are of another version", RESTORED)


def inputs_kept(files: Files, deep: bool) -> Iterator[Finding]:
    """What runs on record were made from is kept; `deep`: and is what its name says."""
    there = {entry.path for entry in files.list(inputs.FOLDER)}
    for run_id in runs.ids(files):
        try:
            record = runs.find(files, run_id)
        except StoreWeather:
            raise
        except StoreError as error:
            yield Finding("damaged", runs.path_of(run_id), str(error), f"{RESTORED}, or remove it")
            continue
        for config in {record.config, record.given or record.config}:
            if (path := inputs.path("config", config, "json")) not in there:
                yield Finding("lost", path, f"run {run_id} was made from it, and it is not there", RESTORED)
    for path in sorted(there) if deep else ():
        _, kind, name = path.split("/", 2)
        if kind in _NAMED_BY_CONTENT and hashlib.sha256(files.read(path)).hexdigest() != name.partition(".")[0]:
            yield Finding("altered", path, "its SHA-256 is not the digest that it is named by", RESTORED)


def releases_whole(files: Files) -> Iterator[Finding]:
    """Every file that a finished release names is there, byte for byte."""
    there = {entry.path: entry.size for entry in files.list(releases.FOLDER)}
    for name in releases.named(there):
        try:
            manifest = releases.find(files, name)
        except StoreWeather:
            raise
        except StoreError as error:
            yield Finding("damaged", f"{releases.folder(name)}/{releases.MANIFEST}", str(error), RESTORED)
            continue
        for file in manifest.files if manifest else ():
            path = f"{releases.folder(name)}/{file.path}"
            if path not in there:
                yield Finding("missing", path, f"release {name} names it, and it is not there", RESTORED)
            elif there[path] != file.size or files.sha256(path) != file.sha256:
                yield Finding("altered", path, f"it is not what the manifest of release {name} says", RESTORED)
