"""A store in a local folder: whole files or none, and plain words when the disk will not have it."""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from glan.errors import StoreError
from glan.store.files import Files

_ENDLESS_WRITER = """
import sys
from glan.store.files import Files
files = Files.open(sys.argv[1])
print("ready", flush=True)
number = 0
while True:
    files.create(f"a/{sys.argv[2]}-{number}", bytes([number % 256]) * 300_000)
    number += 1
"""
_WRITER_WITH_LITTLE_SPACE = """
import resource, sys
from glan.errors import StoreError
from glan.store.files import Files
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    Files.open(sys.argv[1]).create("a/b", bytes(5000))
except StoreError as error:
    print(error)
"""


def test_a_kill_while_writing_leaves_whole_files_only(tmp_path: Path) -> None:
    for number in range(4):
        command = [sys.executable, "-c", _ENDLESS_WRITER, str(tmp_path), str(number)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
            assert writer.stdout
            writer.stdout.readline()
            with pytest.raises(subprocess.TimeoutExpired):
                writer.wait(random.uniform(0.01, 0.2))
            writer.send_signal(signal.SIGKILL)
    files = Files.open(str(tmp_path))
    listed = files.list("")
    assert listed
    for entry in listed:
        assert entry.size == 300_000
        assert len(set(files.read(entry.path))) == 1


def test_what_a_killed_writer_left_half_written_is_never_listed(tmp_path: Path) -> None:
    files = Files.open(str(tmp_path))
    files.create("a/b", b"1")
    (tmp_path / "v1" / "a" / ".tmp-0123456789abcdef").write_bytes(b"ha")
    assert [entry.path for entry in files.list("")] == ["a/b"]


def test_writing_leaves_no_temporary_files(tmp_path: Path) -> None:
    files = Files.open(str(tmp_path))
    for body in (b"1", b"2"):
        files.create("a/b", body)
        files.replace("a/c", body)
    assert sorted(path.name for path in (tmp_path / "v1" / "a").iterdir()) == ["b", "c"]


def test_a_disk_that_takes_no_more_is_one_clear_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _WRITER_WITH_LITTLE_SPACE, str(tmp_path)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert said == f"{tmp_path}/v1/a/b cannot be used: the file is larger than this system allows\n"
    assert Files.open(str(tmp_path)).list("") == []
    assert list((tmp_path / "v1" / "a").iterdir()) == []


def test_a_folder_that_may_not_be_written_is_one_clear_sentence(tmp_path: Path) -> None:
    (tmp_path / "v1").mkdir(mode=0o500)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)  # root may write anywhere
    try:
        with pytest.raises(StoreError, match=r"cannot be used: this user may not access it$"):
            Files.open(str(tmp_path)).probe()
    finally:
        os.seteuid(user)


def test_a_file_in_place_of_the_folder_is_one_clear_sentence(tmp_path: Path) -> None:
    files = Files.open(str(tmp_path / "data"))
    (tmp_path / "data").write_text("not a folder")
    for use in (lambda: files.create("a/b", b""), lambda: files.read("a/b"), lambda: files.list("a")):
        with pytest.raises(StoreError, match="a file stands where a folder should be"):
            use()
    assert (tmp_path / "data").read_text() == "not a folder"
