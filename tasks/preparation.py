"""RunConfig -> order: everything checked before the first call, the store made ready, inputs kept in it."""

import logging
from collections.abc import Mapping

from glan.clock import now
from glan.config import RunConfig
from glan.curation import benchmarks
from glan.errors import StoreError
from glan.keys import canonical, digest
from glan.prompts import Prompts
from glan.settings import Settings
from glan.stages.shared.recipe import Recipe
from glan.store import inputs, runs, taxonomies
from glan.store.runs import RunRecord
from glan.store.store import Store
from glan.taxonomy import Taxonomy
from glan.units import Scope
from tasks import checking, wiring
from tasks.preflight import check
from tasks.taxonomy_versions import seed_taxonomy
from tasks.wiring import Order


def prepare(config: RunConfig, run_id: str, scope: Scope = Scope()) -> Order:
    """Make the store ready for a run and keep the run's inputs in it.

    Raises:
        InputError: see `examine`; nothing was written.
        StoreError: the store cannot be relied on.
    """
    store = Store.open(Settings.load().store)
    recipe, unkept = examine(config, taxonomies.current(store), store, scope)
    store.start()
    seed_taxonomy(store)
    _keep_prompts(store, recipe.prompts)
    for items_digest, items in unkept.items():
        inputs.keep(store.files, "benchmarks", items_digest, "jsonl", items)
    record = RunRecord(
        run_id=run_id,
        started_at=now(),
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


def examine(
    config: RunConfig, tree: Taxonomy, store: Store, scope: Scope = Scope()
) -> tuple[Recipe, Mapping[str, str]]:
    """See that a run can be prepared; how it makes things, and the items of benchmarks that the store has not yet.

    Raises:
        InputError: see `check`, or answers or questions cannot be compared here, or an endpoint has no Batch API.
    """
    recipe = check(config, tree, scope)
    unkept = benchmarks.to_keep(store.files, recipe.config)
    if scope.asks_a_model:
        wiring.check_batch_apis(recipe, Settings.load())
    checking.check_able(recipe.config, answers=scope.asks_a_model)
    return recipe, unkept


def conclude(order: Order, state: str) -> None:
    """Put on record that a run has ended by itself, so that the next one has a budget of its own."""
    try:
        runs.end(Store.open(Settings.load().store).files, order.run_id, state, now())
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
