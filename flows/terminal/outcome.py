"""Carrying out a flow from the terminal, and what came of it."""

from collections import Counter
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from flows.terminal.screen import ENDED_WITH_FAILURES, bars, note, out, show_json, show_table, stop
from glan.costs import money
from glan.errors import GlanError
from glan.store.store import Store
from glan.wording import counted

GOES_ON = "what is committed stays; run again with a new or larger budget to go on from there"
STOPPED = "stopped; what is committed stays, and the same command goes on from there"


def carry_out(job: Callable[[], Any], shown: bool) -> tuple[Any, str]:
    """Run a flow in this process, on the Prefect server that is set or on a temporary one; its end state and run id.

    Raises:
        GlanError: what ended it.
    """
    from flows.server import leave_server, ready_server
    from tasks import progress

    def by_stage() -> dict[str, tuple[int, int, str]]:
        return {
            stage: (count.made + count.done_before + count.failed, count.known, f"{count.rows:,} rows")
            for stage, count in progress.latest().by_stage().items()
        }

    progress.listen(lambda message: note.print(message, markup=False, highlight=False))
    try:
        ready_server()
        with bars(by_stage, shown):
            state = job()
    except KeyboardInterrupt:
        stop(STOPPED, ENDED_WITH_FAILURES)
    finally:
        leave_server()
    if state.is_cancelled():
        stop(STOPPED, ENDED_WITH_FAILURES)
    error = state.result(raise_on_failure=False) if state.is_failed() or state.is_crashed() else None
    if isinstance(error, GlanError):
        raise error
    return state, str(state.state_details.flow_run_id)


def show_outcome(
    state: Any, run_id: str, store: Store, as_json: bool, strict: bool, more: Mapping[str, Any] = MappingProxyType({})
) -> int:
    """Show what came of a run, for machines with `more`; how many instructions are kept in all."""
    from tasks import progress

    counts = progress.of(run_id)
    verdicts = counts.verdicts
    stages = [
        {
            "stage": stage,
            "rows": count.rows,
            "units_made": count.made,
            "up_to_date": count.done_before,
            "failed": count.failed,
            "quarantined": count.quarantined + count.quarantined_before,
            "calls": count.spent.calls,
            "tokens": count.spent.tokens,
            "cost_usd": count.spent.known_cost_usd,
            "unpriced": count.spent.unpriced,
        }
        for stage, count in counts.by_stage().items()
    ]
    kept = sum(verdicts.kept.values())
    reasons = dict(Counter(verdicts.reasons).most_common())
    if as_json:
        show_json(
            {
                "state": state.name,
                "message": state.message,
                "run_id": run_id,
                "store": store.files.url,
                "stages": stages,
                "kept": kept,
                "rejected": verdicts.rejected,
                "reasons": reasons,
                "failures": counts.failures,
                **more,
            }
        )
    else:
        _for_people(state, stages, kept, verdicts.rejected, reasons, counts)
    if counts.spent is not None and state.name == "BudgetSpent":
        stop(f"{counts.spent}; {GOES_ON}", ENDED_WITH_FAILURES)
    if strict and (state.name != "Completed"):
        stop(f"ended as {state.name}: {state.message}", ENDED_WITH_FAILURES)
    return kept


def _for_people(
    state: Any, stages: list[dict[str, Any]], kept: int, rejected: int, reasons: Mapping[str, int], counts: Any
) -> None:
    idle = [name for name in ("failed", "quarantined") if not any(stage[name] for stage in stages)]
    left_out = {*idle, "cost_usd", "unpriced"}
    spent = [{"cost": money(count.spent)} for count in counts.by_stage().values()]
    lines = [{name: stage[name] for name in stage if name not in left_out} for stage in stages]
    show_table("By stage", [line | cost for line, cost in zip(lines, spent, strict=True)])
    if state.name == "Completed" and not any(stage["units_made"] or stage["failed"] for stage in stages):
        out.print("Everything is up to date: no call was made.")
    out.print(f"{counted(kept, 'instruction')} kept, {rejected:,} rejected.")
    for reason, number in reasons.items():
        out.print(f"  {number:>5,}  {reason}", markup=False)
    for node, reason in counts.failures[:5]:
        out.print(f"  failed: {node}: {reason}", markup=False)
