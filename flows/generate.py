"""The main job: disciplines through all stages, from the taxonomy to curated instructions."""

import contextvars
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import Any

from prefect import flow, get_run_logger, runtime
from prefect.client.schemas.objects import State
from prefect.states import Cancelled, Completed, Failed

from flows.discipline import generate_discipline
from glan import errors
from glan.config import RunConfig
from glan.planning.publishing import publish_done
from glan.planning.status import walks
from glan.planning.walk import survey
from tasks import progress, wiring
from tasks.artifacts import publish_summary
from tasks.cancelling import STOPPED, Cancelling
from tasks.curation import curate, curated
from tasks.doctor import examine_before_paying
from tasks.preparation import current_taxonomy, prepare
from tasks.receipts import receipts_in
from tasks.runner import stop, task_runner, workers
from tasks.wiring import Order, effects, now, recipe

DISCIPLINES_AT_ONCE = 3
"""A few overlap, so that the last slow calls of one do not leave the gateway idle."""

LOOK_EVERY_SECONDS = 0.5
"""How often the main thread wakes while sub-flows run: signals reach no other."""


@flow(name="generate", flow_run_name="generate", persist_result=False)
def generate(config: RunConfig = RunConfig()) -> State[Any]:
    """Make what is missing or stale of the disciplines named, through all stages up to curated instructions."""
    order = prepare(config, run_id=str(runtime.flow_run.id))
    try:
        with receipts_in(effects(order).store.files.url):
            return _make(order)
    except (KeyboardInterrupt, errors.Cancelled):
        return Cancelled(message=STOPPED)
    finally:
        wiring.close(order)


def _make(order: Order) -> State[Any]:
    todo = _with_work(order)
    if todo:
        examine_before_paying(recipe(order))
    states = _run_disciplines(order, todo)
    verdicts = curate(order) if todo else curated(order)
    publish_summary(order.run_id, effects(order).store, verdicts)
    return _end(order, states)


def _with_work(order: Order) -> list[str]:
    """The disciplines that have something to do; of the others, what is done is published."""
    run = effects(order)
    made = recipe(order)
    counts = progress.of(order.run_id)
    todo = []
    for walk in walks(run.store, current_taxonomy(run.store).select(**made.config.selectors()), made):
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
    """A sub-flow for each discipline, a few at once, in threads of this process; their units where the settings say."""
    if not discipline_ids:
        return []
    counts = progress.of(order.run_id)
    cancelling = Cancelling(order.run_id)
    waiting = deque(discipline_ids)
    running: dict[Future[State[Any]], str] = {}
    states: list[State[Any]] = []
    with (
        workers(order),
        ThreadPoolExecutor(DISCIPLINES_AT_ONCE, thread_name_prefix="discipline") as pool,
        _stopping_calls(order),
    ):
        while running or (waiting and counts.fatal is None):
            # Flow runs that are created at the same moment collide in the server's database: one after another.
            begun = all(counts.total(discipline_id).known for discipline_id in running.values())
            if waiting and begun and len(running) < DISCIPLINES_AT_ONCE and counts.fatal is None:
                discipline_id = waiting.popleft()
                running[pool.submit(contextvars.copy_context().run, _discipline, discipline_id, order)] = discipline_id
            for future in wait(running, LOOK_EVERY_SECONDS, FIRST_COMPLETED).done:
                states.append(future.result())
                del running[future]
            for message in counts.take_messages():
                get_run_logger().warning(message)
            cancelling.check()
    return states


@contextmanager
def _stopping_calls(order: Order) -> Iterator[None]:
    """End the calls of a run that is told to stop, so that whoever waits for them need not wait long."""
    try:
        yield
    except BaseException:
        stop(order, errors.Cancelled(STOPPED))
        raise


def _discipline(discipline_id: str, order: Order) -> State[Any]:
    """One sub-flow. Whatever goes wrong with it, even its start, ends none of the others."""
    try:
        job = generate_discipline.with_options(task_runner=task_runner(order))
        state: State[Any] = job(discipline_id, order, return_state=True)
    except Exception as error:
        return Failed(message=f"{discipline_id}: {error}")
    return state


def _end(order: Order, states: Sequence[State[Any]]) -> State[Any]:
    """Completed, PartiallyCompleted if something is missing, Failed if an error was final or nothing came of it."""
    counts = progress.of(order.run_id)
    total = counts.total()
    figures = (
        f"{total.made} units made with {total.calls} calls, {total.done_before} up to date, "
        f"rows quarantined: {total.quarantined} now and {total.quarantined_before} before, units failed: {total.failed}"
    )
    unfinished = [state for state in states if not state.is_completed()]
    if unfinished:
        figures = f"{figures}: {unfinished[0].message}"
    if counts.fatal is not None:
        return Failed(message=counts.fatal)
    if unfinished and len(unfinished) == len(states):
        return Failed(message=figures)
    if unfinished or total.failed or total.quarantined:
        return Completed(name="PartiallyCompleted", message=figures)
    return Completed(message=figures)
