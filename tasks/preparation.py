"""RunConfig -> order: everything checked before the first call, the store made ready, inputs kept in it."""

from pathlib import Path

from glan import taxonomy
from glan.config import RunConfig, Selection
from glan.keys import canonical, digest
from glan.prompts import Prompts
from glan.settings import Settings
from glan.stages.recipe import Recipe
from glan.store import inputs, runs, taxonomies
from glan.store.runs import RunRecord
from glan.store.store import Store
from glan.taxonomy import Taxonomy
from glan.units import Scope
from tasks import wiring
from tasks.wiring import Order


def check(config: RunConfig, tree: Taxonomy) -> Recipe:
    """Check everything a run needs; nothing is written and no model is asked.

    Raises:
        InputError: settings, prices, prompts, profiles or disciplines are wrong.
    """
    settings = Settings.load()
    recipe = Recipe(settings.resolved(config), Prompts.load(settings.prompts))
    wiring.prices_of(settings)
    for profile in recipe.models().values():
        wiring.endpoint_of(settings)(profile)
    tree.select(**config.selectors())
    return recipe


def prepare(config: RunConfig, run_id: str, scope: Scope = Scope()) -> Order:
    """Make the store ready for a run and keep the run's inputs in it.

    Raises:
        InputError: see `check`; nothing was written.
        StoreError: the store cannot be relied on.
    """
    store = Store.open(Settings.load().store)
    recipe = check(config, current_taxonomy(store))
    store.start()
    seed_taxonomy(store)
    config_digest = _keep(store, recipe)
    record = RunRecord(
        run_id=run_id, started_at=wiring.now(), config=config_digest, scope=scope, budget_id=config.budget.id or run_id
    )
    runs.keep(store.files, record)
    return Order(run_id=run_id, config_digest=config_digest)


def prepare_draft(config: RunConfig, run_id: str) -> Order:
    """Make the store ready for the calls of a draft of the taxonomy. No run is put on record: no data is made.

    Raises:
        InputError: see `check`; nothing was written.
        StoreError: the store cannot be relied on.
    """
    store = Store.open(Settings.load().store)
    everything = config.model_copy(update={name: [] for name in Selection.model_fields})
    recipe = check(everything, current_taxonomy(store))
    store.start()
    seed_taxonomy(store)
    return Order(run_id=run_id, config_digest=_keep(store, recipe))


def last_config(store: Store) -> RunConfig | None:
    """The configuration of the run that was started last; None if no run is on record.

    Raises:
        StoreError: a record is damaged, or was written by another version of glan.
    """
    record = runs.last(store.files)
    return runs.config_of(store.files, record) if record else None


def _keep(store: Store, recipe: Recipe) -> str:
    """Keep configuration and templates by digest under `_inputs/`; the digest of the configuration."""
    body = recipe.config.model_dump(mode="json")
    config_digest = digest(body)
    inputs.keep(store.files, "config", config_digest, "json", canonical(body).decode())
    for name in recipe.prompts.names():
        prompt = recipe.prompts[name]
        inputs.keep(store.files, "prompts", prompt.stamp.digest, "md", prompt.text)
    return config_digest


def current_taxonomy(store: Store) -> Taxonomy:
    """The highest version in the store, or the shipped one where there is none yet.

    Raises:
        StoreError: the store is somebody else's folder, or its taxonomy is damaged.
    """
    store.begun()
    latest = taxonomies.latest(store.files)
    return taxonomy.shipped() if latest is None else taxonomy.from_table(latest[1])


def seed_taxonomy(store: Store) -> None:
    """Make the shipped taxonomy version 1 of a store that has none."""
    if not taxonomies.versions(store.files):
        publish_taxonomy(store, taxonomy.shipped(), expected_latest=None)


def publish_taxonomy(store: Store, tree: Taxonomy, expected_latest: int | None) -> int:
    """Publish a version; the new version's number."""
    version = (expected_latest or 0) + 1
    return taxonomies.publish(store.files, tree.rows(version), expected_latest=expected_latest, clock=wiring.now)


def use_taxonomy(store: Store, path: Path) -> int:
    """Make a person's file the current taxonomy; the number of its version, which is the present one if it is equal."""
    tree = taxonomy.read(path)
    store.start()
    versions = taxonomies.versions(store.files)
    if versions and current_taxonomy(store).rows(0) == tree.rows(0):
        return versions[-1]
    return publish_taxonomy(store, tree, expected_latest=versions[-1] if versions else None)
