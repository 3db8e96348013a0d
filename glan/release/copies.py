"""A finished release -> the same folder somewhere else: any address that fsspec knows, such as a bucket or the Hub."""

import hashlib
import re
from dataclasses import dataclass
from typing import Any

import fsspec

from glan.errors import InputError, StoreError
from glan.names import shown
from glan.release.releases import ReleaseManifest, folder
from glan.store.files import Files

MANIFEST = "manifest.json"
_WITH_PASSWORD = re.compile(r"://[^/]*@")


@dataclass(frozen=True)
class Destination:
    """A folder elsewhere. Credentials come from the environment, as its filesystem expects them."""

    url: str
    system: Any
    root: str

    @classmethod
    def of(cls, url: str) -> "Destination":
        """The folder at this address; nothing is read or written yet.

        Raises:
            InputError: it is not an address that can be written to from here.
        """
        if _WITH_PASSWORD.search(url):
            raise InputError("the address of a copy must hold no user or password; give them by the environment")
        try:
            system, root = fsspec.core.url_to_fs(url)
        except (ImportError, ValueError) as error:
            reason = " ".join(str(error).split()).rstrip(".")
            raise InputError(f"{shown(url, 200)} cannot be written to: {shown(reason, 200)}") from error
        if not root.strip("/"):
            raise InputError(f"{shown(url, 200)} names no folder to copy the release to")
        return cls(url.rstrip("/"), system, root.rstrip("/"))


def copy(files: Files, manifest: ReleaseManifest, to: Destination) -> int:
    """Copy what is not there yet, the manifest last; how many files were written.

    A copy that was cut off is finished by copying again. Each file is compared by its digest.

    Raises:
        InputError: another release is there already.
        StoreError: a file cannot be read or written.
    """
    place = folder(manifest.release)
    whole = files.read(f"{place}/{MANIFEST}")
    try:
        there = _read(to, MANIFEST)
        if there is not None and there != whole:
            raise InputError(
                f"{shown(to.url, 200)} holds another release; a release never changes, so name another folder"
            )
        written = 0
        for file in manifest.files:
            body = _read(to, file.path)
            if body is None or hashlib.sha256(body).hexdigest() != file.sha256:
                _write(to, file.path, files.read(f"{place}/{file.path}"))
                written += 1
        if there is None:
            _write(to, MANIFEST, whole)
            written += 1
        return written
    except InputError:
        raise
    except Exception as error:  # each filesystem has errors of its own
        reason = shown(" ".join(str(error).split()), 200) or type(error).__name__
        raise StoreError(f"the copy to {shown(to.url, 200)} broke off: {reason}; publish again to go on") from error


def _read(to: Destination, path: str) -> bytes | None:
    try:
        return bytes(to.system.cat_file(f"{to.root}/{path}"))
    except FileNotFoundError:
        return None


def _write(to: Destination, path: str, body: bytes) -> None:
    whole = f"{to.root}/{path}"
    to.system.makedirs(whole.rpartition("/")[0], exist_ok=True)
    to.system.pipe_file(whole, body)
