"""Create-only files below one layout root, the same on a local folder and on S3."""

import datetime
import hashlib
import re
import secrets
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from glan.checks import store_address
from glan.errors import InputError, StoreError
from glan.names import shown

LAYOUT = "v1"
PROBES = "_probe"
_AT_ONCE = 1 << 22
_SEGMENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._=-]*")


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of a listing: its path below the layout root, its size in bytes, when it was written (UTC)."""

    path: str
    size: int
    modified: datetime.datetime


class Files(ABC):
    """One folder or bucket prefix; paths are relative to `<store>/v1/` and separated by `/`.

    Passing faults are waited out here; what outlives the patience is a `StoreWeather`. Whatever waiting cannot cure
    (no permission, no space, no bucket) is a `StoreError` of one sentence at once. Safe to use from many threads.
    """

    url: str

    @staticmethod
    def open(url: str) -> "Files":
        """A store by its address, a local folder or `s3://bucket/prefix`; nothing is read or written yet.

        Credentials and endpoint of S3 come from the usual AWS_* variables.

        Raises:
            InputError: the address is not of this form.
        """
        try:
            url = store_address(url)
        except ValueError as error:
            raise InputError(f"store '{shown(url, 200)}': {error}") from None
        if url.startswith("s3://"):
            from glan.store.s3 import S3Files  # here, because importing s3fs takes a second

            return S3Files(url)
        from glan.store.local import LocalFiles

        return LocalFiles(url)

    def address(self, path: str) -> str:
        """Where any other tool finds a file: its path on this machine, or its `s3://` address."""
        return f"{self.url}/{LAYOUT}/{checked(path)}"

    @abstractmethod
    def create(self, path: str, body: bytes) -> bool:
        """Write a whole new file; once this returns it is durable. False: a file is already there, and is untouched."""

    @abstractmethod
    def replace(self, path: str, body: bytes) -> None:
        """Write a file whether or not it is there: only for what nothing rests on (leases, receipts)."""

    @abstractmethod
    def read(self, path: str) -> bytes:
        """The whole file.

        Raises:
            FileNotFoundError: there is none.
        """

    @abstractmethod
    def open_input(self, path: str) -> pa.NativeFile:
        """The file for random access, so that a few columns can be read without the rest.

        Raises:
            FileNotFoundError: there is none.
        """

    def sha256(self, path: str) -> str:
        """SHA-256 of a file of any size, read piece by piece.

        Raises:
            FileNotFoundError: there is none.
        """
        digest = hashlib.sha256()
        with self.open_input(path) as source:
            while piece := source.read(_AT_ONCE):
                digest.update(piece)
        return digest.hexdigest()

    @abstractmethod
    def exists(self, path: str) -> bool:
        """Whether the file is there."""

    @abstractmethod
    def list(self, prefix: str) -> list[Entry]:
        """All files below a folder (`""`: all there are), sorted by path; never half-written ones."""

    def names(self, prefix: str) -> Sequence[str]:
        """The paths of the same files, in any order; cheaper where a listing needs no look at each file."""
        return [entry.path for entry in self.list(prefix)]

    def unfinished(self) -> Sequence[Entry]:
        """Half-written files, which no listing shows: being written now, or left by something that was killed."""
        return ()

    @abstractmethod
    def delete(self, path: str) -> None:
        """Remove a file; nothing happens if it is not there."""

    def probe(self) -> None:
        """Make sure that a second creation of one file is refused here; everything rests on it.

        Raises:
            StoreError: it is not, or the store cannot be written.
        """
        path = f"{PROBES}/{secrets.token_hex(16)}"
        first = self.create(path, b"first")
        try:
            second = self.create(path, b"second")
        finally:
            self.delete(path)
        if not first or second:
            raise StoreError(
                f"{self.url} does not honour create-only writes (If-None-Match: *), so two runs could overwrite each "
                "other; use a store that does, such as AWS S3, SeaweedFS or a local folder"
            )


def checked(path: str) -> str:
    """The path itself if it stays below the layout root and is made of plain names.

    Raises:
        StoreError: it is absolute, climbs with `..`, or holds characters other than letters, digits and `._=-`.
    """
    if not all(_SEGMENT.fullmatch(segment) and ".." not in segment for segment in path.split("/")):
        raise StoreError(f"{path!r} is no path of the store: names of letters, digits and `._=-`, separated by `/`")
    return path
