"""Rows -> the data files of a release: for each split, shards of so many rows in every kind of file."""

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from glan.release.formats import Kind, Row
from glan.release.releases import ReleaseFile

ROWS_PER_GROUP = 5_000

Send = Callable[[str, bytes, int], ReleaseFile]
"""Put a file of so many rows into the release, by its path there."""


class Shards:
    """The shards of all splits. One is sent as soon as it is full, so at most one of each split is on disk at a time."""

    def __init__(self, rows: int, kinds: Sequence[Kind], send: Send) -> None:
        self._rows, self._kinds, self._send = rows, kinds, send
        self._open: dict[str, _Shard] = {}
        self._numbers: Counter[str] = Counter()
        self._sent: dict[tuple[str, int, int], ReleaseFile] = {}

    def add(self, split: str, row: Row) -> None:
        """Append a row to its split."""
        shard = self._open.get(split)
        if shard is None:
            shard = self._open[split] = _Shard(self._kinds)
        shard.add(row)
        if shard.rows == self._rows:
            self._finish(split)

    @property
    def sent(self) -> list[ReleaseFile]:
        """All files so far, by split, shard and kind."""
        return [file for _, file in sorted(self._sent.items())]

    def _finish(self, split: str) -> None:
        shard, number = self._open.pop(split), self._numbers[split]
        self._numbers[split] += 1
        with shard:
            for place, (kind, body) in enumerate(shard.bodies()):
                self._sent[split, number, place] = self._send(kind.path(split, number), body, shard.rows)

    def __enter__(self) -> "Shards":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for split in sorted(self._open):
            if error is None:
                self._finish(split)
        for shard in self._open.values():
            shard.__exit__(kind, error, trace)


class _Shard:
    """One shard in all kinds of files, on local disk until it is whole."""

    def __init__(self, kinds: Sequence[Kind]) -> None:
        self._stack = ExitStack()
        scratch = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="glan-release-"))
        self._paths = {kind: Path(scratch, str(number)) for number, kind in enumerate(kinds)}
        self._files = ExitStack()
        self._writers = [self._files.enter_context(kind.write(place)) for kind, place in self._paths.items()]
        self._waiting: list[Row] = []
        self.rows = 0

    def add(self, row: Row) -> None:
        self._waiting.append(row)
        self.rows += 1
        if len(self._waiting) == ROWS_PER_GROUP:
            self._write()

    def bodies(self) -> Iterator[tuple[Kind, bytes]]:
        """The whole files; nothing can be added any more."""
        self._write()
        self._files.close()
        for kind, place in self._paths.items():
            yield kind, place.read_bytes()

    def _write(self) -> None:
        for write in self._writers if self._waiting else ():
            write(self._waiting)
        self._waiting = []

    def __enter__(self) -> "_Shard":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._stack:
            self._files.close()
