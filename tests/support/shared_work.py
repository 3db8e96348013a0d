"""Work that several test processes need, done by one of them."""

import fcntl
import os
import pickle
from collections.abc import Callable
from typing import Any

import pytest


def done_once(factory: pytest.TempPathFactory, name: str, work: Callable[[], Any]) -> Any:
    """What `work` returns, which has to be picklable: the first process that comes does it, the others read it."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return work()
    kept = factory.getbasetemp().parent / f"{name}.pickle"  # the folder of the whole session
    with kept.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            kept.write_bytes(pickle.dumps(work()))
    return pickle.loads(kept.read_bytes())
