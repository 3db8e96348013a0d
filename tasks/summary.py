"""Counts of a run -> what its artifacts say: the table of figures, what is not in the data and why, where the data is."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from glan.costs import money
from glan.curation.curate import Verdicts
from glan.store.store import Store
from glan.units import STAGES, Receipt, Stage, stages_with
from tasks.inert import plain
from tasks.progress import Count, Progress

MOST_LINES = 300
"""Lines of a table that a person still reads: with more, a line for each discipline instead of each of its stages."""

MOST_REASONS = 100
ALL = "all"

Key = tuple[str, Stage]


def summary(counts: Mapping[Key, Count], verdicts: Verdicts) -> list[dict[str, Any]]:
    """The totals by stage and in all, then a line for each discipline and stage, or for each discipline.

    What is too much to show is summed up in a last line that says so. The lines below the totals add up to them.
    """
    disciplines = sorted({discipline_id for discipline_id, _ in counts})
    kept = verdicts.kept
    totals = [
        _line(ALL, stage, _sum(counts, disciplines, [stage]), kept.values() if stage == "instructions" else None)
        for stage in stages_with({stage for _, stage in counts})
    ]
    whole = _line(ALL, ALL, _sum(counts, disciplines, STAGES), kept.values())
    if len(counts) <= MOST_LINES:
        return [whole, *totals, *_by_stage(counts, disciplines, kept)]
    shown, rest = disciplines[:MOST_LINES], disciplines[MOST_LINES:]
    lines = [_line(one, ALL, _sum(counts, [one], STAGES), [kept.get(one, 0)]) for one in shown]
    if rest:
        name = f"and {len(rest):,} more disciplines"
        lines.append(_line(name, ALL, _sum(counts, rest, STAGES), [kept.get(one, 0) for one in rest]))
    return [whole, *totals, *lines]


def _by_stage(
    counts: Mapping[Key, Count], disciplines: Sequence[str], kept: Mapping[str, int]
) -> Iterator[dict[str, Any]]:
    for discipline_id in disciplines:
        for stage in STAGES:
            if (count := counts.get((discipline_id, stage))) is not None:
                yield _line(
                    discipline_id, stage, count, [kept.get(discipline_id, 0)] if stage == "instructions" else None
                )


def _sum(counts: Mapping[Key, Count], disciplines: Sequence[str], stages: Sequence[Stage]) -> Count:
    total = Count()
    for discipline_id in disciplines:
        for stage in stages:
            total = total.plus(counts.get((discipline_id, stage), Count()))
    return total


def _line(discipline: str, stage: str, count: Count, kept: Any) -> dict[str, Any]:
    """`kept` is blank for a stage that keeps all its rows; a cost that is not known in full is no number."""
    spent = count.spent
    return {
        "discipline": discipline,
        "stage": stage,
        "rows": count.rows,
        "kept": "" if kept is None else sum(kept),
        "quarantined": count.quarantined + count.quarantined_before,
        "cost USD": money(spent) if spent.unpriced else round(spent.cost_usd, 6),
        "calls": spent.calls,
        "prompt tokens": spent.prompt_tokens,
        "completion tokens": spent.completion_tokens,
        "units made": count.made,
        "up to date": count.done_before,
        "failed": count.failed,
    }


def reasons(store: Store, counts: Progress, verdicts: Verdicts) -> str:
    """What is not in the data, and why, as Markdown; what is too much to list is counted."""
    rejected = [f"{plain(reason)}: {number:,}" for reason, number in Counter(verdicts.reasons).most_common()]
    failures = [f"{plain(node)}: {plain(reason)}" for node, reason in counts.failures[:MOST_REASONS]]
    sections = {
        "Rejected by curation": rejected,
        "Put into quarantine by this run": [*_quarantined(store, counts.holes)],
        "Failed; the next run tries again": [*failures, *_more(len(counts.failures))],
    }
    return "\n\n".join(
        "\n".join([f"## {title}", "", *(f"- {line}" for line in lines or ["nothing"])])
        for title, lines in sections.items()
    )


def _quarantined(store: Store, holes: Sequence[Receipt]) -> Iterator[str]:
    """How many rows of each stage, then the first of them: node, kind of trouble, reason."""
    by_stage: Counter[str] = Counter()
    for receipt in holes:
        by_stage[receipt.stage] += receipt.quarantined
    yield from (f"{stage}: {number:,}" for stage, number in by_stage.items())
    for stage, row in islice(_rows(store, holes), MOST_REASONS):
        yield plain(f"{stage} {row['node']}: {row['error_kind']}: {row['message']}")
    yield from _more(by_stage.total())


def _rows(store: Store, holes: Sequence[Receipt]) -> Iterator[tuple[str, dict[str, Any]]]:
    for receipt in holes:
        for row in store.read_quarantine(receipt).select(["node", "error_kind", "message"]).to_pylist():
            yield receipt.stage, row


def _more(number: int) -> list[str]:
    return [f"and {number - MOST_REASONS:,} more"] if number > MOST_REASONS else []


def whereabouts(store: Store, report: str | None, changed: bool) -> str:
    """Where data and report are and how to read them, as Markdown. A browser opens neither from Prefect's page."""
    url = store.files.url
    why_none = "it could not be made in time" if changed else "none, for nothing has changed"
    said = (
        plain(store.files.address(report), 2_000) if report else f"{why_none}; one can be made at any time, see below"
    )
    code = [
        "import glan",
        f'frame = glan.load("instructions", store={json.dumps(url, ensure_ascii=False)})',
    ]
    where = "" if url.startswith("s3://") else " on the machine that ran this"
    return "\n".join(
        [
            f"- Data{where}: {plain(url, 2_000)}",
            f"- Report of this run: {said}",
            "",
            "In Python:",
            "",
            *(f"    {line}" for line in code),
            "",
            "In a shell, with `GLAN_STORE` set to that address:",
            "",
            "    glan files instructions",
            "    glan report --out report.html",
        ]
    )
