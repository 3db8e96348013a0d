"""What `verify` reports: each thing that is not as it has to be, and what a person does about it."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["missing", "damaged", "foreign", "altered", "schema", "counts", "duplicate", "orphan", "mixed", "lost"]

RESTORED = "restore it from a backup"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong.

    `missing` is named and not there; `damaged` cannot be read; `foreign` is something else than its name says;
    `altered` is not what was written; `schema` has other columns; `counts` do not add up; `duplicate` is there twice;
    `orphan` has no parent; `mixed` contradicts what it was made from; `lost` are calls or inputs that rows rest on.
    """

    kind: Kind
    path: str
    """Below the layout root."""

    problem: str
    remedy: str
