"""A release of the kept instructions, from the newest snapshot of the store."""

from functools import partial
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed

from flows.endings import told
from flows.parameters import PublishConfig
from glan.names import shown
from tasks.publishing import write_release
from tasks.waiting import patiently


@flow(name="publish", flow_run_name="publish {config.release}", persist_result=False)
@told
def publish_release(config: PublishConfig) -> State[Any]:
    """Write the release that the form names; one that is there already, with the same rows, is left as it is."""
    given = config.release, config.disciplines, config.options, config.to, config.public
    manifest, copied = patiently(partial(write_release, *given))
    begin = "already published" if manifest.already_published else "published"
    end = f"; {'copied' if copied else 'nothing to copy'} to {shown(config.to, 200)}" if config.to else ""
    return Completed(message=f"{begin}: {manifest.rows:,} instructions as release {manifest.release}{end}")
