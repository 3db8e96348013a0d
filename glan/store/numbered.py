"""Files with numbers of which the highest is current: found also where a listing lags behind what was written."""

from collections.abc import Callable

from glan.store.files import Files


def highest(files: Files, path: Callable[[int], str], listed: int) -> int:
    """The highest number there is, given the highest that a listing has shown (0: none); numbers have no gaps."""
    while files.exists(path(listed + 1)):
        listed += 1
    return listed
