"""`glan`, with what it asks of its store counted.

python -m bench.counted COUNTS.json COMMAND ...

On S3 these are the requests themselves; in a folder the operations that would be one request each: a listing is one for
each thousand files, a file opened to read parts of it is one.
"""

import functools
import json
import os
import sys
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

PAGE = 1000
"""Files of a listing that one request brings."""

counts: Counter[str] = Counter()
_lock = threading.Lock()


def add(kind: str, number: int = 1) -> None:
    """So many more of a kind, from any thread."""
    with _lock:
        counts[kind] += number


def begin() -> None:
    """Count from here on, in this process and for good."""
    if os.environ.get("GLAN_STORE", "").startswith("s3://"):
        _count_requests()
        return
    from glan.store.local import LocalFiles

    for name in ("create", "replace", "read", "open_input", "exists", "delete"):
        _wrap(LocalFiles, name, functools.partial(_add_one, name))
    for name in ("list", "names"):
        _wrap(LocalFiles, name, lambda found: add("list", max(1, -(-len(found) // PAGE))))


def _count_requests() -> None:
    import s3fs

    send = s3fs.S3FileSystem._call_s3

    async def counted(self: Any, method: str, *given: Any, **options: Any) -> Any:
        add(method)
        return await send(self, method, *given, **options)

    s3fs.S3FileSystem._call_s3 = counted


def _add_one(kind: str, _: Any) -> None:
    add(kind)


def _wrap(owner: type, name: str, note: Callable[[Any], None]) -> None:
    work = getattr(owner, name)

    @functools.wraps(work)
    def counted(*given: Any, **options: Any) -> Any:
        made = work(*given, **options)
        note(made)
        return made

    setattr(owner, name, counted)


def main() -> None:
    """Run the command; the counts by kind go to the file, whatever the command comes to."""
    place, command = Path(sys.argv[1]), sys.argv[2:]
    sys.argv = ["glan", *command]
    from flows.cli import main as glan

    begin()
    try:
        glan()
    finally:
        place.write_text(json.dumps(counts))


if __name__ == "__main__":
    main()
