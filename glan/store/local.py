"""Files in a local folder: a temporary file, fsync, then a hard link, which exists whole or not at all."""

import contextlib
import datetime
import errno
import os
import secrets
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa

from glan.errors import InputError, StoreError
from glan.names import shown
from glan.store.files import LAYOUT, Entry, Files, checked

_TEMPORARY = ".tmp-"  # no path of the store begins a name with a dot, so readers never see these
_REASONS = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EFBIG: "the file is larger than this system allows",
    errno.EACCES: "this user may not access it",
    errno.EPERM: "the file system forbids it (the store needs a file system with hard links)",
    errno.ENOTSUP: "the file system has no hard links, which the store needs",
    errno.EROFS: "the file system is read-only",
    errno.ENOTDIR: "a file stands where a folder should be",
    errno.EEXIST: "a file stands where a folder should be",
    errno.EISDIR: "a folder stands where a file should be",
}


class LocalFiles(Files):
    """See `Files`; the folder is made by the first write."""

    def __init__(self, folder: str) -> None:
        self._home = Path(folder).expanduser().absolute()
        self._root = self._home / LAYOUT
        self.url = str(self._home)
        self._check_folder()

    def create(self, path: str, body: bytes) -> bool:
        target = self._place(path)
        with self._plain_errors(path), _temporary(target, body) as temporary:
            try:
                os.link(temporary, target)
            except FileExistsError:
                return False
            _sync_folder(target.parent)
            return True

    def replace(self, path: str, body: bytes) -> None:
        target = self._place(path)
        with self._plain_errors(path), _temporary(target, body) as temporary:
            os.replace(temporary, target)
            _sync_folder(target.parent)

    def read(self, path: str) -> bytes:
        target = self._place(path)
        with self._plain_errors(path):
            return target.read_bytes()

    def open_input(self, path: str) -> pa.NativeFile:
        target = self._place(path)
        with self._plain_errors(path):
            return pa.OSFile(str(target), "rb")

    def exists(self, path: str) -> bool:
        target = self._place(path)
        with self._plain_errors(path):
            return target.is_file()

    def list(self, prefix: str) -> list[Entry]:
        folder = self._place(prefix.rstrip("/")) if prefix else self._root
        with self._plain_errors(prefix or LAYOUT):
            return sorted(_entries(folder, self._root), key=lambda entry: entry.path)

    def names(self, prefix: str) -> Sequence[str]:
        folder = self._place(prefix.rstrip("/")) if prefix else self._root
        with self._plain_errors(prefix or LAYOUT):
            return list(_paths(folder, self._root))

    def unfinished(self) -> Sequence[Entry]:
        with self._plain_errors(LAYOUT):
            return sorted(_entries(self._root, self._root, hidden=True), key=lambda entry: entry.path)

    def delete(self, path: str) -> None:
        folder, _, name = path.rpartition("/")
        target = self._place(folder) / name if _is_temporary(name) else self._place(path)
        with self._plain_errors(path):
            target.unlink(missing_ok=True)

    def _place(self, path: str) -> Path:
        return self._root / checked(path)

    def _check_folder(self) -> None:
        """See that the folder is there or can be made.

        Raises:
            InputError: it, or one of those above it, is something else.
        """
        there = next((place for place in (self._root, *self._root.parents) if os.path.lexists(place)), None)
        if there is not None and not os.path.isdir(there):
            home, place = shown(self.url, 200), shown(str(there), 200)
            raise InputError(f"there can be no store at {home}: {place} is no folder; name a folder in GLAN_STORE")

    @contextlib.contextmanager
    def _plain_errors(self, path: str) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            raise FileNotFoundError(f"{self._root / path} is not there") from error
        except OSError as error:
            reason = _REASONS.get(error.errno or 0) or os.strerror(error.errno or errno.EIO)
            raise StoreError(f"{self._root / path} cannot be used: {reason}") from error


@contextlib.contextmanager
def _temporary(target: Path, body: bytes) -> Iterator[Path]:
    """The body, safely on disk in a hidden file beside its target; gone again afterwards."""
    _make_folder(target.parent)
    temporary = target.with_name(f"{_TEMPORARY}{secrets.token_hex(8)}")
    try:
        with temporary.open("xb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


def _make_folder(folder: Path) -> None:
    """Make a folder and those above it, each durable before anything is put into it."""
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    with contextlib.suppress(FileExistsError):
        try:
            folder.mkdir()
        except FileNotFoundError as error:  # what is above it is there, so no folder can be made here: /proc
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(folder)) from error
    if not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))
    _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _entries(folder: Path, root: Path, hidden: bool = False) -> Iterator[Entry]:
    for path in _paths(folder, root, hidden):
        with contextlib.suppress(FileNotFoundError):  # removed since it was listed
            state = os.stat(root / path)
            yield Entry(path, state.st_size, datetime.datetime.fromtimestamp(state.st_mtime, datetime.UTC))


def _paths(folder: Path, root: Path, hidden: bool = False) -> Iterator[str]:
    """All files below a folder that are whole (`hidden`: those that are not yet), relative to the root."""
    for place, _, names in os.walk(folder, onerror=_unless_absent):
        below = "" if place == str(root) else f"{Path(place).relative_to(root).as_posix()}/"
        yield from (below + name for name in names if (_is_temporary(name) if hidden else not name.startswith(".")))


def _is_temporary(name: str) -> bool:
    return name.startswith(_TEMPORARY)


def _unless_absent(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error
