"""RunConfig -> order: everything checked before the first call, the store made ready, inputs kept in it."""

import logging
from pathlib import Path

from glan import taxonomy
from glan.config import RunConfig, Selection
from glan.curation import benchmarks
from glan.errors import InputError, StoreError
from glan.gateway.prices import without_price
from glan.keys import canonical, digest
from glan.prompts import Prompts
from glan.settings import Settings
from glan.stages.recipe import Recipe
from glan.store import inputs, runs, taxonomies
from glan.store.runs import RunRecord
from glan.store.store import Store
from glan.taxonomy import Taxonomy
from glan.units import Scope
from tasks import checking, choices, runner, wiring
from tasks.wiring import Order


def check(config: RunConfig, tree: Taxonomy, scope: Scope = Scope()) -> Recipe:
    """Check everything a run needs; nothing is written and no model is asked.

    Raises:
        InputError: settings, prices, prompts, profiles or disciplines are wrong.
    """
    settings = Settings.load()
    runner.check(settings)
    recipe = recipe_of(config, settings)
    prices = wiring.prices_of(settings, recipe.models().values())
    for profile in recipe.models().values() if scope.asks_a_model else ():
        wiring.endpoint_of(settings)(profile)
        cost = prices.batch_cost if wiring.goes_by_batch(profile, settings) else prices.cost
        if config.budget.usd is not None and cost(profile.model, 0, 0, 0) is None:
            raise without_price(profile.model, batch=wiring.goes_by_batch(profile, settings))
    tree.select(**config.selectors())
    return recipe


def recipe_of(config: RunConfig, settings: Settings) -> Recipe:
    """How a run would make things on this machine today: models, prompts and benchmarks as the settings and files are.

    Raises:
        InputError: a model is not named, a prompt is wrong, or a benchmark cannot be read.
    """
    return Recipe(benchmarks.resolved(settings.resolved(config)), Prompts.load(settings.prompts))


def prepare(config: RunConfig, run_id: str, scope: Scope = Scope()) -> Order:
    """Make the store ready for a run and keep the run's inputs in it.

    Raises:
        InputError: see `check`, or answers cannot be checked here; nothing was written.
        StoreError: the store cannot be relied on.
    """
    store = Store.open(Settings.load().store)
    recipe = check(config, current_taxonomy(store), scope)
    unkept = benchmarks.to_keep(store.files, recipe.config)
    if scope.asks_a_model:
        wiring.check_batch_apis(recipe, Settings.load())
        checking.check_able(recipe.config.checking)
    store.start()
    seed_taxonomy(store)
    _keep_prompts(store, recipe.prompts)
    for items_digest, items in unkept.items():
        inputs.keep(store.files, "benchmarks", items_digest, "jsonl", items)
    record = RunRecord(
        run_id=run_id,
        started_at=wiring.now(),
        config=_keep(store, recipe.config),
        given=_keep(store, config),
        scope=scope,
        prompts={name: recipe.prompts[name].stamp.digest for name in recipe.prompts.names()},
        budget_id=config.budget.id or run_id,
    )
    if config.budget.limited and not config.budget.id:
        record = _going_on(store, record)
    kept = runs.keep(store.files, record)
    return Order(run_id=run_id, config_digest=kept.config)


def conclude(order: Order, state: str) -> None:
    """Put on record that a run has ended by itself, so that the next one has a budget of its own."""
    try:
        runs.end(Store.open(Settings.load().store).files, order.run_id, state, wiring.now())
    except StoreError as error:  # the next run then goes on with what is left of this budget, which harms nobody
        logging.getLogger("glan").warning("the end of run %s was not written: %s", order.run_id, error)


def _going_on(store: Store, record: RunRecord) -> RunRecord:
    """The record under the budget of the last run, if that one was to do the same and was killed at it.

    A pilot and the run that it is the first part of spend one budget, however the pilot ended.
    """
    last = runs.last(store.files)
    if last is None or last.config != record.config:
        return record
    if runs.ended(store.files, last.run_id):
        continues = last.scope.is_pilot and last.scope != record.scope
    else:
        continues = last.scope == record.scope or last.scope.is_pilot or record.scope.is_pilot
    return record.model_copy(update={"budget_id": last.budget_id}) if continues else record


def last_config(store: Store) -> RunConfig | None:
    """What the run that was started last was to make, with today's models where it left them to the settings.

    Its benchmarks are those that it read, whether or not their files are still there. None if no run is on record. A model that no setting names today is the one of that run.

    Raises:
        StoreError: a record is damaged, or was written by another version of glan.
    """
    record = runs.last(store.files)
    if record is None:
        return None
    made = runs.config_of(store.files, record)
    given = runs.given_of(store.files, record).model_copy(update={"curation": made.curation})
    return Settings.load().resolved(given, otherwise=made.models)


def existing_store() -> Store:
    """The store of the settings.

    Raises:
        InputError: there is none yet.
    """
    store = Store.open(Settings.load().store)
    if not store.begun():
        raise InputError(
            f"there is no store at {store.files.url}: name another in GLAN_STORE, or make it with `glan run`"
        )
    return store


def base_config(given: RunConfig | None) -> RunConfig:
    """How to go on: as the configuration given, else as the last run in the store, else as the paper.

    Which disciplines the last run was for, what it might spend and whom it waited for is not taken over.
    """
    if given is not None:
        return given
    store = Store.open(Settings.load().store)
    store.begun()
    fresh = RunConfig()
    own = {name: getattr(fresh, name) for name in (*Selection.model_fields, "budget", "on_busy")}
    return (last_config(store) or fresh).model_copy(update=own)


def _keep(store: Store, config: RunConfig) -> str:
    """Keep a configuration by digest under `_inputs/`; the digest."""
    body = config.model_dump(mode="json")
    config_digest = digest(body)
    inputs.keep(store.files, "config", config_digest, "json", canonical(body).decode())
    return config_digest


def _keep_prompts(store: Store, prompts: Prompts) -> None:
    for name in prompts.names():
        prompt = prompts[name]
        inputs.keep(store.files, "prompts", prompt.stamp.digest, "md", prompt.text)


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


def publish_taxonomy(store: Store, tree: Taxonomy, expected_latest: int | None, run_id: str = "") -> int:
    """Publish a version and let the forms on the Prefect server offer it; the new version's number.

    `run_id` says what the version came from, where it is not a person's file or command.
    """
    version = (expected_latest or 0) + 1
    rows = tree.rows(version)
    published = taxonomies.publish(store.files, rows, expected_latest=expected_latest, run_id=run_id, clock=wiring.now)
    if expected_latest is not None:
        choices.follow(tree)
    return published


def use_taxonomy(store: Store, path: Path) -> int:
    """Make a person's file the current taxonomy; the number of its version, which is the present one if it is equal."""
    tree = taxonomy.read(path)
    store.start()
    versions = taxonomies.versions(store.files)
    if versions and current_taxonomy(store).rows(0) == tree.rows(0):
        return versions[-1]
    return publish_taxonomy(store, tree, expected_latest=versions[-1] if versions else None)
