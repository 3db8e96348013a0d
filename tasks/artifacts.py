"""What a run shows in the Prefect UI: bars while it goes; then figures, coverage, reasons, and where data and report are."""

import base64
import contextlib
import contextvars
import logging
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import TypeVar
from uuid import UUID

from prefect.artifacts import (
    create_image_artifact,
    create_link_artifact,
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)

from glan.clock import now
from glan.curation.curate import Verdicts
from glan.dataset import View
from glan.errors import GlanError
from glan.report.coverage import GoOn, coverage
from glan.report.figures import figures
from glan.report.overview import overview
from glan.report.page import page
from glan.report.picture import headline, picture
from glan.store import runs
from glan.store.store import Store
from glan.units import Stage
from tasks import progress, summary
from tasks.progress import Count

MOVE_EVERY_SECONDS = 1.0

PATIENCE_SECONDS = 10.0
"""What a run waits, at most, for its pictures and tables."""

READING_SHARE = 0.7
"""How much of that the reading of a large store may take; then what needs it is left out, and the rest is still shown."""

_Made = TypeVar("_Made")
_logger = logging.getLogger("glan")


class _Over(Exception):
    """The run waits no longer."""


class ProgressBars:
    """A progress artifact for each stage of a discipline, moved by a thread of its own.

    So that a Prefect server which is slow, or away for a while, does not hold up the units.
    """

    def __init__(self, run_id: str, discipline_id: str) -> None:
        self._progress = progress.of(run_id)
        self._discipline_id = discipline_id
        self._bars: dict[Stage, tuple[UUID, float]] = {}
        self._over = threading.Event()
        context = contextvars.copy_context()
        self._thread = threading.Thread(target=context.run, args=(self._keep_moving,), name="bars", daemon=True)

    def __enter__(self) -> "ProgressBars":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join(PATIENCE_SECONDS)

    def _keep_moving(self) -> None:
        while not self._over.wait(MOVE_EVERY_SECONDS):
            self._update()
        self._update()

    def _update(self) -> None:
        """Move the bars whose figure has changed. A bar that cannot be drawn never stops a run."""
        for stage, count in self._progress.by_stage(self._discipline_id).items():
            if not count.known:
                continue
            percent = round(100 * (count.made + count.done_before + count.failed) / count.known, 1)
            try:
                self._move(stage, percent, count)
            except Exception:
                _logger.debug("progress of %s could not be shown", stage, exc_info=True)

    def _move(self, stage: Stage, percent: float, count: Count) -> None:
        if stage not in self._bars:
            key = f"{stage}-{self._discipline_id}"
            made = create_progress_artifact(percent, key=key, description=f"{stage} of {self._discipline_id}")
            self._bars[stage] = (made if isinstance(made, UUID) else UUID(str(made)), percent)
        elif self._bars[stage][1] != percent:
            bar = self._bars[stage][0]
            update_progress_artifact(bar, percent)
            self._bars[stage] = (bar, percent)


def publish_summary(run_id: str, store: Store, verdicts: Verdicts) -> None:
    """The tables, the picture and the report of a run. One that cannot be made neither fails the run nor delays it long."""
    over = threading.Event()

    def go_on() -> None:
        if over.is_set():
            raise _Over

    def publish() -> None:
        with contextlib.suppress(_Over):
            _publish(run_id, store, verdicts, go_on)

    context = contextvars.copy_context()
    publisher = threading.Thread(target=context.run, args=(publish,), name="summary", daemon=True)
    publisher.start()
    publisher.join(PATIENCE_SECONDS)
    if publisher.is_alive():
        over.set()
        _logger.warning("what Prefect shows of this run is not complete: it took more than %g s", PATIENCE_SECONDS)


def _publish(run_id: str, store: Store, verdicts: Verdicts, go_on: GoOn) -> None:
    """Each artifact by itself, the quick ones first."""
    counts = progress.of(run_id)
    read_on = _until(time.monotonic() + READING_SHARE * PATIENCE_SECONDS, go_on)
    _shown("the summary", lambda: _show_table(counts, verdicts), go_on)
    _shown("the reasons", lambda: _show_reasons(store, counts, verdicts), go_on)
    _shown("the coverage", lambda: _show_coverage(store, read_on), go_on)
    changed = counts.total().made or verdicts.changed
    report = None
    if changed:
        report = _shown("the report", lambda: _keep_report(run_id, store, read_on), go_on)
    _shown("the address of the data", lambda: _show_whereabouts(store, report, bool(changed)), go_on)


def _until(deadline: float, go_on: GoOn) -> GoOn:
    """The same, and no longer than to a moment of the monotonic clock."""

    def read_on() -> None:
        go_on()
        if time.monotonic() > deadline:
            raise TimeoutError("the store is too large to be read in time; `glan report` takes the time")

    return read_on


def _shown(what: str, make: Callable[[], _Made], go_on: GoOn) -> _Made | None:
    go_on()
    try:
        return make()
    except _Over:
        raise
    except Exception as error:
        expected = isinstance(error, GlanError | TimeoutError)
        _logger.warning("%s could not be made: %s", what, error if expected else repr(error))
        _logger.debug("%s", what, exc_info=True)
        return None


def _show_table(counts: progress.Progress, verdicts: Verdicts) -> None:
    create_table_artifact(
        key="glan-summary",
        table=summary.summary(dict(counts.counts), verdicts),
        description="Totals first. Rows, kept and quarantined are all there are in the disciplines of this run; calls, "
        "tokens and cost are those of all its calls, whatever came of them.",
    )


def _show_reasons(store: Store, counts: progress.Progress, verdicts: Verdicts) -> None:
    create_markdown_artifact(
        key="glan-reasons",
        markdown=summary.reasons(store, counts, verdicts),
        description="What is not in the data, and why",
    )


def _show_coverage(store: Store, go_on: GoOn) -> None:
    """The picture is of the whole store, whatever the run was about."""
    covered = coverage(View.open(store, "latest"), go_on)
    image = base64.b64encode(picture(covered).encode()).decode()
    create_image_artifact(
        f"data:image/svg+xml;base64,{image}",
        key="glan-coverage",
        description=f"The whole store: {headline(covered)}",
    )


def _keep_report(run_id: str, store: Store, go_on: GoOn) -> str:
    """Show the plots of the report, and keep it; its path in the store."""
    read = figures(View.open(store, "latest"), go_on=go_on)
    go_on()
    image = base64.b64encode(overview(read)).decode()
    create_image_artifact(f"data:image/png;base64,{image}", key="glan-plots", description="The whole store in plots")
    return runs.keep_report(store.files, run_id, page(read, now(), run_id))


def _show_whereabouts(store: Store, report: str | None, changed: bool) -> None:
    create_markdown_artifact(
        key="glan-data",
        markdown=summary.whereabouts(store, report, changed),
        description="Where the data and the report are, and how to read them",
    )
    if report and store.files.url.startswith("s3://"):
        address = store.files.address(report)
        create_link_artifact(link=address, link_text=address, key="glan-report", description="The report of this run")
