"""What a run shows in the Prefect UI: a bar for each stage, a table of figures, what was quarantined and why."""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from types import TracebackType
from typing import Any
from uuid import UUID

from prefect.artifacts import (
    create_link_artifact,
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)

from glan.curation.curate import Verdicts
from glan.store.store import Store
from glan.units import STAGES, Receipt, Stage
from tasks import progress
from tasks.progress import Count

LONGEST_CELL = 300
MOST_ROWS = 500


def plain(text: str, limit: int = LONGEST_CELL) -> str:
    """Text from a model or a person made inert for Markdown and HTML, on one line, at most `limit` characters.

    Character references, because a backslash would leave addresses clickable.
    """
    line = " ".join(text.split())
    shortened = line if len(line) <= limit else f"{line[: limit - 1]}…"
    return "".join(
        sign if sign.isalnum() or sign in " ," or ord(sign) > 127 else f"&#{ord(sign)};" for sign in shortened
    )


class ProgressBars:
    """A progress artifact for each stage of a discipline, moved when a unit has ended."""

    def __init__(self, run_id: str, discipline_id: str) -> None:
        self._progress = progress.of(run_id)
        self._discipline_id = discipline_id
        self._bars: dict[Stage, tuple[UUID, float]] = {}

    def __enter__(self) -> "ProgressBars":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.update()

    def update(self) -> None:
        """Move the bars whose figure has changed. A bar that cannot be drawn never stops a run."""
        for stage, count in self._progress.by_stage(self._discipline_id).items():
            if not count.known:
                continue
            percent = round(100 * (count.made + count.done_before + count.failed) / count.known, 1)
            try:
                self._move(stage, percent, count)
            except Exception:
                logging.getLogger("glan").debug("progress of %s could not be shown", stage, exc_info=True)

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
    """The tables of a finished run. One that cannot be shown never fails the run."""
    counts = progress.of(run_id)
    try:
        create_table_artifact(
            key="glan-summary",
            table=_table(counts.counts, verdicts),
            description="Rows, tokens and cost by discipline and stage. Rows are all there are, the rest is of this run.",
        )
        create_markdown_artifact(
            key="glan-reasons",
            markdown=_reasons(store, counts, verdicts),
            description="What is not in the data, and why",
        )
        if store.files.url.startswith("s3://"):
            create_link_artifact(
                link=store.files.url, key="glan-data", link_text=store.files.url, description="The data"
            )
    except Exception:
        logging.getLogger("glan").warning("the summary could not be shown in Prefect", exc_info=True)


def publish_growth(lines: Sequence[dict[str, Any]], target: int) -> None:
    """What an expansion added and what is left to do, by discipline. One that cannot be shown never fails the run."""
    added = sum(line["accepted now"] - line["accepted before"] for line in lines)
    left = sum(line["left to the target"] for line in lines)
    about = f"{added:,} instructions accepted tonight, {left:,} left to the target of {target:,} a discipline."
    try:
        create_table_artifact(key="glan-expansion", table=list(lines[:MOST_ROWS]), description=about)
    except Exception:
        logging.getLogger("glan").warning("the expansion could not be shown in Prefect", exc_info=True)


def publish_forecast(rows: list[dict[str, Any]]) -> None:
    """What a run would ask and what it would cost, by stage. One that cannot be shown never fails the run."""
    try:
        create_table_artifact(key="glan-forecast", table=rows, description="What would be asked; null is unknown.")
    except Exception:
        logging.getLogger("glan").warning("the forecast could not be shown in Prefect", exc_info=True)


def _reasons(store: Store, counts: progress.Progress, verdicts: Verdicts) -> str:
    """What is not in the data, and why, as Markdown."""
    sections = {
        "Rejected by curation": [f"{plain(reason)}: {number}" for reason, number in sorted(verdicts.reasons.items())],
        "In quarantine": [plain(line) for line in islice(_quarantined(store, counts.holes), MOST_ROWS)],
        "Failed; the next run tries again": [
            f"{plain(node)}: {plain(reason)}" for node, reason in counts.failures[:MOST_ROWS]
        ],
    }
    return "\n\n".join(
        "\n".join([f"## {title}", "", *(f"- {line}" for line in lines or ["nothing"])])
        for title, lines in sections.items()
    )


def _quarantined(store: Store, receipts: Iterable[Receipt]) -> Iterator[str]:
    """What this run put into quarantine: the node, the kind of trouble, the reason."""
    for receipt in receipts:
        for row in store.read_quarantine(receipt).select(["node", "error_kind", "message"]).to_pylist():
            yield f"{receipt.stage} {row['node']}: {row['error_kind']}: {row['message']}"


def _table(counts: Mapping[tuple[str, Stage], Count], verdicts: Verdicts) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = []
    order = {stage: index for index, stage in enumerate(STAGES)}
    keys: Sequence[tuple[str, Stage]] = sorted(counts, key=lambda key: (key[0], order[key[1]]))
    for discipline_id, stage in keys[:MOST_ROWS]:
        count = counts[(discipline_id, stage)]
        lines.append(
            {
                "discipline": discipline_id,
                "stage": stage,
                "rows": count.rows,
                "kept": verdicts.kept.get(discipline_id) if stage == "instructions" else None,
                "units made": count.made,
                "up to date": count.done_before,
                "failed": count.failed,
                "quarantined": count.quarantined + count.quarantined_before,
                "calls": count.calls,
                "prompt tokens": count.prompt_tokens,
                "completion tokens": count.completion_tokens,
                "cost USD": count.cost_usd,
            }
        )
    return lines
