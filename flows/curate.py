"""Judge what has been answered, look for duplicates over all nodes, publish what changed. Asks no model."""

from functools import partial
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from flows.disciplines import make_disciplines
from flows.endings import told
from flows.parameters import CurateConfig
from glan.planning.recipes import base_config
from glan.settings import Settings
from glan.store.store import Store
from glan.units import Scope
from tasks.waiting import patiently


@flow(name="curate", flow_run_name="curate", persist_result=False)
@told
def curate_all(config: CurateConfig = CurateConfig()) -> State[Any]:
    """Judge every answer by today's rules, decide duplicates against everything there is, and let readers see it."""
    settings = Settings.load()
    store = patiently(partial(Store.existing, settings.store))
    base = patiently(partial(base_config, None, store, settings))
    rules = {"curation": config.curation or base.curation, "on_busy": "share"}
    return make_disciplines(base.model_copy(update=rules), Scope(stage="instructions"))
