"""Commands that look, and those that write without asking a model: files, taxonomy, publish."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from flows.terminal import counted, explained, out, show_json, show_table
from glan import taxonomy as trees
from glan.checks import explain
from glan.drafting import keeping
from glan.errors import InputError
from glan.names import shown
from glan.release.releases import ReleaseOptions
from glan.settings import Settings
from glan.store import taxonomies
from glan.store.store import Store
from glan.taxonomy import Taxonomy
from tasks.preparation import current_taxonomy, publish_taxonomy, seed_taxonomy


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


def write_report(out_file: Path, as_json: bool) -> None:
    """`glan report`."""
    from glan.dataset import View
    from glan.report.figures import figures
    from glan.report.ledger import money
    from glan.report.page import page
    from glan.report.samples import MANY
    from tasks.wiring import now

    with explained():
        store = Store.open(Settings.load().store)
        if not store.begun():
            raise InputError(f"there is no store at {store.files.url}: name another, or make it with `glan run`")
        read = figures(View.open(store, "latest"), MANY)
        try:
            out_file.write_text(page(read, now()), encoding="utf-8")
        except OSError as error:
            raise InputError(f"--out: {out_file} cannot be written: {error.strerror}") from error
    total = read.coverage.total
    counts = {"kept": total.kept, "rejected": total.rejected, "quarantined": total.quarantined}
    if as_json:
        show_json({"report": str(out_file), "store": read.store, "snapshot": read.snapshot, **counts})
        return
    cost = money(read.ledger.total)
    out.print(f"Report in {out_file}: {counted(total.kept, 'instruction')} kept; cost: {cost}.", highlight=False)


def publish_release(
    release: str, disciplines: list[str] | None, given: dict[str, Any], to: str | None, public: bool, as_json: bool
) -> None:
    """`glan publish`."""
    from glan.release.copies import destination
    from glan.release.publish import publish
    from tasks.wiring import now

    with explained():
        options = release_options(given)
        if public and not to:
            raise InputError("--public says who may read a copy on the Hub: name it with --to")
        elsewhere = destination(to, public) if to else None
        store = Store.open(Settings.load().store)
        if elsewhere:
            elsewhere.check()
        manifest = publish(store, release, disciplines=disciplines, options=options, run_id="publish", clock=now)
        copied = elsewhere.copy(store.files, manifest) if elsewhere else 0
    if as_json:
        show_json({**manifest.model_dump(mode="json"), **({"files_copied": copied} if elsewhere else {})})
        return
    rows = ", ".join(f"{split} {rows:,}" for split, rows in manifest.splits.items())
    out.print(f"Release {release}: {rows} in {store.files.url}/v1/releases/{release}", highlight=False)
    if elsewhere:
        begin = "Copied to" if copied else "Nothing to copy, all of it is at"
        out.print(f"{begin} {shown(elsewhere.url, 200)}", highlight=False)
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
        try:
            found[name] = float(number)
        except ValueError:
            raise InputError(f"--{option}: '{shown(one)}' is not NAME=NUMBER, such as {example}") from None
    return found


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
        f"{begin}: {counted(counts['fields'], 'field')}, {counted(counts['sub_fields'], 'sub-field')}, "
        f"{counted(counts['disciplines'], 'discipline')}."
    )
