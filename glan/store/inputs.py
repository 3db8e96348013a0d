"""What runs were made from, kept by digest, so that the prompt of any row can be rendered again."""

from typing import Literal

from glan.store.files import Files

Kind = Literal["prompts", "config", "taxonomy", "benchmarks"]


def path(kind: Kind, digest: str, suffix: str) -> str:
    """Where a text of this digest is kept."""
    return f"_inputs/{kind}/{digest}.{suffix}"


def keep(files: Files, kind: Kind, digest: str, suffix: str, body: str) -> None:
    """Keep a text by its digest; nothing happens if it is kept already."""
    files.create(path(kind, digest, suffix), body.encode())
