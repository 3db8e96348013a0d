"""Ask again what is in quarantine, and make what follows from the rows that come of it."""

from functools import partial
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from flows.disciplines import make_disciplines
from flows.endings import told
from flows.parameters import RetryConfig
from glan.planning.recipes import base_config
from glan.settings import Settings
from glan.store.store import Store
from glan.units import Scope
from tasks.waiting import patiently


@flow(name="retry-quarantine", flow_run_name="retry quarantine {config.selected}", persist_result=False)
@told
def retry_quarantine(config: RetryConfig = RetryConfig()) -> State[Any]:
    """Ask again, by today's configuration, for the units that are as it has them; what was made before stays as it is."""
    settings = Settings.load()
    store = patiently(partial(Store.existing, settings.store))
    chosen = {**config.selectors(), "budget": config.budget, "on_busy": config.on_busy}
    whole = patiently(partial(base_config, config.recipe, store, settings)).model_copy(update=chosen)
    return make_disciplines(whole, Scope(mode="retry", stages=tuple(config.stages), kinds=tuple(config.kinds)))
