"""The time, which whoever dates something is handed."""

import datetime
from collections.abc import Callable

Clock = Callable[[], datetime.datetime]


def now() -> datetime.datetime:
    """The clock of every run and command: UTC."""
    return datetime.datetime.now(datetime.UTC)
