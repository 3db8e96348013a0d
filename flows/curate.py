"""Judge what has been answered, look for duplicates over all nodes, publish what changed. Asks no model."""

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from flows.endings import told
from flows.generate import make_disciplines
from flows.parameters import CurateConfig
from glan.config import Budget, Selection
from glan.units import Scope
from tasks.preparation import base_config, existing_store


@flow(name="curate", flow_run_name="curate", persist_result=False)
@told
def curate_all(config: CurateConfig = CurateConfig()) -> State[Any]:
    """Judge every answer by today's rules, decide duplicates against everything there is, and let readers see it."""
    existing_store()
    last = base_config(None)
    everywhere: dict[str, list[str]] = {name: [] for name in Selection.model_fields}
    rules = {"curation": config.curation or last.curation}
    recipe = last.model_copy(update={**everywhere, **rules, "budget": Budget(), "on_busy": "share"})
    return make_disciplines(recipe, Scope(stage="instructions"))
