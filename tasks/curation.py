"""Judged rows of all disciplines -> published instructions, as a Prefect task."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from glan.curation.curate import Verdicts, curate_store
from glan.planning.publishing import publish_snapshot
from glan.planning.scope import walks
from glan.planning.walk import survey
from tasks import progress
from tasks.preparation import current_taxonomy
from tasks.wiring import Order, effects, now, recipe, scope


def curated(order: Order) -> Verdicts:
    """Look for duplicates over all nodes and publish what changed, so that readers see it."""
    run = effects(order)
    made = recipe(order)
    disciplines = current_taxonomy(run.store).select(**made.config.selectors())
    seen = [survey(walk) for walk in walks(run.store, disciplines, made, scope(order), finished_only=True)]
    judged = {
        unit.discipline_id: [receipt for _, receipt in one.done["instructions"].values()]
        for one in seen
        for unit, _ in one.done["instructions"].values()
    }
    verdicts = curate_store(run.store, judged, made.config.curation, order.run_id, now)
    begun = {unit.discipline_id for one in seen for units in one.done.values() for unit, _ in units.values()}
    publish_snapshot(run.store, {*begun, *verdicts.changed}, order.run_id, now)
    progress.of(order.run_id).verdicts = verdicts
    return verdicts


curate = task(name="curate", task_run_name="curate", cache_policy=NO_CACHE, persist_result=False)(curated)
