"""Waiting for a store that stays away for longer than a request waits by itself."""

from collections.abc import Callable
from time import monotonic
from typing import TypeVar

from glan.errors import StoreWeather

_PAUSE_SECONDS = 2.0

Result = TypeVar("Result")


def waited_for(
    work: Callable[[], Result], patience_seconds: float, rest: Callable[[float], None], say: Callable[[str], None]
) -> Result:
    """What `work`, which may be begun again at any point, comes to; tried again for as long as the patience lasts.

    Raises:
        StoreWeather: the store stayed away for longer.
    """
    began, told = monotonic(), False
    while True:
        try:
            return work()
        except StoreWeather as error:
            left = patience_seconds - (monotonic() - began)
            if left <= 0:
                raise
            if not told:
                say(f"{error}; waiting up to {left:.0f} s for it to come back")
                told = True
            rest(min(_PAUSE_SECONDS, left))
