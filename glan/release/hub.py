"""A dataset on the Hugging Face Hub as a place for releases: its address, who may write there, and patience with the Hub.

The branch holds the newest release alone; each older one stays under its tag (see `hub_push`).
"""

import logging
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import httpx2

from glan.errors import GlanError, InputError, StoreError
from glan.names import shown
from glan.release.releases import ReleaseManifest
from glan.store.files import Files

if TYPE_CHECKING:
    from huggingface_hub import HfApi

WAITS: Sequence[float] = (1, 4, 15)
"""Seconds between attempts while the Hub cannot be reached, is busy, or is changed by others."""

_MAY_PASS = frozenset({408, 412, 429, 500, 502, 503, 504})  # 412: another commit came in between
_LONGEST = 200

_Result = TypeVar("_Result")


@dataclass(frozen=True)
class HubDataset:
    """A dataset and a branch of it. The token is that of HF_TOKEN, or of `hf auth login`."""

    url: str
    repository: str
    branch: str
    public: bool = False
    """Whether everybody may read it, if it is made now; one that is there stays as it is."""

    @classmethod
    def of(cls, url: str, public: bool = False) -> "HubDataset":
        """The dataset at `hf://datasets/OWNER/NAME` or `hf://datasets/OWNER/NAME@BRANCH`; the Hub is not asked yet.

        Raises:
            InputError: the address is not of this form, or huggingface_hub is not installed.
        """
        try:
            from huggingface_hub import parse_hf_uri
        except ImportError:
            raise InputError(
                "a push to the Hugging Face Hub needs huggingface_hub, which is not installed: pip install 'glan[hub]'"
            ) from None
        told = f"{shown(url, _LONGEST)} is no dataset on the Hub"
        try:
            uri = parse_hf_uri(url.rstrip("/"))
        except ValueError:
            raise InputError(f"{told}: write hf://datasets/OWNER/NAME, or hf://datasets/OWNER/NAME@BRANCH") from None
        if uri.type != "dataset" or uri.path_in_repo:
            raise InputError(f"{told}: a release fills a whole one, hf://datasets/OWNER/NAME")
        if "/" in (uri.revision or ""):
            raise InputError(f"{told}: after the @ stands a branch, whose name has no slash")
        return cls(url.rstrip("/"), uri.id, uri.revision or "main", public)

    def check(self) -> None:
        """See that a release can be pushed there; nothing is changed.

        Raises:
            InputError: there is no token, or it may not write there.
            StoreError: the Hub cannot be asked.
        """
        with self._told("the Hugging Face Hub cannot be asked about", "nothing was published"):
            _patiently(lambda: self._check(_api()))

    def copy(self, files: Files, manifest: ReleaseManifest) -> int:
        """Push what is not there yet; how many files the release has, 0 if all of it was there.

        Raises:
            InputError: the dataset holds something that must not be replaced, or the token may not write.
            StoreError: a file cannot be read, or the push broke off.
        """
        from glan.release.hub_push import Push

        def push() -> int:
            return Push(_api(), self.url, self.repository, self.branch, files, manifest).run(self.public)

        with self._told("the push broke off on its way to", "publish again to go on"):
            return _patiently(push)

    def _check(self, api: "HfApi") -> None:
        from huggingface_hub.errors import RepositoryNotFoundError

        who = api.whoami()
        try:
            api.auth_check(self.repository, repo_type="dataset", write=True)
        except RepositoryNotFoundError:  # it is to be made
            owner = self.repository.partition("/")[0]
            if owner not in _namespaces(who):
                raise InputError(
                    f"{self.url} cannot be made: HF_TOKEN is a token of {shown(who['name'])}, who does not belong to "
                    f"{owner}; set it to one of {owner}, or name another dataset"
                ) from None
            if _role(who) == "read":
                raise InputError(
                    f"{self.url} cannot be made: HF_TOKEN may only read; set it to a token that may write"
                ) from None

    @contextmanager
    def _told(self, trouble: str, then: str) -> Iterator[None]:
        """Turn whatever goes wrong at the Hub into one sentence, in which no token can stand."""
        from huggingface_hub.errors import HfHubHTTPError

        try:
            yield
        except GlanError:
            raise
        except Exception as error:  # the client, its HTTP library and Xet each have errors of their own
            reason = _reason(error)
            if isinstance(error, HfHubHTTPError) and error.response.status_code in (401, 403):
                raise InputError(
                    f"the Hugging Face Hub refuses HF_TOKEN for {self.url} ({reason}); set it to a token that may write "
                    "there"
                ) from None
            raise StoreError(f"{trouble} {self.url}: {reason}; {then}") from None


def _namespaces(who: dict[str, Any]) -> set[str]:
    """The names below which somebody may own datasets."""
    return {who["name"], *(one["name"] for one in who.get("orgs") or ())}


def _role(who: dict[str, Any]) -> str | None:
    """What a token is for: read, write, or what it says in detail."""
    role: str | None = ((who.get("auth") or {}).get("accessToken") or {}).get("role")
    return role


def _api() -> "HfApi":
    """A client with this machine's token, which says nothing by itself.

    Raises:
        InputError: there is no token.
    """
    from huggingface_hub import HfApi, get_token
    from huggingface_hub.utils.tqdm import disable_progress_bars

    disable_progress_bars()
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)  # its warnings tell addresses that are signed
    token = get_token()
    if not token:
        raise InputError(
            "the Hugging Face Hub needs a token that may write, and there is none: set HF_TOKEN, or log in by "
            "`hf auth login`"
        )
    return HfApi(endpoint=os.environ.get("HF_ENDPOINT") or None, token=token, library_name="glan")


def _patiently(attempt: Callable[[], _Result]) -> _Result:
    """Try again while what goes wrong may pass; each attempt goes on from what is there."""
    for wait in WAITS:
        try:
            return attempt()
        except Exception as error:
            if not any(_may_pass(one) for one in _causes(error)):
                raise
        time.sleep(wait)
    return attempt()


def _may_pass(error: BaseException) -> bool:
    from huggingface_hub.errors import HfHubHTTPError

    if isinstance(error, HfHubHTTPError):
        return error.response.status_code in _MAY_PASS
    return isinstance(error, httpx2.TransportError)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error, and what it was raised from."""
    found: BaseException | None = error
    while found is not None:
        yield found
        found = found.__cause__


def _reason(error: BaseException) -> str:
    """What went wrong at the bottom: of an answer of the Hub its code and its own words."""
    from huggingface_hub import get_token
    from huggingface_hub.errors import HfHubHTTPError

    *_, last = (one for one in _causes(error) if not isinstance(one, httpx2.HTTPStatusError))
    said = str(last) or type(last).__name__
    if isinstance(last, HfHubHTTPError):
        said = f"{last.response.status_code} {last.server_message or last.response.reason_phrase}"
    token = get_token()
    return shown(" ".join((said.replace(token, "…") if token else said).split()), _LONGEST).rstrip(".")
