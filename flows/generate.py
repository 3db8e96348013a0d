"""The main job: disciplines through all stages, from the taxonomy to curated instructions."""

import contextvars
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import Any

from prefect import flow, runtime
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from flows.discipline import generate_discipline
from glan.config import RunConfig
from glan.errors import Cancelled
from glan.planning.publishing import publish_done
from glan.planning.status import walks
from glan.planning.walk import survey
from tasks import progress, wiring
from tasks.artifacts import publish_summary
from tasks.curation import curate
from tasks.doctor import examine_before_paying
from tasks.preparation import current_taxonomy, prepare
from tasks.receipts import receipts_in
from tasks.wiring import Order, effects, now, recipe

DISCIPLINES_AT_ONCE = 3
"""A few overlap, so that the last slow calls of one do not leave the gateway idle."""

STOPPED = "the run was told to stop; what is committed stays"


@flow(name="generate", flow_run_name="generate", persist_result=False)
def generate(config: RunConfig = RunConfig()) -> State[Any]:
    """Make what is missing or stale of the disciplines named, through all stages up to curated instructions."""
    order = prepare(config, run_id=str(runtime.flow_run.id))
    with _stopping_calls(order), receipts_in(effects(order).store.files.url):
        todo = _with_work(order)
        if todo:
            examine_before_paying(recipe(order))
        states = _run_disciplines(order, todo)
        verdicts = curate(order)
        publish_summary(order.run_id, effects(order).store.files.url, verdicts)
        return _end(order, states)


@contextmanager
def _stopping_calls(order: Order) -> Iterator[None]:
    """Stop the calls of a run that is told to stop, and write out its log in any case."""
    try:
        yield
    except BaseException:
        effects(order).gateway.stop(Cancelled(STOPPED))
        raise
    finally:
        wiring.close(order)


def _with_work(order: Order) -> list[str]:
    """The disciplines that have something to do; of the others, what is done is published."""
    run = effects(order)
    made = recipe(order)
    counts = progress.of(order.run_id)
    todo = []
    for walk in walks(run.store, current_taxonomy(run.store).select(made.config.disciplines), made):
        seen = survey(walk)
        if seen.ready:
            todo.append(walk.discipline.discipline_id)
            continue
        receipts = [receipt for stage in seen.done.values() for _, receipt in stage.values()]
        publish_done(run.store, walk.shelf, receipts, order.run_id, now)
        for receipt in receipts:
            counts.found(receipt.discipline_id, receipt.stage)
            counts.was_done(receipt)
    return todo


def _run_disciplines(order: Order, discipline_ids: Sequence[str]) -> list[State[Any]]:
    """A sub-flow for each discipline, a few at once, in threads of this process."""
    states: list[State[Any]] = []
    with ThreadPoolExecutor(max_workers=DISCIPLINES_AT_ONCE, thread_name_prefix="discipline") as pool:
        running: set[Future[State[Any]]] = {
            pool.submit(contextvars.copy_context().run, _discipline, discipline_id, order)
            for discipline_id in discipline_ids
        }
        try:
            while running:
                # Waking every second keeps this thread open to signals.
                ended, running = wait(running, timeout=1.0, return_when=FIRST_COMPLETED)
                states.extend(future.result() for future in ended)
        except BaseException:
            effects(order).gateway.stop(Cancelled(STOPPED))
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    return states


def _discipline(discipline_id: str, order: Order) -> State[Any]:
    state: State[Any] = generate_discipline(discipline_id, order, return_state=True)
    return state


def _end(order: Order, states: Sequence[State[Any]]) -> State[Any]:
    """Completed, PartiallyCompleted if something is missing, Failed if an error was final or nothing came of it."""
    total = progress.of(order.run_id).total()
    figures = (
        f"{total.made} units made with {total.calls} calls, {total.done_before} up to date, "
        f"{total.quarantined} rows quarantined, {total.failed} units failed"
    )
    fatal = progress.of(order.run_id).fatal
    if fatal is not None:
        return Failed(message=fatal)
    if states and all(state.is_failed() or state.is_crashed() for state in states):
        return Failed(message=f"{figures}: {states[-1].message}")
    if total.failed or total.quarantined or not all(state.is_completed() for state in states):
        return Completed(name="PartiallyCompleted", message=figures)
    return Completed(message=figures)
