"""What was found out about the store, kept with what it was found from: `_notes/<name>.json`.

A later look that starts from the very same need not look again. Nothing rests on notes: they may be overwritten, lost,
or left unwritten.
"""

import json
import logging
from typing import Any

from glan.errors import StoreError
from glan.keys import canonical
from glan.store.files import Files

FOLDER = "_notes"
_logger = logging.getLogger(__name__)


def find(files: Files, name: str, basis: str) -> Any:
    """What was found from this very basis; None if nothing is noted of it."""
    try:
        note = json.loads(files.read(_path(name)))
    except (FileNotFoundError, ValueError):
        return None
    return note.get("found") if isinstance(note, dict) and note.get("basis") == basis else None


def keep(files: Files, name: str, basis: str, found: Any) -> None:
    """Note what was found, in place of an earlier note. One that cannot be written is only logged."""
    try:
        files.replace(_path(name), canonical({"basis": basis, "found": found}))
    except StoreError as error:
        _logger.warning("the note %s was not written: %s", name, error)


def _path(name: str) -> str:
    return f"{FOLDER}/{name}.json"
