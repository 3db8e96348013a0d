"""The parts of the call log: each can be read, none is missing between others."""

import contextlib
import re
from collections.abc import Iterable, Iterator

from glan.care.findings import RESTORED, Finding
from glan.errors import StoreError, StoreWeather
from glan.store import calls
from glan.store.files import Files
from glan.store.parquet import opened
from glan.units import folder_of

_ROWS_AT_A_TIME = 8_192
_PART = re.compile(r"([0-9a-z]+)-(\d{8})\.parquet")


def recorded(files: Files, discipline_id: str, deep: bool) -> tuple[set[str], list[Finding]]:
    """The request keys on record of a discipline, and the parts that cannot be read; `deep`: every column of them."""
    keys: set[str] = set()
    found = []
    paths = [entry.path for entry in files.list(folder_of(calls.FOLDER, discipline_id))]
    replaced = _replaced(files, paths)
    for path in [path for path in paths if path not in replaced]:
        try:
            with opened(files.open_input(path), path, "calls") as file:
                for batch in file.iter_batches(_ROWS_AT_A_TIME, columns=None if deep else ["request_key"]):
                    keys.update(batch["request_key"].to_pylist())
        except StoreWeather:
            raise
        except StoreError as error:
            found.append(Finding("damaged", path, str(error), f"{RESTORED}, or remove it: {_CONSEQUENCE}"))
    return keys, found


_CONSEQUENCE = "what it held is asked again where a unit needs it"


def gaps(files: Files) -> Iterator[Finding]:
    """Parts that are missing: a process numbers its parts, over all disciplines, without leaving one out."""
    lost = _gaps(_named(files))
    if lost:
        # A process that writes meanwhile may have been seen with a later part of one folder and not yet an earlier one.
        lost = {writer: numbers & _gaps(_named(files)).get(writer, set()) for writer, numbers in lost.items()}
    for writer, numbers in sorted(lost.items()):
        if numbers:
            parts = ", ".join(f"{number:08d}" for number in sorted(numbers)[:3])
            problem = f"{len(numbers)} parts of the writer {writer} are missing, such as number {parts}"
            yield Finding("lost", calls.FOLDER, problem, f"{RESTORED}; without them, {_CONSEQUENCE}")


def _named(files: Files) -> set[str]:
    """Names of all parts that are there or whose rows a merged part holds."""
    paths = [entry.path for entry in files.list(calls.FOLDER)]
    return {path.rpartition("/")[2] for path in {*paths, *_replaced(files, paths)}}


def _replaced(files: Files, paths: list[str]) -> frozenset[str]:
    """The parts whose rows are in merged ones; nothing is known of one that cannot be read, which is reported."""
    found = frozenset[str]()
    for path in filter(calls.is_merged, paths):
        with contextlib.suppress(StoreError):
            found |= calls.replaced(files, [path])
    return found


def _gaps(names: Iterable[str]) -> dict[str, set[int]]:
    there: dict[str, set[int]] = {}
    for name in names:
        if (part := _PART.fullmatch(name)) and part[1] != calls.MERGED:
            there.setdefault(part[1], set()).add(int(part[2]))
    return {writer: set(range(1, max(numbers))) - numbers for writer, numbers in there.items()}
