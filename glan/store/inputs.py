"""What runs were made from, kept by digest, so that the prompt of any row can be rendered again."""

from typing import Literal

from glan.store.files import Files

Kind = Literal["prompts", "config", "taxonomy", "benchmarks"]


FOLDER = "_inputs"


def folder_of(kind: Kind) -> str:
    """Where texts of a kind are kept."""
    return f"{FOLDER}/{kind}"


def path(kind: Kind, digest: str, suffix: str) -> str:
    """Where a text of this digest is kept."""
    return f"{folder_of(kind)}/{digest}.{suffix}"


def keep(files: Files, kind: Kind, digest: str, suffix: str, body: str) -> None:
    """Keep a text by its digest; nothing happens if it is kept already."""
    files.create(path(kind, digest, suffix), body.encode())
