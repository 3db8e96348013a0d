"""`glan publish`: a release of the kept instructions, and a copy of it elsewhere."""

from collections.abc import Iterable
from typing import Any

from pydantic import ValidationError

from flows.terminal.screen import explained, out, show_json, show_table
from glan.checks import explain
from glan.clock import now
from glan.errors import InputError
from glan.names import shown
from glan.release.releases import ReleaseOptions, folder
from glan.settings import Settings
from glan.store.store import Store
from glan.wording import counted


def publish_release(
    release: str, disciplines: list[str] | None, given: dict[str, Any], to: str | None, public: bool, as_json: bool
) -> None:
    """`glan publish`."""
    from glan.release.copies import publish_and_copy

    with explained():
        options = release_options(given)
        if to is not None and not to.strip():
            raise InputError(
                "--to: the address is empty; name a folder, s3://bucket/folder or hf://datasets/OWNER/NAME"
            )
        store = Store.existing(Settings.load().store)
        manifest, copied = publish_and_copy(
            store, release, to or "", public, disciplines=disciplines, options=options, run_id="publish", clock=now
        )
    if as_json:
        show_json({**manifest.model_dump(mode="json"), **({"files_copied": copied} if to else {})})
        return
    rows = ", ".join(f"{split} {rows:,}" for split, rows in manifest.splits.items())
    out.print(f"Release {release}: {rows} in {store.files.address(folder(release))}", highlight=False)
    if manifest.left_out:
        shared = "they share what rows that are held out, here or in an earlier release, must not share"
        out.print(f"{counted(manifest.left_out, 'kept row')} left out: {shared}.", highlight=False)
    if to:
        begin = "Copied to" if copied else "Nothing to copy, all of it is at"
        out.print(f"{begin} {shown(to, 200)}", highlight=False)
    data = [file for file in manifest.files if file.rows is not None]
    show_table("Files", [{"path": file.path, "rows": file.rows, "bytes": file.size} for file in data])


def release_options(given: dict[str, Any]) -> ReleaseOptions:
    """The options of `glan publish`, checked; `weights` and `require` as NAME=NUMBER each.

    Raises:
        InputError: one is wrong.
    """
    named = {
        "weights": _numbers("weight", given.get("weights", ()), "physics=2"),
        "require": _numbers("require", given.get("require", ()), "rows=50"),
    }
    try:
        return ReleaseOptions.model_validate({**given, **named})
    except ValidationError as error:
        raise InputError(f"publish: {explain(error, ReleaseOptions.model_fields)}") from error


def _numbers(option: str, given: Iterable[str], example: str) -> dict[str, float]:
    """NAME=NUMBER each, as numbers by name."""
    found = {}
    for one in given:
        name, _, number = one.rpartition("=")
        if name in found:
            raise InputError(f"--{option}: {shown(name)} is given twice; keep one of the two")
        try:
            found[name] = float(number)
        except ValueError:
            name = ""
        if not name:
            raise InputError(f"--{option}: '{shown(one)}' is not NAME=NUMBER, such as {example}")
    return found
