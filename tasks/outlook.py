"""Tables in the Prefect UI of what is still to do: the forecast of a backfill, what a night added and left.

One that cannot be shown never fails a run.
"""

import logging
from collections.abc import Sequence
from typing import Any

from prefect.artifacts import create_table_artifact

MOST_LINES = 300

_logger = logging.getLogger("glan")


def publish_forecast(rows: Sequence[dict[str, Any]]) -> None:
    """What a run would ask and what it would cost, by stage."""
    _show("glan-forecast", rows, "What would be asked and what it would cost; an unknown cost is not shown.")


def publish_growth(lines: Sequence[dict[str, Any]], target: int) -> None:
    """What an expansion added and what is left to do, by discipline."""
    added = sum(line["accepted now"] - line["accepted before"] for line in lines)
    left = sum(line["left to the target"] for line in lines)
    cut = f" The first {MOST_LINES} of {len(lines):,} disciplines." if len(lines) > MOST_LINES else ""
    about = f"{added:,} instructions accepted tonight, {left:,} left to the target of {target:,} a discipline.{cut}"
    _show("glan-expansion", lines[:MOST_LINES], about)


def _show(key: str, rows: Sequence[dict[str, Any]], about: str) -> None:
    try:
        create_table_artifact(key=key, table=list(rows), description=about)
    except Exception:
        _logger.warning("%s could not be shown in Prefect", key, exc_info=True)
