"""The body of every flow that makes rows: disciplines side by side, each a sub-flow under its lease, then curation."""

import contextvars
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from typing import Any

from prefect import runtime
from prefect.client.schemas.objects import State
from prefect.settings import PREFECT_CLIENT_MAX_RETRIES, temporary_settings
from prefect.states import Completed, Failed

from flows.discipline import generate_discipline
from flows.server import end_in_time
from flows.turns import Turns
from glan import errors
from glan.clock import now
from glan.config import RunConfig
from glan.planning import settled
from glan.planning.publishing import drop_orphans, publish_done
from glan.planning.scope import walks
from glan.planning.walk import Survey, Walk, survey
from glan.store import snapshots, taxonomies
from glan.store.snapshots import Snapshot
from glan.taxonomy import Discipline
from glan.units import Scope
from tasks import progress, telling, wiring
from tasks.artifacts import publish_summary
from tasks.curation import as_noted, curate, curated, note_settled
from tasks.doctor import examine_before_paying
from tasks.preparation import conclude, prepare
from tasks.receipts import receipts_in
from tasks.retrying import finish_if_open
from tasks.runner import stop, task_runner, workers
from tasks.waiting import log_said, patiently
from tasks.watching import STOPPED
from tasks.wiring import Order, effects, leases, recipe, scope

DISCIPLINES_AT_ONCE = 3
"""A few overlap, so that the last slow calls of one do not leave the gateway idle."""

DISCIPLINES_AT_ONCE_IN_BATCHES = 16
"""The same where calls go by batches: one batch holds calls of many disciplines."""

LOOK_EVERY_SECONDS = 0.5
"""How often the main thread wakes while sub-flows run: signals reach no other."""


SERVER_RETRIES = 7
"""Prefect's client tries again after 2, 4, 8, … seconds: a server may be away for four minutes without a loss."""


def make_disciplines(config: RunConfig, scope: Scope = Scope()) -> State[Any]:
    """The body of every flow that makes rows: take on the disciplines selected, as far as the scope goes."""
    order = patiently(partial(prepare, config, str(runtime.flow_run.id), scope))
    try:
        with receipts_in(patiently(partial(effects, order)).store.files.url):
            state = _make(order)
    finally:
        wiring.close(order)
    conclude(order, state.name or "")  # not reached by a run that was stopped: that one is to be gone on with
    return state


def _make(order: Order) -> State[Any]:
    todo, unknown = _with_work(order)
    if todo and scope(order).asks_a_model:
        examine_before_paying(recipe(order))
    states = _run_disciplines(order, todo)
    wiring.check(order)
    noted = None if todo else patiently(partial(as_noted, order, unknown), order)
    verdicts = noted or (curate(order) if todo else curated(order))
    patiently(partial(note_settled, order, unknown), order)
    publish_summary(order.run_id, effects(order).store, verdicts)
    end = _end(order, states)
    _tell(order, end, states)
    return end


def _tell(order: Order, end: State[Any], states: Sequence[State[Any]]) -> None:
    """Tell whoever listens for events what is out of the ordinary about this run."""
    counts = progress.of(order.run_id)
    telling.quarantine_if_high(order.run_id)
    if counts.spent is not None:
        telling.budget_spent(order.run_id, wiring.budget_id(order), counts.spent)
    failed = counts.total().failed, sum(not state.is_completed() for state in states)
    if end.is_completed() and any(failed):
        telling.units_failed(order.run_id, *failed)


def _with_work(order: Order) -> tuple[list[str], list[Discipline]]:
    """The disciplines that have something to do, and those that are not known to be settled.

    Of what has nothing to do and is not known to be settled, all that is done is published.
    """
    run = effects(order)
    made = recipe(order)
    counts = progress.of(order.run_id)
    tree = patiently(partial(taxonomies.current, run.store), order)
    disciplines = tree.select(**made.config.selectors())
    shown = patiently(partial(snapshots.latest, run.store.files), order)
    todo, unknown = [], []
    for walk in patiently(partial(walks, run.store, disciplines, made, scope(order)), order):
        wiring.check(order)
        if known := patiently(partial(settled.noted, run.store, walk), order):
            for stage, holding in known.items():
                counts.were_done(walk.discipline.discipline_id, stage, **asdict(holding))
            continue
        unknown.append(walk.discipline)
        seen = patiently(partial(survey, walk), order)
        if not seen.complete:
            todo.append(walk.discipline.discipline_id)
            continue
        patiently(partial(_publish_all, order, walk, seen, shown), order)
        for receipt in seen.receipts:
            counts.found(receipt.discipline_id, receipt.stage)
            counts.was_done(receipt)
    first = list(scope(order).questions)
    return sorted(todo, key=lambda name: first.index(name) if name in first else len(first)), unknown


def _publish_all(order: Order, walk: Walk, seen: Survey, shown: Snapshot | None) -> None:
    """Of a discipline that has nothing to do, let readers see all that is done: a run was killed before it could."""
    store, discipline_id = effects(order).store, walk.discipline.discipline_id
    if scope(order).mode == "retry":
        finish_if_open(order, discipline_id)
    publish_done(store, walk.shelf, seen.receipts, order.run_id, now)
    if shown is None or shown.generations.get(discipline_id, {}) != walk.shelf.generations:
        drop_orphans(store, discipline_id, order.run_id, now)


def _run_disciplines(order: Order, discipline_ids: Sequence[str]) -> list[State[Any]]:
    """A sub-flow for each discipline, a few at once, in threads of this process; their units where the settings say."""
    if not discipline_ids:
        return []
    counts = progress.of(order.run_id)
    most = DISCIPLINES_AT_ONCE_IN_BATCHES if wiring.in_batches(order) else DISCIPLINES_AT_ONCE
    turns = Turns(discipline_ids, leases(order), recipe(order).config.on_busy, counts.say)
    running: dict[Future[State[Any]], str] = {}
    states: list[State[Any]] = []
    with (
        workers(order),
        ThreadPoolExecutor(most, thread_name_prefix="discipline") as pool,
        _stopping_calls(order),
        turns,
    ):
        while running or (turns and not counts.over):
            # Flow runs that are created at the same moment collide in the server's database: one after another. One that
            # collided would be tried again seconds later, and be lost if the server went away for minutes just then.
            begun = all(counts.total(discipline_id).known for discipline_id in running.values())
            free = begun and len(running) < most and not counts.over
            if free and (discipline_id := turns.next()):
                work = pool.submit(contextvars.copy_context().run, _discipline, discipline_id, order)
                running[work] = discipline_id
            for future in wait(running, LOOK_EVERY_SECONDS, FIRST_COMPLETED).done:
                states.append(future.result())
                turns.ended(running.pop(future))
            if not running:  # all wait for other runs
                time.sleep(LOOK_EVERY_SECONDS)
            log_said(order.run_id)
            turns.keep()
            wiring.check(order)
    counts.skipped.extend(turns.skipped)
    return states


@contextmanager
def _stopping_calls(order: Order) -> Iterator[None]:
    """End the calls of a run that is told to stop, so that whoever waits for them need not wait long."""
    try:
        yield
    except BaseException as error:
        end_in_time(error)
        stop(order, errors.Cancelled(STOPPED))
        raise


def _discipline(discipline_id: str, order: Order) -> State[Any]:
    """One sub-flow. Whatever goes wrong with it, even its start, ends none of the others."""
    try:
        job = generate_discipline.with_options(task_runner=task_runner(order))
        with temporary_settings({PREFECT_CLIENT_MAX_RETRIES: SERVER_RETRIES}):
            state: State[Any] = job(discipline_id, order, return_state=True)
    except Exception as error:
        return Failed(message=f"{discipline_id}: {error}")
    return state


def _end(order: Order, states: Sequence[State[Any]]) -> State[Any]:
    """Completed, PartiallyCompleted if something is missing, BudgetSpent, Failed if an error was final or nothing came."""
    counts = progress.of(order.run_id)
    total = counts.total()
    figures = (
        f"{total.made} units made with {total.spent.calls} calls, {total.done_before} up to date, "
        f"rows quarantined: {total.quarantined} now and {total.quarantined_before} before, units failed: {total.failed}"
    )
    if counts.skipped:
        figures = f"{figures}, left to other runs: {', '.join(counts.skipped)}"
    unfinished = [state for state in states if not state.is_completed()]
    if unfinished:
        figures = f"{figures}: {unfinished[0].message}"
    if counts.fatal is not None:
        return Failed(message=counts.fatal)
    if counts.spent is not None:
        return Completed(name="BudgetSpent", message=f"{counts.spent}; {figures}")
    if unfinished and len(unfinished) == len(states):
        return Failed(message=figures)
    if unfinished or total.failed or total.quarantined or counts.skipped:
        return Completed(name="PartiallyCompleted", message=figures)
    return Completed(message=figures)
