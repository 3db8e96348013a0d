"""Two stores as one: what the upper holds goes before what the lower holds, and only the upper is written."""

import pyarrow as pa

from glan.store.files import Entry, Files


class LayeredFiles(Files):
    """Reads both, writes the upper."""

    def __init__(self, upper: Files, lower: Files) -> None:
        self._upper, self._lower = upper, lower
        self.url = lower.url

    def create(self, path: str, body: bytes) -> bool:
        """As ever; what is in the lower one is passed over."""
        return self._upper.create(path, body)

    def replace(self, path: str, body: bytes) -> None:
        """As ever."""
        self._upper.replace(path, body)

    def read(self, path: str) -> bytes:
        """As ever."""
        return self._holder(path).read(path)

    def open_input(self, path: str) -> pa.NativeFile:
        """As ever."""
        return self._holder(path).open_input(path)

    def exists(self, path: str) -> bool:
        """As ever."""
        return self._holder(path).exists(path)

    def list(self, prefix: str) -> list[Entry]:
        """The files of both."""
        found = {entry.path: entry for files in (self._lower, self._upper) for entry in files.list(prefix)}
        return [found[path] for path in sorted(found)]

    def delete(self, path: str) -> None:
        """As ever."""
        self._upper.delete(path)

    def _holder(self, path: str) -> Files:
        return self._upper if self._upper.exists(path) else self._lower
