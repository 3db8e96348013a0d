"""Steps of prefect.yaml: what is looked up when it is deployed, and the folder that a run works in."""

import atexit
import functools
import os
import sys
from pathlib import Path

from prefect import get_client
from prefect.exceptions import ObjectNotFound

import glan
from glan.errors import GlanError, InputError
from glan.settings import Settings
from glan.store import taxonomies
from glan.store.store import Store
from tasks.choices import refresh_choices

NIGHTLY = "expand/expand-nightly"
SLUG = "nightly"


def look_around() -> dict[str, object]:
    """What prefect.yaml leaves open. `prefect deploy` makes forms by itself, so their choices are put in at its end."""
    found = {"version": glan.__version__, "timezone": Settings.load().timezone, "nightly": _nightly()}
    _offer_choices_at_exit()
    return found


def enter_folder() -> dict[str, str]:
    """The folder that the worker was started in: there lie `.env`, `glan.toml` and a store with a relative name.

    Raises:
        InputError: that folder is not known, and without it the data would be lost with the run's temporary one.
    """
    folder = Path(os.environ.get("PWD", ""))
    if folder.is_absolute() and folder.is_dir():
        return {"directory": str(folder)}
    store = Settings.load().store
    if "://" in store or Path(store).is_absolute():
        return {"directory": os.getcwd()}
    raise InputError(
        f"GLAN_STORE: `{store}` is relative to a folder, and the worker does not say which (PWD is not set); "
        "set GLAN_STORE to an absolute folder or to s3://bucket/prefix"
    )


def _nightly() -> bool:
    """Whether somebody has switched the nightly run on; off where it was never deployed."""
    with get_client(sync_client=True) as client:
        try:
            deployed = client.read_deployment_by_name(NIGHTLY)
        except ObjectNotFound:
            return False
    return any(schedule.active for schedule in deployed.schedules if schedule.slug == SLUG)


@functools.cache
def _offer_choices_at_exit() -> None:
    atexit.register(_offer_choices)


def _offer_choices() -> None:
    try:
        refresh_choices(taxonomies.current(Store.open(Settings.load().store)))
    except GlanError as error:
        sys.stderr.write(f"glan: the forms offer no disciplines to choose from: {error}\n")
