"""A release and its copy somewhere else: a dataset on the Hugging Face Hub, or the same folder wherever fsspec can write."""

import hashlib
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Protocol

import fsspec

from glan.clock import Clock
from glan.errors import InputError, StoreError
from glan.names import shown
from glan.release.hub import HubDataset
from glan.release.publish import publish
from glan.release.releases import MANIFEST, ReleaseManifest, ReleaseOptions, folder
from glan.store.files import LAYOUT, Files
from glan.store.store import Store

_WITH_PASSWORD = re.compile(r"://[^/]*@")


class Destination(Protocol):
    """Where a release can be copied to. Credentials come from the environment, never from the address."""

    @property
    def url(self) -> str: ...

    def check(self) -> None:
        """See what can be seen before there is a release.

        Raises:
            InputError: it could not be copied there.
            StoreError: the place cannot be reached.
        """

    def copy(self, files: Files, manifest: ReleaseManifest) -> int:
        """Copy what is not there yet; how many files, 0 if the whole release was there.

        A copy that was cut off is finished by copying again.

        Raises:
            InputError: another release is there already, or it must not be written there.
            StoreError: a file cannot be read or written.
        """


def publish_and_copy(
    store: Store,
    release: str,
    to: str,
    public: bool,
    *,
    disciplines: Collection[str] | None,
    options: ReleaseOptions,
    run_id: str,
    clock: Clock,
) -> tuple[ReleaseManifest, int]:
    """Publish a release, and copy it if it is wanted elsewhere too: how many files were copied.

    Args:
        to: the address of the copy; empty: none is wanted.
        public: see `destination`.

    Raises:
        InputError: it could not be copied, and nothing is published; or see `publish` and `Destination.copy`.
        StoreError: the place cannot be reached, and nothing is published; or see `Destination.copy`.
    """
    if public and not to:
        raise InputError("it is a copy on the Hub that may be public: name it with --to (in the form: `to`)")
    elsewhere = destination(to, public) if to else None
    if elsewhere:
        if isinstance(elsewhere, Folder) and elsewhere.lies_in(store.files.url):
            raise InputError(f"{shown(elsewhere.url, 200)} lies in the store itself; name a folder elsewhere")
        elsewhere.check()
    manifest = publish(store, release, disciplines=disciplines, options=options, run_id=run_id, clock=clock)
    return manifest, elsewhere.copy(store.files, manifest) if elsewhere else 0


def destination(url: str, public: bool = False) -> Destination:
    """The place at an address; nothing is read or written yet.

    Args:
        public: whether everybody may read a dataset on the Hub that is made for it.

    Raises:
        InputError: it is not an address that can be written to from here.
    """
    if _WITH_PASSWORD.search(url):
        raise InputError("the address of a copy must hold no user or password; give them by the environment")
    if url.startswith("hf://") and not url.startswith("hf://buckets/"):
        return HubDataset.of(url, public)
    if public:
        raise InputError("only a dataset on the Hub can be made public by glan: hf://datasets/OWNER/NAME")
    return Folder.of(url)


@dataclass(frozen=True)
class Folder:
    """A folder on any filesystem that fsspec knows. Its manifest comes last, and each file is compared by its digest."""

    url: str
    system: Any
    root: str

    @classmethod
    def of(cls, url: str) -> "Folder":
        """The folder at this address.

        Raises:
            InputError: it is not an address that can be written to from here.
        """
        try:
            system, root = fsspec.core.url_to_fs(url)
        except (ImportError, ValueError) as error:
            reason = " ".join(str(error).split()).rstrip(".")
            raise InputError(f"{shown(url, 200)} cannot be written to: {shown(reason, 200)}") from error
        if not root.strip("/"):
            raise InputError(f"{shown(url, 200)} names no folder to copy the release to")
        return cls(url.rstrip("/"), system, root.rstrip("/"))

    def lies_in(self, store_url: str) -> bool:
        """Whether it is a part of this store, in which nobody else's files belong."""
        protocol = "s3" if store_url.startswith("s3://") else "file"
        same_kind = protocol in (
            [self.system.protocol] if isinstance(self.system.protocol, str) else self.system.protocol
        )
        return same_kind and f"{self.root}/".startswith(f"{store_url.removeprefix('s3://')}/{LAYOUT}/")

    def check(self) -> None:
        """What can be seen of a folder is seen by `of`."""

    def copy(self, files: Files, manifest: ReleaseManifest) -> int:
        """Copy what is not there yet."""
        place = folder(manifest.release)
        whole = files.read(f"{place}/{MANIFEST}")
        try:
            there = self._read(MANIFEST)
            if there is not None and there != whole:
                raise InputError(
                    f"{shown(self.url, 200)} holds another release; a release never changes, so name another folder"
                )
            written = 0
            for file in manifest.files:
                body = self._read(file.path)
                if body is None or hashlib.sha256(body).hexdigest() != file.sha256:
                    self._write(file.path, files.read(f"{place}/{file.path}"))
                    written += 1
            if there is None:
                self._write(MANIFEST, whole)
                written += 1
            return written
        except InputError:
            raise
        except Exception as error:  # each filesystem has errors of its own
            reason = shown(" ".join(str(error).split()), 200) or type(error).__name__
            told = f"the copy to {shown(self.url, 200)} broke off: {reason}; publish again to go on"
            raise StoreError(told) from error

    def _read(self, path: str) -> bytes | None:
        try:
            return bytes(self.system.cat_file(f"{self.root}/{path}"))
        except FileNotFoundError:
            return None

    def _write(self, path: str, body: bytes) -> None:
        whole = f"{self.root}/{path}"
        self.system.makedirs(whole.rpartition("/")[0], exist_ok=True)
        self.system.pipe_file(whole, body)
