"""Prefect's process worker, patient with resumed runs: `python -m deployments.prefect_worker` takes the options of `prefect`.

A run that waited for a person may be resumed before its old process has gone. Prefect's own worker, if it has a limit,
dies when it is handed such a run; this one leaves it to its next look.
"""

import warnings
from typing import TYPE_CHECKING, Any

from prefect.cli import app
from prefect.workers.process import ProcessWorker

if TYPE_CHECKING:
    from prefect.client.schemas.objects import FlowRun
    from prefect.client.schemas.responses import WorkerFlowRunResponse


with warnings.catch_warnings():
    warnings.simplefilter("ignore", UserWarning)  # that it takes the place of another

    class PatientWorker(ProcessWorker):
        """Takes the place of the worker for pools of type process."""

        type = "process"

        async def _submit_scheduled_flow_runs(
            self, flow_run_response: "list[WorkerFlowRunResponse]"
        ) -> "list[FlowRun]":
            leaving: Any = self._limiter.statistics().borrowers if self._limiter else ()
            free = [entry for entry in flow_run_response if entry.flow_run.id not in leaving]
            return await super()._submit_scheduled_flow_runs(free)


if __name__ == "__main__":
    app()
