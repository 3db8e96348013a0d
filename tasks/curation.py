"""Judged rows of all disciplines -> published instructions, as a Prefect task."""

from collections.abc import Sequence
from dataclasses import asdict

from prefect import task
from prefect.cache_policies import NO_CACHE

from glan import __version__
from glan.clock import now
from glan.curation.curate import Verdicts, curate_store
from glan.keys import digest
from glan.planning import settled
from glan.planning.publishing import publish_snapshot
from glan.planning.scope import walks
from glan.planning.walk import survey
from glan.store import manifests, notes, taxonomies
from glan.taxonomy import Discipline
from glan.units import Scope
from tasks import progress
from tasks.wiring import Order, effects, recipe, scope

_NOTE = "verdicts"


def curated(order: Order) -> Verdicts:
    """Look for duplicates over all nodes and publish what changed, so that readers see it."""
    run = effects(order)
    made = recipe(order)
    disciplines = taxonomies.current(run.store).select(**made.config.selectors())
    seen = [survey(walk) for walk in walks(run.store, disciplines, made, scope(order), finished_only=True)]
    judged = {
        unit.discipline_id: [receipt for _, receipt in one.done["instructions"].values()]
        for one in seen
        for unit, _ in one.done["instructions"].values()
    }
    verdicts = curate_store(run.store, judged, made.config.curation, order.run_id, now)
    notes.keep(run.store.files, _NOTE, _basis(order), asdict(verdicts))
    begun = {unit.discipline_id for one in seen for units in one.done.values() for unit, _ in units.values()}
    publish_snapshot(run.store, {*begun, *verdicts.changed}, order.run_id, now)
    progress.of(order.run_id).verdicts = verdicts
    return verdicts


curate = task(name="curate", task_run_name="curate", cache_policy=NO_CACHE, persist_result=False)(curated)


def as_noted(order: Order, unknown: Sequence[Discipline]) -> Verdicts | None:
    """The verdicts of the pass before, if every discipline is settled and nothing has changed since; else None."""
    found = None if unknown else notes.find(effects(order).store.files, _NOTE, _basis(order))
    if found is None:
        return None
    verdicts = Verdicts(**{**found, "changed": ()})
    progress.of(order.run_id).verdicts = verdicts
    return verdicts


def note_settled(order: Order, unknown: Sequence[Discipline]) -> None:
    """Note those of the disciplines that are settled now, so that later looks need not read them."""
    if scope(order) != Scope():
        return
    run = effects(order)
    for walk in walks(run.store, unknown, recipe(order)):
        settled.note(run.store, walk, survey(walk))


def _basis(order: Order) -> str:
    """Digest of all that the verdicts and their figures depend on."""
    files, config = effects(order).store.files, recipe(order).config
    generations = [manifests.generations(files, stage) for stage in ("answers", "instructions")]
    disciplines = taxonomies.current(effects(order).store).select(**config.selectors())
    chosen = [discipline.discipline_id for discipline in disciplines]
    released = sorted(files.names("releases"))
    return digest([__version__, generations, released, config.curation.model_dump(mode="json"), chosen])
