"""A release of the kept instructions, from the newest snapshot of the store."""

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed

from flows.endings import told
from flows.parameters import PublishConfig
from glan.names import shown
from tasks.publishing import write_release


@flow(name="publish", flow_run_name="publish {config.release}", persist_result=False)
@told
def publish_release(config: PublishConfig) -> State[Any]:
    """Write the release that the form names; one that is there already, with the same rows, is left as it is."""
    manifest, copied = write_release(config.release, config.disciplines, config.options, config.to, config.public)
    begin = "already published" if manifest.already_published else "published"
    end = f"; {'copied' if copied else 'nothing to copy'} to {shown(config.to, 200)}" if config.to else ""
    return Completed(message=f"{begin}: {manifest.rows:,} instructions as release {manifest.release}{end}")
