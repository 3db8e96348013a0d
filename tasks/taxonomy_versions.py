"""A tree -> the next version of the taxonomy in the store, which the forms on the Prefect server then offer."""

from pathlib import Path

from glan import taxonomy
from glan.clock import now
from glan.store import taxonomies
from glan.store.store import Store
from glan.taxonomy import Taxonomy
from tasks import choices


def seed_taxonomy(store: Store) -> None:
    """Make the shipped taxonomy version 1 of a store that has none."""
    if not taxonomies.versions(store.files):
        publish_taxonomy(store, taxonomy.shipped(), expected_latest=None)


def publish_taxonomy(store: Store, tree: Taxonomy, expected_latest: int | None, run_id: str = "") -> int:
    """Publish a version and let the forms on the Prefect server offer it; the new version's number.

    `run_id` says what the version came from, where it is not a person's file or command.
    """
    version = (expected_latest or 0) + 1
    rows = tree.rows(version)
    published = taxonomies.publish(store.files, rows, expected_latest=expected_latest, run_id=run_id, clock=now)
    if expected_latest is not None:
        choices.follow(tree)
    return published


def use_taxonomy(store: Store, path: Path) -> int:
    """Make a person's file the current taxonomy; the number of its version, which is the present one if it is equal."""
    tree = taxonomy.read(path)
    store.start()
    versions = taxonomies.versions(store.files)
    if versions and taxonomies.current(store).rows(0) == tree.rows(0):
        return versions[-1]
    return publish_taxonomy(store, tree, expected_latest=versions[-1] if versions else None)
