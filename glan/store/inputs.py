"""What runs were made from, kept by digest, so that the prompt of any row can be rendered again."""

from typing import Literal

from glan.store.files import Files


def keep(files: Files, kind: Literal["prompts", "config", "taxonomy"], digest: str, suffix: str, body: str) -> None:
    """Keep a text under `_inputs/<kind>/<digest>.<suffix>`; nothing happens if it is kept already."""
    files.create(f"_inputs/{kind}/{digest}.{suffix}", body.encode())
