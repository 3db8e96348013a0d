"""The recipes of all runs on record: their configurations and the very prompts they had, from what is kept by digest."""

import functools
from collections.abc import Callable, Iterator, Mapping

from glan.config import RunConfig, Selection
from glan.curation.contamination import kept_out
from glan.errors import InputError, StoreError, StoreWeather
from glan.keys import digest
from glan.prompts import NAMES, Prompt, Prompts
from glan.stages.shared.recipe import Recipe
from glan.store import inputs, runs
from glan.store.files import Files

_ENTERS_NO_KEY = frozenset(
    {*Selection.model_fields, "budget", "on_busy", "subjects", "questions", "cross_subject_questions", "languages"}
)


def recorded(files: Files) -> list[Recipe]:
    """One for all runs whose units have the same keys; those of the latest runs first.

    A run whose inputs are gone, damaged, or were written by another version of glan, has none.
    """
    found: dict[str, Recipe] = {}
    seen: set[tuple[str, frozenset[tuple[str, str]]]] = set()  # most runs are of few configurations
    texts = functools.cache(lambda known: files.read(inputs.path("prompts", known, "md")).decode())
    shipped = Prompts.load()
    for record in sorted(runs.every(files), key=lambda one: one.started_at, reverse=True):
        made_from = record.config, frozenset(record.prompts.items())
        if made_from in seen:
            continue
        seen.add(made_from)
        try:
            config = runs.config_of(files, record)
            # A template that is newer than the run took no part in it.
            prompts = Prompts({name: shipped[name] for name in NAMES} | dict(_prompts(record.prompts, texts)))
        except StoreWeather:
            raise
        except (FileNotFoundError, UnicodeDecodeError, StoreError, InputError):
            continue
        known = digest([config.model_dump(mode="json", exclude=set(_ENTERS_NO_KEY)), record.prompts])
        found.setdefault(known, _recipe(files, config, prompts))
    return list(found.values())


def _prompts(digests: Mapping[str, str], texts: Callable[[str], str]) -> Iterator[tuple[str, Prompt]]:
    for name, one in digests.items():
        yield name, Prompt.parse(name, texts(one), f"{name}, as kept in the store")


def _recipe(files: Files, config: RunConfig, prompts: Prompts) -> Recipe:
    return Recipe(config, prompts, functools.cache(lambda: kept_out(files, config.curation)))
