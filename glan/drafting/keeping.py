"""Drafts and reviews in the store, under `_inputs/taxonomy/`; a version of the taxonomy leads back to its review."""

import re
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from glan.drafting.documents import Draft
from glan.drafting.review import Review
from glan.errors import InputError, StoreError
from glan.keys import canonical
from glan.names import shown
from glan.store import inputs, taxonomies
from glan.store.files import Files

_REVIEW = "review-"
_DIGEST = re.compile("[0-9a-f]{64}")
_Kept = TypeVar("_Kept", bound=BaseModel)


def keep_draft(files: Files, draft: Draft) -> str:
    """Keep a draft; the digest under which it is found."""
    inputs.keep(files, "taxonomy", draft.digest, "json", canonical(draft.model_dump(mode="json")).decode())
    return draft.digest


def kept_draft(files: Files, digest: str) -> Draft:
    """A draft that was kept.

    Raises:
        InputError: there is none of this digest.
        StoreError: it is damaged, or was written by another version of glan.
    """
    if not _DIGEST.fullmatch(digest):
        raise InputError(f"`{shown(digest)}` is not the digest of a draft, which has 64 hexadecimal digits")
    try:
        return _read(files, digest, Draft)
    except FileNotFoundError:
        raise InputError(f"there is no draft `{digest}` in {files.url}; name the store it was made in") from None


def keep_review(files: Files, review: Review) -> str:
    """Keep the record of a review; its name, which the version that follows from it carries as `run_id`."""
    name = f"{_REVIEW}{review.digest}"
    inputs.keep(files, "taxonomy", name, "json", canonical(review.model_dump(mode="json")).decode())
    return name


def review_path(review: Review) -> str:
    """The object that holds the record of a review."""
    return _path(f"{_REVIEW}{review.digest}")


def review_of(files: Files, version: int) -> Review | None:
    """Who decided on a version, by which criteria; None if it did not come from a review.

    Raises:
        StoreError: there is no such version, or its record is gone or damaged.
    """
    names = set(taxonomies.at(files, version)["run_id"].to_pylist())
    name = next((name for name in names if name and name.startswith(_REVIEW)), None)
    if name is None:
        return None
    try:
        return _read(files, name, Review)
    except FileNotFoundError:
        raise StoreError(f"version {version} of the taxonomy names {name}, which is not in {files.url}") from None


def _read(files: Files, name: str, kind: type[_Kept]) -> _Kept:
    path = _path(name)
    try:
        return kind.model_validate_json(files.read(path))
    except ValidationError as error:
        raise StoreError(f"{path} in {files.url} is damaged or was written by another version of glan") from error


def _path(name: str) -> str:
    return inputs.path("taxonomy", name, "json")
