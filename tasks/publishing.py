"""Kept instructions -> a release, as a Prefect task."""

import logging
from collections.abc import Sequence

from prefect import runtime, task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE

from glan.clock import now
from glan.release.copies import publish_and_copy
from glan.release.releases import ReleaseManifest, ReleaseOptions, folder
from glan.settings import Settings
from glan.store.store import Store
from tasks.inert import plain


@task(name="publish", task_run_name="publish {release}", cache_policy=NO_CACHE, persist_result=False)
def write_release(
    release: str, disciplines: Sequence[str], options: ReleaseOptions, to: str, public: bool
) -> tuple[ReleaseManifest, int]:
    """Write a release, copy it if it is wanted elsewhere too, and show what is in it; how many files were copied.

    Raises:
        InputError: there is no store, or see `publish_and_copy`.
    """
    store = Store.existing(Settings.load().store)
    run_id = str(runtime.flow_run.id)
    manifest, copied = publish_and_copy(
        store, release, to, public, disciplines=disciplines or None, options=options, run_id=run_id, clock=now
    )
    _show(store, manifest)
    return manifest, copied


def _show(store: Store, manifest: ReleaseManifest) -> None:
    """What came out, as an artifact. One that cannot be shown never fails the release, which is there by then."""
    place = store.files.address(folder(manifest.release))
    try:
        create_table_artifact(
            key="glan-release",
            table=[{"file": file.path, "rows": file.rows, "bytes": file.size} for file in manifest.files],
            description=f"{manifest.rows:,} instructions of snapshot {manifest.snapshot} in {plain(place)}",
        )
    except Exception:
        logging.getLogger("glan").warning("the release could not be shown in Prefect", exc_info=True)
