"""What makes a Prefect task of a stage: its name, its cache key, when it is tried again."""

import functools
import random
from collections.abc import Callable
from typing import Any

from prefect import Task, task
from prefect.client.schemas.objects import State, TaskRun
from prefect.context import TaskRunContext

from glan.errors import RETRYABLE
from glan.units import Receipt, Stage, Unit
from tasks import wiring
from tasks.receipts import SERIALIZER
from tasks.wiring import Order

RETRIES = 3
BACKOFF_SECONDS = 10.0
JITTER = 0.5
"""Retries come after about 10, 20 and 40 s, each spread over half of itself more or less."""

Work = Callable[[Unit, Order, Receipt | None], Receipt]


def unit_cache_key(context: TaskRunContext, parameters: dict[str, Any]) -> str:
    """Stage, node and `unit_key`: explicit, for Prefect's own policies are blind to prompts or mix stages up."""
    unit: Unit = parameters["unit"]
    return f"{unit.stage}/{unit.discipline_id}/{unit.address}-{unit.key}"


def passing(task: Task[..., Any], task_run: TaskRun, state: State[Any]) -> bool:
    """Whether a failure is weather, which another try may cure."""
    return isinstance(state.result(raise_on_failure=False), RETRYABLE)


def unit_task(stage: Stage) -> Callable[[Work], Task[..., Receipt]]:
    """Make a task of a synchronous function of a unit of this stage, the run's order and the unit's receipt, if any."""

    as_task = task(
        name=stage,
        task_run_name=f"{stage} {{unit.node}}",
        cache_key_fn=unit_cache_key,
        result_serializer=SERIALIZER,
        cache_result_in_memory=False,
        persist_result=True,
        log_prints=False,
        retries=RETRIES,
        retry_condition_fn=passing,
    )
    return lambda work: as_task(_patient(work))


def _patient(work: Work) -> Work:
    """The same work, which waits before another try. Prefect's own wait cannot be ended when the run is to stop."""

    @functools.wraps(work)
    def patient(unit: Unit, order: Order, done: Receipt | None = None) -> Receipt:
        context = TaskRunContext.get()
        retry = context.task_run.run_count - 1 if context else 0
        if retry > 0:
            wiring.rest(order, BACKOFF_SECONDS * 2 ** (retry - 1) * random.uniform(1 - JITTER, 1 + JITTER))
            wiring.await_store(order)  # a store that is away for minutes would use up all tries
        return work(unit, order, done)

    return patient
