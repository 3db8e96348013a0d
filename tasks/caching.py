"""What makes a Prefect task of a stage: its name, its cache key, when it is tried again."""

from collections.abc import Callable
from typing import Any, ParamSpec

from prefect import Task, task
from prefect.client.schemas.objects import State, TaskRun
from prefect.context import TaskRunContext
from prefect.tasks import exponential_backoff

from glan.errors import RETRYABLE
from glan.units import Receipt, Stage, Unit

RETRIES = 3
BACKOFF_SECONDS = 10.0
JITTER = 0.5
"""Retries come after about 10, 20 and 40 s, each spread over half of itself more or less."""

Parameters = ParamSpec("Parameters")


def unit_cache_key(context: TaskRunContext, parameters: dict[str, Any]) -> str:
    """Stage, node and `unit_key`: explicit, for Prefect's own policies are blind to prompts or mix stages up."""
    unit: Unit = parameters["unit"]
    return f"{unit.stage}/{unit.discipline_id}/{unit.address}-{unit.key}"


def passing(task: Task[..., Any], task_run: TaskRun, state: State[Any]) -> bool:
    """Whether a failure is weather, which another try may cure."""
    return isinstance(state.result(raise_on_failure=False), RETRYABLE)


def unit_task(stage: Stage) -> Callable[[Callable[Parameters, Receipt]], Task[Parameters, Receipt]]:
    """Make a task of a synchronous function whose first parameter is `unit`, a unit of this stage."""
    return task(
        name=stage,
        task_run_name=f"{stage} {{unit.node}}",
        cache_key_fn=unit_cache_key,
        result_serializer="json",
        cache_result_in_memory=False,
        persist_result=True,
        log_prints=False,
        retries=RETRIES,
        retry_delay_seconds=exponential_backoff(backoff_factor=BACKOFF_SECONDS),
        retry_jitter_factor=JITTER,
        retry_condition_fn=passing,
    )
