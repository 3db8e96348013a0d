"""A pilot: a few questions of each discipline end to end, before the whole run that goes on from it."""

from functools import partial
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from flows.disciplines import make_disciplines
from flows.endings import told
from glan.config import RunConfig
from glan.planning import pilot as planning
from glan.planning.recipes import recipe_of
from glan.planning.scope import walks
from glan.settings import Settings
from glan.store import taxonomies
from glan.store.store import Store
from glan.units import Scope
from tasks.waiting import patiently


@flow(name="pilot", flow_run_name="pilot {questions} {config.selected}", persist_result=False)
@told
def pilot(config: RunConfig, questions: int) -> State[Any]:
    """Make so many questions of each discipline, with their answers and verdicts, from as few syllabi as there can be."""
    return make_disciplines(config, patiently(partial(work, config, questions)))


def work(config: RunConfig, questions: int) -> Scope:
    """How far a run goes for so many questions a discipline, by what the store holds now."""
    store = Store.open(Settings.load().store)
    recipe = recipe_of(config, Settings.load())
    disciplines = taxonomies.current(store).select(**config.selectors())
    return planning.pilot(walks(store, disciplines, recipe), recipe.config, questions)
