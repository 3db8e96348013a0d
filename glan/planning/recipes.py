"""How things are to be made: as a person says, else as the last run in the store made them, by today's settings."""

from glan.config import RunConfig, Selection
from glan.curation import benchmarks, embedding
from glan.prompts import Prompts
from glan.settings import Settings
from glan.stages.shared.recipe import Recipe
from glan.store import runs
from glan.store.store import Store


def recipe_of(config: RunConfig, settings: Settings) -> Recipe:
    """How a run would make things on this machine today: models, prompts, benchmarks as the settings and files are.

    Raises:
        InputError: a model is not named, a prompt is wrong, or a benchmark or an embedding model cannot be read.
    """
    named = settings.resolved(config)
    return Recipe(embedding.resolved(benchmarks.resolved(named)), Prompts.load(settings.prompts))


def last_config(store: Store, settings: Settings) -> RunConfig | None:
    """What the run that was started last was to make, with today's models where it left them to the settings.

    Its benchmarks are those that it read, whether or not their files are still there. A model that no setting names
    today is the one of that run. None if no run is on record.

    Raises:
        StoreError: a record is damaged, or was written by another version of glan.
    """
    record = runs.last(store.files)
    if record is None:
        return None
    made = runs.config_of(store.files, record)
    given = runs.given_of(store.files, record).model_copy(update={"curation": made.curation})
    return settings.resolved(given, otherwise=made.models)


def base_config(given: RunConfig | None, store: Store, settings: Settings) -> RunConfig:
    """How to go on: as the configuration given, else as the last run in the store, else as the paper.

    Which disciplines the last run was for, what it might spend and whom it waited for is not taken over.
    """
    if given is not None:
        return given
    store.begun()
    fresh = RunConfig()
    own = {name: getattr(fresh, name) for name in (*Selection.model_fields, "budget", "on_busy")}
    return (last_config(store, settings) or fresh).model_copy(update=own)
