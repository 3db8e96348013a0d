"""Judged rows of all disciplines -> published instructions, as a Prefect task."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from functools import partial

from prefect import task
from prefect.cache_policies import NO_CACHE

from glan import __version__
from glan.clock import now
from glan.config import Curation
from glan.curation.curate import Verdicts, curate_store
from glan.keys import digest
from glan.planning import settled
from glan.planning.publishing import publish_snapshot
from glan.planning.scope import walks
from glan.planning.walk import survey
from glan.release import releases
from glan.store import manifests, notes, taxonomies
from glan.store.files import Files
from glan.store.store import Store
from glan.taxonomy import Discipline
from glan.units import Scope, Stage
from tasks import progress
from tasks.waiting import patiently
from tasks.wiring import Order, effects, recipe, scope

_NOTE = "verdicts"
_WHOLE = "curated"

_Generations = Mapping[Stage, Mapping[str, int]]


def curated(order: Order) -> Verdicts:
    """Look for duplicates over all nodes and publish what changed, so that readers see it."""
    files = effects(order).store.files
    before = patiently(partial(_generations, files), order)
    verdicts, begun = patiently(partial(_curated_once, order), order)
    patiently(lambda: _show(effects(order).store, before, begun, order.run_id), order)
    progress.of(order.run_id).verdicts = verdicts
    return verdicts


def _curated_once(order: Order) -> tuple[Verdicts, set[str]]:
    """The verdicts of a pass, and the disciplines of this run of which anything is done."""
    run = effects(order)
    made = recipe(order)
    read = _generations(run.store.files)
    disciplines = taxonomies.current(run.store).select(**made.config.selectors())
    seen = [survey(walk) for walk in walks(run.store, disciplines, made, scope(order), finished_only=True)]
    judged = {
        unit.discipline_id: [receipt for _, receipt in one.done["instructions"].values()]
        for one in seen
        for unit, _ in one.done["instructions"].values()
    }
    verdicts = curate_store(
        run.store, judged, releases.held_by_release(run.store.files), made.config.curation, order.run_id, now
    )
    if there := _covered(run.store.files, read, verdicts, made.config.curation):
        notes.keep(run.store.files, _NOTE, _basis(order, there), asdict(verdicts))
    return verdicts, {receipt.discipline_id for one in seen for receipt in one.receipts}


def _show(store: Store, before: _Generations, begun: Collection[str], run_id: str) -> None:
    """Let readers see what was begun, and every discipline whose verdicts are others than before.

    Not by what the pass says: of one that the store has interrupted, the next knows nothing.
    """
    there = _generations(store.files)["instructions"]
    changed = {name for name, number in there.items() if number != before["instructions"].get(name)}
    publish_snapshot(store, {*begun, *changed}, run_id, now)


def curated_together(store: Store, settings: Curation, run_id: str) -> None:
    """After runs side by side: one more pass, unless the last has seen the store as it is.

    Of passes at the same time each may keep what is a duplicate of something that the other was about to publish.
    """
    before = patiently(partial(_generations, store.files))
    if patiently(lambda: notes.find(store.files, _WHOLE, _whole(store.files, before, settings))) is None:
        patiently(partial(_together_once, store, settings, run_id))
        patiently(partial(_show, store, before, (), run_id))


def _together_once(store: Store, settings: Curation, run_id: str) -> None:
    read = _generations(store.files)
    verdicts = curate_store(store, {}, releases.held_by_release(store.files), settings, run_id, now)
    _covered(store.files, read, verdicts, settings)


curate = task(name="curate", task_run_name="curate", cache_policy=NO_CACHE, persist_result=False)(curated)


def as_noted(order: Order, unknown: Sequence[Discipline]) -> Verdicts | None:
    """The verdicts of the pass before, if every discipline is settled and nothing has changed since; else None."""
    files = effects(order).store.files
    found = None if unknown else notes.find(files, _NOTE, _basis(order, _generations(files)))
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


def _generations(files: Files) -> _Generations:
    """Of the stages that a pass reads, by discipline."""
    stages: tuple[Stage, ...] = ("answers", "instructions")
    return {stage: manifests.generations(files, stage) for stage in stages}


def _covered(files: Files, read: _Generations, verdicts: Verdicts, settings: Curation) -> _Generations | None:
    """The generations there are after a pass, noted as seen; None if others have published since it began to read."""
    own = {name: read["instructions"].get(name, 0) + 1 for name in verdicts.changed}
    there = _generations(files)
    if there != {**read, "instructions": {**read["instructions"], **own}}:
        return None
    notes.keep(files, _WHOLE, _whole(files, there, settings), True)
    return there


def _whole(files: Files, generations: _Generations, settings: Curation) -> str:
    """Digest of all that the verdicts depend on."""
    released = sorted(files.names(releases.FOLDER))
    return digest([__version__, generations, released, settings.model_dump(mode="json")])


def _basis(order: Order, generations: _Generations) -> str:
    """Digest of all that the verdicts and their figures depend on, at these generations."""
    files, config = effects(order).store.files, recipe(order).config
    disciplines = taxonomies.current(effects(order).store).select(**config.selectors())
    chosen = [discipline.discipline_id for discipline in disciplines]
    return digest([_whole(files, generations, config.curation), chosen])
