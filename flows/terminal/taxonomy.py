"""`glan taxonomy show|validate|add|import`: the tree of disciplines, and new versions of it from people's files."""

from pathlib import Path
from typing import Any

from flows.terminal.screen import explained, out, show_json
from glan import taxonomy as trees
from glan.drafting import keeping
from glan.errors import InputError
from glan.settings import Settings
from glan.store import taxonomies
from glan.store.store import Store
from glan.taxonomy import Taxonomy
from glan.wording import counted
from tasks.taxonomy_versions import publish_taxonomy, seed_taxonomy


def show_taxonomy(version: int | None, as_json: bool) -> None:
    """`glan taxonomy show`."""
    with explained():
        store = Store.open(Settings.load().store)
        versions = taxonomies.versions(store.files)
        if version is not None and version not in versions:
            known = ", ".join(map(str, versions)) or "none"
            raise InputError(f"--version: the store has no version {version} of the taxonomy; it has {known}")
        tree = taxonomies.current(store) if version is None else trees.from_table(taxonomies.at(store.files, version))
        number = version or (versions[-1] if versions else 0)
        review = keeping.review_of(store.files, number) if number else None
    if as_json:
        show_json(tree.rows(number))
        return
    out.print(trees.to_yaml(tree), markup=False, highlight=False)
    _say_counts(tree, f"Version {number}" if number else "The shipped taxonomy, not yet in a store")
    if review:
        who = ", ".join(one.name for one in review.annotators)
        record = store.files.address(keeping.review_path(review))
        out.print(f"Decided by {who}; record: {record}", markup=False, highlight=False)


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
        _publish(store, trees.added(taxonomies.current(store), field, sub_field, discipline), as_json)


def import_taxonomy(file: Path, replace: bool, as_json: bool) -> None:
    """`glan taxonomy import`."""
    with explained():
        given = trees.read(file)
        store = Store.open(Settings.load().store)
        _publish(store, given if replace else trees.extended(taxonomies.current(store), given), as_json)


def _publish(store: Store, tree: Taxonomy, as_json: bool) -> None:
    store.start()
    seed_taxonomy(store)
    version = taxonomies.versions(store.files)[-1]
    if tree.rows(version) != taxonomies.current(store).rows(version):
        version = publish_taxonomy(store, tree, expected_latest=version)
    if as_json:
        show_json({"version": version, **tree.counts._asdict()})
    else:
        _say_counts(tree, f"Version {version} is current")


def _say_counts(tree: Taxonomy, begin: str) -> None:
    counts: dict[str, Any] = tree.counts._asdict()
    out.print(
        f"{begin}: {counted(counts['fields'], 'field')}, {counted(counts['sub_fields'], 'sub-field')}, "
        f"{counted(counts['disciplines'], 'discipline')}."
    )
