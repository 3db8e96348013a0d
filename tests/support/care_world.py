"""A whole small store for tests of what looks after one: stages, calls, prompts, taxonomy, verdicts, a snapshot."""

from typing import Any

from stage_world import LAW, PHYSICS, clock, grow, publish, recipe, teacher
from store_world import a_call

import glan
from glan.curation.curate import curate_store
from glan.gateway.requests import Request
from glan.planning.publishing import publish_snapshot
from glan.stages.shared.recipe import Recipe
from glan.store import inputs, taxonomies
from glan.store.calls import CallLog
from glan.store.store import Store
from glan.taxonomy import Discipline
from glan.units import STAGES

DISCIPLINES = (PHYSICS, LAW)
TABLES = (*STAGES, "quarantine", "calls")


def whole_store(url: str, made: Recipe | None = None, disciplines: tuple[Discipline, ...] = DISCIPLINES) -> Store:
    """A started store in which these disciplines are made, published and curated."""
    store = Store.open(url)
    store.start()
    columns = ("field", "sub_field", "discipline", "discipline_id", "origin")
    tree = [{column: getattr(one, column) for column in columns} for one in DISCIPLINES]
    taxonomies.publish(store.files, tree, None, clock=clock)
    for discipline in disciplines:
        grow_and_publish(store, made or recipe(), discipline, writer=discipline.discipline_id)
    return store


def grow_and_publish(
    store: Store, made: Recipe, discipline: Discipline = PHYSICS, writer: str = "w1", **teaching: Any
) -> None:
    """Make what a discipline lacks as a run does: calls on record, units committed, named, judged and shown."""
    for name in made.prompts.names():
        inputs.keep(store.files, "prompts", made.prompts[name].stamp.digest, "md", made.prompts[name].text)
    log = CallLog(store.files, writer=writer, flush_seconds=60, clock=clock)
    answer = teacher("Optics", "Heat", **teaching)

    def say(request: Request) -> Any:
        reply = answer(request)
        log.append(
            a_call(
                request.key,
                discipline_id=discipline.discipline_id,
                stage=request.stage,
                unit=request.unit,
                reply=reply if isinstance(reply, str) else reply[0],
            )
        )
        log.wait()
        return reply

    receipts = grow(store, made, say, discipline)
    log.close()
    judged = receipts.pop("instructions")
    publish(store, receipts)
    curate_store(store, {discipline.discipline_id: judged}, (), made.config.curation, "run", clock)
    publish_snapshot(store, [discipline.discipline_id], "run", clock)


def all_rows(store: Store) -> dict[str, list[dict[str, Any]]]:
    """All that readers see, calls in no order."""
    found = {table: glan.scan(table, store.files.url).read_all().to_pylist() for table in TABLES}
    return {**found, "calls": sorted(found["calls"], key=lambda row: row["request_key"])}
