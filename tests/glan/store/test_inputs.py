"""Inputs: kept by digest."""

from glan.store import inputs
from glan.store.files import Files


def test_an_input_is_kept_once_by_its_digest(store_url: str) -> None:
    files = Files.open(store_url)
    for _ in range(2):
        inputs.keep(files, "prompts", "0a1b", "md", "Name the subjects of {{ discipline }} – all.")
    inputs.keep(files, "config", "0a1b", "json", "{}")
    assert [entry.path for entry in files.list("_inputs")] == ["_inputs/config/0a1b.json", "_inputs/prompts/0a1b.md"]
    assert files.read("_inputs/prompts/0a1b.md").decode() == "Name the subjects of {{ discipline }} – all."
