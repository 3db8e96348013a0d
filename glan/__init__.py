"""Instruction-tuning data from a taxonomy of human knowledge; `glan.load` and `glan.scan` read what was made.

Importing this costs nothing: what needs pandas and Arrow is imported when it is first used.
"""

from importlib import import_module, metadata
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from glan.dataset import files, load, scan

__all__ = ["__version__", "files", "load", "scan"]

try:
    __version__ = metadata.version("glan")
except metadata.PackageNotFoundError:  # a checkout that was not installed
    __version__ = "0+unknown"


def __getattr__(name: str) -> Any:
    if name in ("files", "load", "scan"):
        return getattr(import_module("glan.dataset"), name)
    raise AttributeError(f"module 'glan' has no attribute {name!r}")
