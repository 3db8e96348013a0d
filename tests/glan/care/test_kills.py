"""`kill -9` at any write of a compaction: readers see the same rows, and the next one completes the work."""

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from care_world import all_rows, whole_store
from stage_world import PHYSICS
from store_world import child_environment

from glan.care.verify import verify
from glan.store.store import Store

_CHILD = """
import itertools, os, secrets, signal, sys
from stage_world import clock
from glan.care.compact import compact
from glan.care.unit_parts import Tools
from glan.store.store import Store

store, last = Store.open(sys.argv[1]), int(sys.argv[2])
create, number = store.files.create, itertools.count(1)

def counted(path, body):
    if next(number) == last:
        if int(sys.argv[3]):
            create(path, body)
        os.kill(os.getpid(), signal.SIGKILL)
    return create(path, body)

store.files.create = counted
list(compact(store, None, Tools(clock, lambda: secrets.token_hex(8))))
print(next(number) - 1)
"""


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("killed") / "store"
    whole_store(str(folder), disciplines=(PHYSICS,))
    return folder


def compact_in_a_process(url: str, last: int, written: bool) -> int:
    """The exit code of a compaction that is killed at its write number `last`, before or after it takes effect."""
    command = [sys.executable, "-c", _CHILD, url, str(last), str(int(written))]
    return subprocess.run(command, env=child_environment(), timeout=120).returncode


def killed_and_again(url: str, last: int, written: bool) -> bool:
    """Kill one, check what there is, let another end, check again; False if there was no such write."""
    store = Store.open(url)
    before = all_rows(store)
    code = compact_in_a_process(url, last, written)
    assert code in (0, -signal.SIGKILL)
    assert all_rows(store) == before
    assert list(verify(store)) == []
    assert compact_in_a_process(url, 10**6, False) == 0
    assert all_rows(store) == before
    assert list(verify(store, deep=True)) == []
    return code != 0


@pytest.mark.parametrize(("last", "written"), [(3, True), (9, False)])
def test_a_killed_compaction_harms_nothing(made: Path, tmp_path: Path, last: int, written: bool) -> None:
    shutil.copytree(made, tmp_path / "store")
    assert killed_and_again(str(tmp_path / "store"), last, written)


@pytest.mark.soak
@pytest.mark.parametrize("written", [False, True])
def test_a_compaction_killed_at_every_write(made: Path, tmp_path: Path, written: bool) -> None:
    for last in range(1, 11):
        shutil.copytree(made, tmp_path / str(last))
        assert killed_and_again(str(tmp_path / str(last)), last, written) or last > 9


@pytest.mark.soak
@pytest.mark.parametrize("last", [2, 7, 9])
def test_a_compaction_killed_on_s3(s3_url: str, last: int) -> None:
    whole_store(s3_url, disciplines=(PHYSICS,))
    assert killed_and_again(s3_url, last, last % 2 == 0)
