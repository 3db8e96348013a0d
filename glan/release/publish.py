"""Snapshot -> a release: `<store>/v1/releases/<release>/`, written once, finished by its manifest."""

import hashlib
from collections.abc import Collection, Iterator
from functools import partial

import pyarrow.compute as pc

from glan import __version__
from glan.clock import Clock
from glan.curation.verdicts import SAME_MEANING
from glan.dataset import View
from glan.errors import InputError
from glan.keys import digest
from glan.release import chat, figures, judged, licences
from glan.release.card import card
from glan.release.figures import Figures
from glan.release.formats import FORMATS, Row, kinds
from glan.release.meaning import Compared
from glan.release.measures import Measured, coverage_csv
from glan.release.pictures import pictures
from glan.release.places import NOT_SAMPLED, places
from glan.release.releases import (
    MANIFEST,
    PLAN,
    ReleaseFile,
    ReleaseManifest,
    ReleaseOptions,
    ReleasePlan,
    begun,
    find,
    finished,
    folder,
)
from glan.release.requirements import Requirements, check
from glan.release.shards import Shards
from glan.release.splits import LEFT_OUT, SPLITS, Places
from glan.report.ledger import ledger
from glan.store import parts, snapshots
from glan.store.files import Files
from glan.store.store import Store

ROWS_PER_SHARD = 25_000
"""A shard is sent in one piece, so this bounds memory: some 100 MB as JSON lines at the usual length."""

_COLUMNS = list(dict.fromkeys((*chat.READS, *figures.READS, *judged.READS)))


def publish(
    store: Store,
    release: str,
    *,
    disciplines: Collection[str] | None = None,
    options: ReleaseOptions = ReleaseOptions(),
    run_id: str,
    clock: Clock,
) -> ReleaseManifest:
    """Write the kept instructions of the latest snapshot as chat files with a data card; the release exists with its manifest.

    A release that was cut off is finished from the snapshot it was begun with. One that is finished never changes:
    publishing the same rows under its name again changes nothing and returns it, marked `already_published`.

    Args:
        disciplines: ids or names; none: all that the snapshot names.

    Raises:
        InputError: the name, a discipline or a weight is wrong; no row is kept (nothing is written);
            or the name belongs to a release of other rows.
    """
    wanted = _plan(store, release, disciplines, options, run_id, clock)
    done = find(store.files, release)
    if done is not None:
        if _content(done) != _content(wanted):
            raise InputError(
                f"the release {release} is published from snapshot {done.snapshot} with other content, and a release "
                "never changes; choose another name"
            )
        return done.model_copy(update={"already_published": True})
    return _finish(store, _begin(store, wanted))


def _plan(
    store: Store,
    release: str,
    disciplines: Collection[str] | None,
    options: ReleaseOptions,
    run_id: str,
    clock: Clock,
) -> ReleasePlan:
    folder(release)  # the name is looked at before anything is read
    view = View.open(store, "latest", disciplines)
    if view.snapshot is None:
        raise InputError(
            f"{store.files.url} has no snapshot yet, so there is nothing to publish; let a run finish first"
        )
    return ReleasePlan(
        release=release,
        snapshot=view.snapshot.number,
        disciplines=None if view.disciplines is None else tuple(sorted(view.disciplines)),
        options=options.model_copy(update={"formats": tuple(name for name in FORMATS if name in options.formats)}),
        after=tuple(one.release for one in finished(store.files) if one.release != release),
        source=_source(view),
        glan_version=__version__,
        run_id=run_id,
        created_at=clock(),
    )


def _source(view: View) -> str:
    """Which rows these are, wherever they are stored: merging objects does not make other rows."""
    units = view.receipts("instructions")
    return digest([[unit.discipline_id, unit.unit, unit.key, unit.edition, unit.content_digest] for unit in units])


def _content(plan: ReleasePlan) -> tuple[object, ...]:
    return plan.source, plan.options.model_dump(exclude={"require"})


def _begin(store: Store, wanted: ReleasePlan) -> ReleasePlan:
    """The plan under which this name was begun, which is `wanted` if it is new."""
    plan = begun(store.files, wanted.release)
    if plan is None:
        licences.check(wanted.options.license, wanted.options.license_link)
        view = _view(store, wanted)
        if not _any_kept(view):
            raise InputError(
                f"snapshot {wanted.snapshot} has no kept instructions to publish; "
                'see why in the `reasons` of glan.load("instructions")'
            )
        placed = places(view, wanted)  # a wrong weight, or too little of something, is told before the name is taken
        if not (placed < len(SPLITS)).any():
            raise InputError(
                f"no row of snapshot {wanted.snapshot} would be in the release; name other languages, weights or rows"
            )
        if wanted.options.require != Requirements():
            measured = Measured(view, placed, wanted.options)
            check(wanted.options.require, measured.nodes, measured.diversity)
        wanted = wanted.model_copy(update={"conversations": _any_continued(view)})
        body = wanted.model_dump_json(indent=2).encode()
        if store.files.create(f"{folder(wanted.release)}/{PLAN}", body):
            return wanted
        plan = begun(store.files, wanted.release) or wanted
    if (plan.options, plan.disciplines) != (wanted.options, wanted.disciplines):
        raise InputError(
            f"the release {plan.release} was begun from snapshot {plan.snapshot} with other disciplines or options "
            "and is not finished; finish it with the same ones or choose another name"
        )
    return plan


def _view(store: Store, plan: ReleasePlan) -> View:
    disciplines = None if plan.disciplines is None else frozenset(plan.disciplines)
    return View(store, snapshots.at(store.files, plan.snapshot), disciplines)


def _any_kept(view: View) -> bool:
    return any(pc.any(table["kept"]).as_py() for table in view.tables("instructions", ["kept"]))


def _any_continued(view: View) -> bool:
    tables = view.tables("instructions", ["kept", "turns"])
    return any(pc.any(pc.and_(table["kept"], pc.is_valid(table["turns"]))).as_py() for table in tables)


def _finish(store: Store, plan: ReleasePlan) -> ReleaseManifest:
    view, counted = _view(store, plan), Figures()
    placed = places(view, plan)
    measured = Measured(view, placed, plan.options)
    with Shards(
        ROWS_PER_SHARD, kinds(plan.options.formats, plan.conversations), partial(_send, store.files, plan)
    ) as shards:
        for split, row in _chat_rows(view, counted, placed):
            shards.add(split, row)
    spent = ledger(view, until=plan.created_at)  # what comes later would make another card, if this is finished later
    text = card(plan, counted, measured, figures.authors(view), spent)
    readme = _send(store.files, plan, "README.md", text.encode())
    drawn = [_send(store.files, plan, path, body) for path, body in pictures(counted, measured).items()]
    coverage = _send(store.files, plan, "coverage.csv", coverage_csv(measured.nodes))
    manifest = ReleaseManifest(
        **plan.model_dump(),
        rows=counted.rows,
        splits=dict(counted.splits),
        left_out=int((placed == LEFT_OUT).sum()),
        not_sampled=int((placed == NOT_SAMPLED).sum()),
        rejected=counted.rejected,
        rejected_by_reason=dict(sorted(counted.reasons.items())),
        files=(*shards.sent, coverage, *drawn, readme),
    )
    _send(store.files, plan, MANIFEST, manifest.model_dump_json(indent=2).encode())
    return manifest


def _chat_rows(view: View, counted: Figures, placed: Places) -> Iterator[tuple[str, Row]]:
    """The rows of the release with their splits, by discipline, unit and place; `counted` is fed on the way."""
    number, judges, compared, receipts = 0, judged.Judged(view), Compared(view), view.receipts("instructions")
    for receipt, table in zip(receipts, parts.tables(view.store, receipts, _COLUMNS), strict=True):
        kept = pc.fill_null(table["kept"], False)
        counted.add_rejected(rejected := table.filter(pc.invert(kept)))
        alike = pc.sum(pc.equal(pc.list_flatten(rejected["reasons"]), SAME_MEANING)).as_py()
        if alike and (by := compared.by(receipt.discipline_id)) is not None:
            counted.add_compared(by, rows=alike)
        rows = table.filter(kept).to_pylist()
        if (settings := judges.by(receipt, table)) is not None:
            counted.add_judged(settings, rows=table.num_rows)
        for row, place in zip(rows, placed[number : number + len(rows)].tolist(), strict=True):
            row["language"] = row["language"] or (settings and settings.language)
            if place < len(SPLITS):
                counted.add_kept(row, SPLITS[place])
                yield SPLITS[place], chat.chat_row(row)
        number += len(rows)


def _send(files: Files, plan: ReleasePlan, path: str, body: bytes, rows: int | None = None) -> ReleaseFile:
    """Create one file of the release, or find it there from an earlier attempt."""
    whole = f"{folder(plan.release)}/{path}"
    if not files.create(whole, body) and files.read(whole) != body:
        raise InputError(
            f"{whole} was begun by another version of glan or its libraries and cannot be finished by this one; "
            "choose another release name"
        )
    return ReleaseFile(path=path, rows=rows, size=len(body), sha256=hashlib.sha256(body).hexdigest())
