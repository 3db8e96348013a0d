"""The main job: disciplines through all stages, from the taxonomy to curated instructions."""

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from flows.disciplines import make_disciplines
from flows.endings import told
from glan.config import RunConfig


@flow(name="generate", flow_run_name="generate {config.selected}", persist_result=False)
@told
def generate(config: RunConfig = RunConfig()) -> State[Any]:
    """Make what is missing or stale of the disciplines named, through all stages up to curated instructions."""
    return make_disciplines(config)
