"""One discipline through all stages: each unit is submitted as soon as the unit it reads is committed."""

import queue
import time
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.futures import PrefectFuture
from prefect.states import Completed, Failed

from flows.endings import stopped
from glan import errors
from glan.clock import now
from glan.errors import BudgetSpent, EndpointRefused, GlanError, StoreWeather, Unreadable
from glan.planning.publishing import drop_orphans, publish_snapshot, publish_units
from glan.planning.walk import Walk
from glan.units import ASKING, Receipt, Stage, Unit
from tasks import progress
from tasks.answers import answer_questions
from tasks.artifacts import ProgressBars
from tasks.continuations import continue_conversations
from tasks.instructions import curate_instructions
from tasks.judgements import judge_answers
from tasks.questions import ask_questions
from tasks.refreshing import finish_edition, open_edition, walk_of
from tasks.retrying import finish_retry, open_retry
from tasks.runner import open_units, result_of, stop, threads
from tasks.subjects import list_subjects
from tasks.syllabi import write_syllabus
from tasks.wiring import Order, effects, scope, with_store

TASK_OF: dict[Stage, Any] = {
    "subjects": list_subjects,
    "syllabi": write_syllabus,
    "questions": ask_questions,
    "answers": answer_questions,
    "continuations": continue_conversations,
    "judgements": judge_answers,
    "instructions": curate_instructions,
}

PUBLISH_EVERY_SECONDS = 60.0


@flow(name="discipline", flow_run_name="{discipline_id}", task_runner=threads(), persist_result=False)
def generate_discipline(discipline_id: str, order: Order) -> State[Any]:
    """Make what is missing or stale of one discipline; one failed unit never stops the rest."""
    run = effects(order)
    refreshes = scope(order).mode == "refresh"
    if refreshes and with_store(order, lambda: open_edition(order, discipline_id)).ending:
        return Completed(message="drawn anew by an earlier try of this run")
    retries = scope(order).mode == "retry"
    if retries and with_store(order, lambda: open_retry(order, discipline_id)).finished:
        return Completed(message="asked again by an earlier try of this run")
    walk = with_store(order, lambda: walk_of(order, discipline_id))
    making = _Making(walk, order, publishes=not refreshes)
    try:
        making.all()
    finally:
        with_store(order, making.publish)
    if making.failed == 0 and making.left == 0:
        if refreshes:
            with_store(order, lambda: finish_edition(order, discipline_id))
        if retries:
            with_store(order, lambda: finish_retry(order, discipline_id))
        with_store(order, lambda: drop_orphans(run.store, discipline_id, order.run_id, now))
    return _end(making)


def _end(making: "_Making") -> State[Any]:
    count = progress.of(making.order.run_id).total(making.discipline_id)
    figures = f"{count.made} units made, {count.done_before} up to date, rows quarantined: {count.quarantined}"
    if isinstance(making.fatal, errors.Cancelled):
        return stopped(making.fatal, f"{figures}; {making.fatal}")
    if making.left and making.fatal is None:
        spent = progress.of(making.order.run_id).spent
        return Completed(name="BudgetSpent", message=f"{figures}, {making.left} units left: {spent}")
    if making.failed == 0:
        name = "PartiallyCompleted" if count.quarantined else None
        return Completed(message=figures, name=name) if name else Completed(message=figures)
    figures = f"{figures}, {making.failed} units failed: {making.last_reason}"
    if making.fatal is not None or count.made == 0:
        return Failed(message=figures)
    return Completed(message=figures, name="PartiallyCompleted")


@dataclass
class _Making:
    """The units of one discipline on their way: what waits, what is open, what is committed but not yet published."""

    walk: Walk
    order: Order
    publishes: bool  # as units end; what a refresh makes is not to be seen before it is whole
    failed: int = 0
    left: int = 0  # units that the budget did not reach
    last_reason: str = ""
    fatal: GlanError | None = None
    _waiting: deque[Unit] = field(default_factory=deque)
    _open: int = 0
    _ended: "queue.SimpleQueue[tuple[Unit, Receipt | None, PrefectFuture[Receipt]]]" = field(
        default_factory=queue.SimpleQueue
    )
    _unpublished: list[Receipt] = field(default_factory=list)

    @property
    def discipline_id(self) -> str:
        return self.walk.discipline.discipline_id

    def all(self) -> None:
        """Submit unit after unit until none waits and none is open."""
        with ProgressBars(self.order.run_id, self.discipline_id):
            self._await(with_store(self.order, self.walk.first))
            published = time.monotonic()
            most = open_units(self.order)
            while self._waiting or self._open:
                # No more than can work at once, so that a run that is told to stop has no queue to get through.
                while self._waiting and self._open < most:
                    self._submit(self._waiting.popleft())
                if self._open:
                    self._take(*self._ended.get())
                if time.monotonic() - published > PUBLISH_EVERY_SECONDS:
                    with suppress(StoreWeather):  # what could not be named yet is named the next time
                        self.publish()
                    published = time.monotonic()

    def publish(self) -> None:
        """Name what is committed, so that readers see it."""
        if not self.publishes:
            return
        run = effects(self.order)
        units = [receipt for receipt in self._unpublished if receipt.stage in ASKING]
        publish_units(run.store, self.discipline_id, units, self.order.run_id, now)
        publish_snapshot(run.store, [self.discipline_id], self.order.run_id, now)
        self._unpublished.clear()

    def _await(self, units: Iterable[Unit]) -> None:
        for unit in units:
            progress.of(self.order.run_id).found(self.discipline_id, unit.stage)
            self._waiting.append(unit)

    def _submit(self, unit: Unit) -> None:
        try:
            done = with_store(self.order, lambda: self.walk.done(unit))
        except Unreadable as error:
            self._note_failure(unit, error)
            return
        # Units that ask no model go on when the budget is spent.
        if done is None and unit.stage in ASKING and progress.of(self.order.run_id).spent is not None:
            self.left += 1
            return
        # The store decides what is done; Prefect's record of a unit whose object is gone must not hide that.
        task = TASK_OF[unit.stage].with_options(refresh_cache=done is None)
        future = task.submit(unit, self.order, done)
        self._open += 1
        future.add_done_callback(lambda ended: self._ended.put((unit, done, ended)))

    def _take(self, unit: Unit, done: Receipt | None, future: PrefectFuture[Receipt]) -> None:
        """A task has ended: count it and submit what follows."""
        self._open -= 1
        counts = progress.of(self.order.run_id)
        result = result_of(future)
        if done is not None and isinstance(result, Receipt):
            result = done  # what Prefect shows as Cached may be from before the unit moved into a merged part
        if isinstance(result, BudgetSpent):
            self.left += 1
            counts.spent_by(str(result))
            return
        if not isinstance(result, Receipt):
            self._note_failure(unit, result)
            return
        if done is None:
            counts.made(result)
        if self.walk.shelf.named[unit.stage].get(unit.address) != result:
            self._unpublished.append(result)
        try:
            below = with_store(self.order, lambda: self.walk.after(unit, result)) if self.fatal is None else []
        except Unreadable as error:
            self._note_failure(unit, error)
            return
        if done is not None:
            counts.was_done(result)
        self._await(below)

    def _note_failure(self, unit: Unit, error: Any) -> None:
        self.failed += 1
        self.last_reason = str(error) or type(error).__name__
        progress.of(self.order.run_id).failed(self.discipline_id, unit.stage, unit.node, self.last_reason)
        if isinstance(error, (EndpointRefused, errors.Cancelled)):
            self.fatal = error
            self._waiting.clear()
            progress.of(self.order.run_id).ended_by(self.last_reason)
            stop(self.order, error)
