"""Make a part of the data good: fill holes, redo what is stale, or draw anew, from one stage down."""

from functools import partial
from typing import Any

from prefect import flow, get_run_logger
from prefect.client.schemas.objects import State
from prefect.states import Completed

from flows.disciplines import make_disciplines
from flows.endings import told
from flows.parameters import BackfillConfig
from glan.config import RunConfig
from glan.errors import InputError
from glan.planning.forecast import forecast, records
from glan.planning.recipes import base_config, recipe_of
from glan.settings import Settings
from glan.store import taxonomies
from glan.store.store import Store
from glan.units import Scope
from tasks.endpoints import prices_ahead
from tasks.outlook import publish_forecast
from tasks.waiting import patiently


@flow(name="backfill", flow_run_name="backfill {config.mode} {config.stage} {config.selected}", persist_result=False)
@told
def backfill(config: BackfillConfig) -> State[Any]:
    """Say what would be asked and what it would cost; then, unless that was all that is wanted, do it."""
    whole, scope = patiently(partial(work, config))
    table = patiently(partial(preview, whole, scope))
    publish_forecast(records(table))
    at_most = int(table["calls_at_most"].sum())
    said = f"{int(table['units'].sum())} units to make with at most {at_most} calls; see the artifact glan-forecast"
    get_run_logger().info(said)
    return Completed(message=said) if config.preview else make_disciplines(whole, scope)


def work(config: BackfillConfig) -> tuple[RunConfig, Scope]:
    """What a form asks for, as a configuration and the part of it that is taken on.

    Raises:
        InputError: everything would be drawn anew without anybody having named it.
    """
    if config.mode == "refresh" and not any(config.selectors().values()):
        raise InputError(
            "a refresh without `disciplines`, `fields`, `sub_fields` or `patterns` would draw everything anew: "
            'name some, or say so with patterns ["*"]'
        )
    chosen = {**config.selectors(), "budget": config.budget, "on_busy": config.on_busy}
    settings = Settings.load()
    base = base_config(config.recipe, Store.open(settings.store), settings)
    return base.model_copy(update=chosen), Scope(stage=config.stage, mode=config.mode)


def preview(config: RunConfig, scope: Scope) -> Any:
    """What would be asked and what it would cost, stage by stage, as a table; nothing is written."""
    settings = Settings.load()
    store = Store.existing(settings.store)
    recipe = recipe_of(config, settings)
    disciplines = taxonomies.current(store).select(**config.selectors())
    _, cost = prices_ahead(settings, recipe.models().values())
    return forecast(store, disciplines, recipe, cost, scope)
