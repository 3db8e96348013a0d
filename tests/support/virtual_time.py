"""An event loop whose clock jumps to the next thing to happen: minutes of waiting pass in a moment, the same every time."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

_Value = TypeVar("_Value")


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """No real time passes in it. Only for code that waits by the loop alone: no sockets, no threads."""

    def __init__(self) -> None:
        super().__init__()
        self._moment = 0.0

    def time(self) -> float:
        return self._moment

    def _run_once(self) -> None:
        if not self._ready and self._scheduled:
            self._moment = max(self._moment, self._scheduled[0].when())
        super()._run_once()


def run(main: Coroutine[Any, Any, _Value]) -> _Value:
    """As `asyncio.run`, in virtual time."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main)
