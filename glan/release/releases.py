"""What a release folder says of itself, and what the releases of a store hold.

`_plan.json` is written first and fixes what the release is made from; `manifest.json` is written last, and only with
it the release exists. Both are written once.
"""

import datetime
import io
import json
import re
from collections.abc import Iterable, Iterator
from math import inf
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from glan.checks import HTTPS, LICENCE, Language
from glan.errors import InputError, StoreError
from glan.names import shown
from glan.release.formats import USUAL, Format, kinds
from glan.release.requirements import Requirements
from glan.release.sheet import LEVELS, Apart, Node
from glan.store.files import Files

FOLDER = "releases"
MANIFEST = "manifest.json"
PLAN = "_plan.json"

_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,63}")
_ROWS_AT_A_TIME = 10_000
_RESTORE = "restore it from a backup, or remove the folder of the release"

HELD = pa.schema([("discipline_id", pa.string()), ("question_id", pa.string())])
HELD_OUT = pa.schema(
    [*HELD, *((name, pa.string()) for name in ("subject", "other_subject")), ("key_concepts", pa.list_(pa.string()))]
)

_Document = TypeVar("_Document", bound=BaseModel)


class ReleaseOptions(BaseModel):
    """How kept rows become a release: its files, its splits, and how much each node of the tree gives."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    formats: tuple[Format, ...] = Field(
        default=USUAL, min_length=1, description="kinds of files, and shapes beside messages; all hold the same rows"
    )
    test: int | None = Field(
        default=None,
        ge=0,
        description="rows of each discipline, in each language, that are held out; null: 50, but at most a tenth of it",
    )
    apart: Apart = Field(
        default="concepts",
        description="what the held-out rows share with no other: concept set; beside it session or subject",
    )
    validation: float = Field(
        default=0.01, ge=0, lt=1, description="share of the other rows' concept sets that are for validation"
    )
    rows: int | None = Field(default=None, ge=1, description="rows of train and validation in all; null: all there are")
    languages: tuple[Language, ...] = Field(
        default=(), description="ISO 639 codes: rows that were asked for in one of these; empty: in any"
    )
    balance: Node | None = Field(
        default=None,
        description="let each node of this level, or each language, difficulty or type, give the same number of rows; null: what there is",
    )
    weights: dict[str, float] = Field(
        default_factory=dict,
        description="by field, sub-field or discipline id (balanced by something else: by its names): how many times as many rows "
        "its nodes give as others (0: none, in no split)",
    )
    license: str = Field(
        default="",
        max_length=100,
        pattern=LICENCE,
        description="licence of the data, by the Hub's name (cc-by-4.0) or with `license_link`; empty: none is stated",
    )
    license_link: str = Field(
        default="", max_length=300, pattern=HTTPS, description="where its text is; empty: nowhere"
    )
    require: Requirements = Field(default=Requirements(), description="bounds that stop the release")

    @field_validator("languages")
    @classmethod
    def _name_each_once(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(sorted(set(value)))

    @field_validator("weights")
    @classmethod
    def _check_weights(cls, value: dict[str, float]) -> dict[str, float]:
        for name, weight in value.items():
            if not 0 <= weight < inf:
                raise ValueError(f"the weight of {shown(name)} must be a number from 0")
        return value

    @property
    def samples(self) -> bool:
        """Whether not all rows are taken."""
        return self.rows is not None or self.balance is not None or bool(self.weights)

    @property
    def weights_in_tree(self) -> dict[str, float]:
        """The weights of fields, sub-fields and disciplines; none where the weights are of something else."""
        return self.weights if self.balance is None or self.balance in LEVELS else {}


class ReleasePlan(BaseModel):
    """What a release is made from; the same plan always makes the same bytes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    release: str
    snapshot: int
    disciplines: tuple[str, ...] | None = Field(description="ids; null: all that the snapshot names")
    options: ReleaseOptions = ReleaseOptions()
    after: tuple[str, ...] = Field(default=(), description="earlier releases, whose held-out rows are held out again")
    source: str = Field(description="digest of the instruction units that the release is made from")
    conversations: bool = Field(default=False, description="whether rows may hold more than one question and answer")
    glan_version: str
    run_id: str
    created_at: datetime.datetime


class ReleaseFile(BaseModel):
    """One file of a release."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str = Field(description="below the release's folder")
    rows: int | None = Field(default=None, description="null: not a data file")
    size: int
    sha256: str


class ReleaseManifest(ReleasePlan):
    """A finished release: its plan, its files and what was left out."""

    rows: int
    splits: dict[str, int] = Field(default_factory=dict, description="rows by split")
    left_out: int = Field(
        default=0, description="kept rows that share what rows held out here or earlier must not share"
    )
    not_sampled: int = Field(default=0, description="kept rows beyond the number asked for")
    rejected: int
    rejected_by_reason: dict[str, int] = Field(description="a row may have several reasons")
    files: tuple[ReleaseFile, ...]
    already_published: bool = Field(default=False, exclude=True, description="it was there before this call")


def folder(release: str) -> str:
    """The release's folder, below the layout root.

    Raises:
        InputError: the name cannot name a folder.
    """
    if not _NAME.fullmatch(release) or ".." in release:
        raise InputError(
            f"'{shown(release)}' cannot name a release: use a-z, 0-9, single dots and hyphens, at most 64, no dot first"
        )
    return f"{FOLDER}/{release}"


def find(files: Files, release: str) -> ReleaseManifest | None:
    """The manifest of a finished release; None if there is none of this name or it was never finished."""
    return _document(files, f"{folder(release)}/{MANIFEST}", ReleaseManifest)


def begun(files: Files, release: str) -> ReleasePlan | None:
    """The plan of a release, finished or not."""
    return _document(files, f"{folder(release)}/{PLAN}", ReleasePlan)


def finished(files: Files) -> list[ReleaseManifest]:
    """All finished releases, by name."""
    paths = [entry.path for entry in files.list(FOLDER)]
    names = [path.split("/")[1] for path in paths if path.count("/") == 2 and path.endswith(f"/{MANIFEST}")]
    return [manifest for name in names if (manifest := find(files, name)) is not None]


def named(paths: Iterable[str]) -> list[str]:
    """The releases, finished or only begun, that files at these paths are of."""
    return sorted({path.split("/")[1] for path in paths if path.count("/") > 1})


def held_by_release(files: Files) -> pa.RecordBatchReader:
    """`discipline_id` and `question_id` of every row of every finished release, as a stream.

    A row that several releases hold comes several times. Curation lets these rows survive, so that what was once
    given out stays accepted.
    """
    return pa.RecordBatchReader.from_batches(HELD, _held(files))


def _held(files: Files) -> Iterator[pa.RecordBatch]:
    for manifest in finished(files):
        for file in rows_once(manifest):
            yield from _columns(files, f"{folder(manifest.release)}/{file.path}", HELD)


def rows_once(manifest: ReleaseManifest, split: str = "") -> list[ReleaseFile]:
    """The files of one kind, which hold each row once; of one split, or of all."""
    kind = kinds(manifest.options.formats, manifest.conversations)[0]
    begin, end = f"{kind.shape.folder}/{split}", f".{kind.ending}"
    return [file for file in manifest.files if file.path.startswith(begin) and file.path.endswith(end)]


def held_out(files: Files, names: Iterable[str]) -> Iterator[dict[str, Any]]:
    """The rows that these releases hold out, with the columns of `HELD_OUT`; one that several do comes several times."""
    for name in names:
        if (manifest := find(files, name)) is not None:
            for file in rows_once(manifest, "test-"):
                for batch in _columns(files, f"{folder(name)}/{file.path}", HELD_OUT):
                    yield from batch.to_pylist()


def _columns(files: Files, path: str, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """The columns of a file that the manifest of a release names.

    Raises:
        StoreError: it is gone or damaged.
    """
    try:
        if path.endswith(".parquet"):
            with pq.ParquetFile(files.open_input(path)) as parquet:
                for batch in parquet.iter_batches(_ROWS_AT_A_TIME, columns=schema.names):
                    yield batch.select(schema.names)
        else:
            rows = [json.loads(line) for line in io.BytesIO(files.read(path))]
            yield pa.RecordBatch.from_pylist(
                [{name: row[name] for name in schema.names} for row in rows], schema=schema
            )
    except FileNotFoundError as error:
        raise StoreError(f"{path} is not in {files.url}, though its release names it; {_RESTORE}") from error
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(f"{path} in {files.url} is damaged; {_RESTORE}") from error


def _document(files: Files, path: str, kind: type[_Document]) -> _Document | None:
    try:
        body = files.read(path)
    except FileNotFoundError:
        return None
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        raise StoreError(f"{path} is damaged or was written by another version of glan") from error
