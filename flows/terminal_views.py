"""Commands that look, and those that write without asking a model: status, files, taxonomy, publish."""

import json as jsonlib
from pathlib import Path
from typing import Any

from flows.terminal import explained, out, show_json, show_table
from glan import taxonomy as trees
from glan.config import RunConfig
from glan.errors import InputError
from glan.planning.status import status
from glan.prompts import Prompts
from glan.settings import Settings
from glan.stages.recipe import Recipe
from glan.store import taxonomies
from glan.store.store import Store
from glan.taxonomy import Taxonomy
from tasks.preparation import current_taxonomy, publish_taxonomy, seed_taxonomy


def show_status(run_file: Path | None, disciplines: list[str], as_json: bool) -> None:
    """`glan status`."""
    with explained():
        settings = Settings.load()
        store = Store.open(settings.store)
        config = _config_of(store, settings, run_file)
        selected = current_taxonomy(store).select(disciplines or config.disciplines)
        table = status(store, selected, Recipe(config, Prompts.load(settings.prompts)))
    if as_json:
        show_json(table.to_dict("records"))
        return
    figures = ["done", "stale", "quarantined", "orphaned", "rows"]
    begun = table.groupby("discipline_id", sort=False)[figures].transform("sum").sum(axis=1) > 0
    show_table("Units by discipline and stage", table[begun].to_dict("records"))
    idle = table.loc[~begun, "discipline_id"].nunique()
    if idle:
        out.print(f"{idle} disciplines have not begun.")


def _config_of(store: Store, settings: Settings, run_file: Path | None) -> RunConfig:
    """The run file's configuration, or that of the last run in the store."""
    if run_file is not None:
        return settings.resolved(RunConfig.from_file(run_file))
    runs = [jsonlib.loads(store.files.read(entry.path)) for entry in store.files.list("_runs/")]
    if not runs:
        raise InputError(f"{store.files.url}: no run is on record there; start one with `glan run`, or name a RUN.toml")
    last = max(runs, key=lambda run: str(run["started_at"]))
    return RunConfig.model_validate_json(store.files.read(f"_inputs/config/{last['config']}.json"))


def show_files(stage: str, disciplines: list[str] | None, as_json: bool) -> None:
    """`glan files`."""
    from glan.dataset import files

    with explained():
        paths = files(stage, disciplines=disciplines)
    if as_json:
        show_json(paths)
    else:
        for path in paths:
            out.print(path, markup=False, highlight=False)


def publish_release(release: str, disciplines: list[str] | None, formats: list[str], as_json: bool) -> None:
    """`glan publish`."""
    from glan.release.publish import publish
    from tasks.wiring import now

    with explained():
        store = Store.open(Settings.load().store)
        manifest = publish(store, release, disciplines=disciplines, formats=tuple(formats), run_id="publish", clock=now)
    if as_json:
        show_json(manifest.model_dump(mode="json"))
        return
    out.print(f"Release {release}: {manifest.rows:,} instructions in {store.files.url}/v1/releases/{release}")
    show_table("Files", [{"path": file.path, "rows": file.rows, "bytes": file.size} for file in manifest.files])


def show_taxonomy(version: int | None, as_json: bool) -> None:
    """`glan taxonomy show`."""
    with explained():
        store = Store.open(Settings.load().store)
        versions = taxonomies.versions(store.files)
        if version is not None and version not in versions:
            known = ", ".join(map(str, versions)) or "none"
            raise InputError(f"--version: the store has no version {version} of the taxonomy; it has {known}")
        tree = current_taxonomy(store) if version is None else trees.from_table(taxonomies.at(store.files, version))
    number = version or (versions[-1] if versions else 0)
    if as_json:
        show_json(tree.rows(number))
        return
    out.print(trees.to_yaml(tree), markup=False, highlight=False)
    _say_counts(tree, f"Version {number}" if number else "The shipped taxonomy, not yet in a store")


def validate_taxonomy(file: Path, as_json: bool) -> None:
    """`glan taxonomy validate`."""
    with explained():
        tree = trees.read(file)
    if as_json:
        show_json({"file": str(file), "valid": True, **tree.counts._asdict()})
    else:
        _say_counts(tree, f"{file} is a valid taxonomy")


def add_discipline(field: str, sub_field: str, discipline: str, as_json: bool) -> None:
    """`glan taxonomy add`."""
    with explained():
        store = Store.open(Settings.load().store)
        _publish(store, trees.added(current_taxonomy(store), field, sub_field, discipline), as_json)


def import_taxonomy(file: Path, replace: bool, as_json: bool) -> None:
    """`glan taxonomy import`."""
    with explained():
        given = trees.read(file)
        store = Store.open(Settings.load().store)
        _publish(store, given if replace else trees.extended(current_taxonomy(store), given), as_json)


def _publish(store: Store, tree: Taxonomy, as_json: bool) -> None:
    store.start()
    seed_taxonomy(store)
    version = taxonomies.versions(store.files)[-1]
    if tree.rows(version) != current_taxonomy(store).rows(version):
        version = publish_taxonomy(store, tree, expected_latest=version)
    if as_json:
        show_json({"version": version, **tree.counts._asdict()})
    else:
        _say_counts(tree, f"Version {version} is current")


def _say_counts(tree: Taxonomy, begin: str) -> None:
    counts: dict[str, Any] = tree.counts._asdict()
    out.print(
        f"{begin}: {counts['fields']} fields, {counts['sub_fields']} sub-fields, {counts['disciplines']} disciplines."
    )
