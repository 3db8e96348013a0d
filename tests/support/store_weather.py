"""A local store that does not answer now and then, for tests of those who look at many of its objects."""

from typing import Any

import pytest

from glan.errors import StoreWeather
from glan.store.local import LocalFiles

Kind = tuple[str, str]
"""Method and first folder."""


class PassingWeather:
    """Lets the next request of a kind fail that has not failed yet, once it is told to; the requests after it succeed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.failed: set[Kind] = set()
        self._due = False
        for name in ("read", "open_input", "list", "exists", "names"):
            monkeypatch.setattr(LocalFiles, name, self._failing(name, getattr(LocalFiles, name)))

    def strike(self) -> int:
        """One request is to fail; how many have until now."""
        self._due = True
        return len(self.failed)

    def _failing(self, name: str, asked: Any) -> Any:
        def ask(files: LocalFiles, path: str) -> Any:
            kind = (name, path.partition("/")[0])
            if self._due and kind not in self.failed:
                self.failed.add(kind)
                self._due = False
                raise StoreWeather("the store does not answer; try again later")
            return asked(files, path)

        return ask
