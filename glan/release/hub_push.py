"""One push of a release to a dataset on the Hub: files that nobody sees yet, then a commit that names them all, then a tag.

Whatever is done already, by an earlier attempt or an earlier release, is found there and not done again.
"""

import datetime
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi
from huggingface_hub.errors import RemoteEntryNotFoundError
from huggingface_hub.hf_api import GitRefs, RepoFile
from pydantic import BaseModel, ValidationError

from glan.errors import InputError, StoreError
from glan.names import shown
from glan.release.releases import MANIFEST, ReleaseFile, ReleaseManifest, folder
from glan.store.files import Files

AT_A_TIME = 256 * 2**20
"""Bytes of files that are read before they are sent, unless one alone is larger; this bounds memory."""

MAIN = "main"

_SENDERS = 4
_OF_THE_HUB = frozenset({".gitattributes", "README.md"})  # what it puts into a new dataset itself


class _File(BaseModel):
    path: str


class _Held(BaseModel):
    """What is needed of the manifest of a release that is there, whichever version of glan wrote it."""

    release: str
    created_at: datetime.datetime
    files: list[_File]


@dataclass(frozen=True)
class Push:
    """A release on its way to a branch of a dataset, `url` for people."""

    api: HfApi
    url: str
    repository: str
    branch: str
    files: Files
    manifest: ReleaseManifest

    def run(self, public: bool) -> int:
        """Push what is not there yet; how many files the release has, 0 if all of it was there.

        Raises:
            InputError: the dataset holds something that must not be replaced.
        """
        if self.branch == self._release:
            raise InputError(
                f"{self.url}: a branch cannot be named like the release, which becomes a tag; name another branch"
            )
        self.api.create_repo(self.repository, repo_type="dataset", private=not public, exist_ok=True)
        tags = {ref.name for ref in self._refs().tags}
        if self._release in tags:
            self._see_that_it_is_this(self._manifest_at(self._release))
            return 0
        head = self._head()
        there = self._listed(head)
        held = self._held(head, there)
        if held is not None and held.release not in {self._release, *tags}:
            self._tag(held.release, head)
        gone = sorted({file.path for file in held.files} & there.keys() - self._paths) if held else []
        self._tag(self._release, self._commit(head, there, gone))
        return len(self._paths)

    @property
    def _release(self) -> str:
        return self.manifest.release

    @cached_property
    def _paths(self) -> frozenset[str]:
        return frozenset({MANIFEST, *(file.path for file in self.manifest.files)})

    @cached_property
    def _whole(self) -> bytes:
        return self._read(MANIFEST)

    def _read(self, path: str) -> bytes:
        return self.files.read(f"{folder(self._release)}/{path}")

    def _refs(self) -> GitRefs:
        return self.api.list_repo_refs(self.repository, repo_type="dataset")

    def _head(self) -> str:
        """The commit that the branch ends with; the branch is made if it is not there."""
        heads = {ref.name: ref.target_commit for ref in self._refs().branches}
        if self.branch not in heads:
            self.api.create_branch(self.repository, repo_type="dataset", branch=self.branch)
            heads = {ref.name: ref.target_commit for ref in self._refs().branches}
        return heads[self.branch]

    def _listed(self, revision: str) -> dict[str, RepoFile]:
        listed = self.api.list_repo_tree(self.repository, repo_type="dataset", revision=revision, recursive=True)
        return {one.path: one for one in listed if isinstance(one, RepoFile)}

    def _held(self, head: str, there: dict[str, RepoFile]) -> _Held | None:
        """The release that the branch holds, if it may be replaced; None if it holds nothing."""
        body = self._manifest_at(head) if MANIFEST in there else None
        try:
            held = _Held.model_validate_json(body) if body else None
        except ValidationError:
            held = None
        if held is None:
            if there.keys() - _OF_THE_HUB:
                raise InputError(f"{self.url} holds files that are not of a release of glan; name another dataset")
        elif held.release == self._release:
            self._see_that_it_is_this(body)
        elif self.branch == MAIN and held.created_at > self.manifest.created_at:
            raise InputError(
                f"{self.url} holds the newer release {shown(held.release)}; push an older one to a branch of its own, "
                f"hf://datasets/{self.repository}@BRANCH"
            )
        return held

    def _manifest_at(self, revision: str) -> bytes | None:
        with tempfile.TemporaryDirectory(prefix="glan-hub-") as scratch:
            try:
                path = self.api.hf_hub_download(
                    self.repository, MANIFEST, repo_type="dataset", revision=revision, local_dir=scratch
                )
            except RemoteEntryNotFoundError:
                return None
            return Path(path).read_bytes()

    def _see_that_it_is_this(self, there: bytes | None) -> None:
        if there != self._whole:
            raise InputError(
                f"{self.url} has something else under the name {self._release}, and a release never changes; publish "
                "under another name, or name another dataset"
            )

    def _commit(self, head: str, there: dict[str, RepoFile], gone: list[str]) -> str:
        """Everything in one commit, which is refused if another came in between; its id."""
        changed = [file for file in self.manifest.files if not _is_same(file, there.get(file.path))]
        additions = [addition for some in _portions(changed) for addition in self._uploaded(some)]
        commit = self.api.create_commit(
            self.repository,
            [
                *additions,
                CommitOperationAdd(MANIFEST, self._whole),
                *(CommitOperationDelete(path, is_folder=False) for path in gone),
            ],
            commit_message=f"Release {self._release}",
            commit_description=f"{self.manifest.rows:,} rows, made by glan {self.manifest.glan_version}",
            repo_type="dataset",
            revision=self.branch,
            parent_commit=head,
        )
        return commit.oid

    def _uploaded(self, some: Iterable[ReleaseFile]) -> list[CommitOperationAdd]:
        """These files: large ones are on the Hub by then and no longer in memory, small ones travel with the commit."""
        additions = []
        for file in some:
            addition = CommitOperationAdd(file.path, self._read(file.path))
            if addition.upload_info.sha256.hex() != file.sha256:
                raise StoreError(f"{file.path} of the release {self._release} is damaged; see `glan verify`")
            additions.append(addition)
        self.api.preupload_lfs_files(
            self.repository, additions, repo_type="dataset", revision=self.branch, num_threads=_SENDERS
        )
        return additions

    def _tag(self, name: str, commit: str) -> None:
        self.api.create_tag(self.repository, repo_type="dataset", tag=name, revision=commit)


def _is_same(file: ReleaseFile, there: RepoFile | None) -> bool:
    """Whether a large file is on the branch as it is; small ones are compared by the client."""
    return there is not None and there.lfs is not None and there.lfs.sha256 == file.sha256


def _portions(wanted: Iterable[ReleaseFile]) -> Iterator[list[ReleaseFile]]:
    """Files in their order, some at a time."""
    some: list[ReleaseFile] = []
    for file in wanted:
        if some and sum(one.size for one in some) + file.size > AT_A_TIME:
            yield some
            some = []
        some.append(file)
    if some:
        yield some
