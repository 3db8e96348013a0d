"""`glan run --pilot n`: a few questions of each discipline, samples, what the whole would take, and whether to go on."""

import sys
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import typer

from flows.terminal import ENDED_WITH_FAILURES, counted, explained, note, out, quiet_prefect, stop
from flows.terminal_plan import records, show_forecast
from flows.terminal_report import carry_out, report
from flows.terminal_runs import Given, checked, local_names, make, use
from glan import local_model
from glan.config import RunConfig
from glan.dataset import View
from glan.gateway.prices import Prices
from glan.planning.forecast import forecast
from glan.report.figures import figures
from glan.report.page import page
from glan.report.samples import Sample, samples
from glan.settings import Settings
from glan.stages.recipe import Recipe
from glan.store import runs
from glan.store.store import Store
from glan.taxonomy import Discipline

MOST_PASSES = 3
"""A syllabus that could not be written, or allows too few questions, is followed by the next in a further pass."""

SAMPLES_SHOWN = 6
LONGEST_SAMPLE = 600


@dataclass(frozen=True)
class _Piloted:
    """What the pilot came to."""

    state: Any
    run_id: str
    calls: int
    tokens: int
    cost_usd: float | None


def run_pilot(given: Given, questions: int, taxonomy: Path | None, local: bool, yes: bool, as_json: bool) -> None:
    """`glan run --pilot n`."""
    quiet_prefect()
    with explained(), local_names(local):
        config, recipe, tree, store = checked(given, taxonomy, local)
        if taxonomy:
            from tasks.preparation import use_taxonomy

            use_taxonomy(store, taxonomy)
        disciplines = tree.select(**recipe.config.selectors())
        if not as_json:
            about = f"A pilot of {counted(questions, 'question')} for each of {counted(len(disciplines), 'discipline')}"
            note.print(f"{about}; data goes to {store.files.url}", highlight=False)
        with local_model.LocalModel() if local else nullcontext() as served:
            use(served)
            piloted = _pilot(config, questions, as_json)
            more = _shown(piloted, disciplines, recipe, store, questions, as_json)
            if not _goes_on(yes, as_json):
                if as_json:
                    report(piloted.state, piloted.run_id, store, True, strict=False, more=more)
                return
            state, run_id = carry_out(lambda: make(config), shown=not as_json)
    report(state, run_id, store, as_json, strict=True, more=more)


def _pilot(config: RunConfig, questions: int, as_json: bool) -> _Piloted:
    """Run until each discipline has its questions, or cannot have them."""
    from flows.pilot import pilot, work
    from tasks import progress

    calls, tokens, cost = 0, 0, 0.0
    unknown = False
    done: list[Any] = []
    while len(done) < MOST_PASSES and work(config, questions) not in done:
        done.append(work(config, questions))
        state, run_id = carry_out(lambda: pilot(config, questions, return_state=True), shown=not as_json)
        total = progress.of(run_id).total()
        calls, tokens = calls + total.calls, tokens + total.prompt_tokens + total.completion_tokens
        unknown = unknown or (total.made > 0 and total.cost_usd is None)
        cost += total.cost_usd or 0.0
        if state.is_failed() or state.is_crashed():
            stop(f"the pilot ended as {state.name}: {state.message}", ENDED_WITH_FAILURES)
        if state.name == "BudgetSpent":
            break
    return _Piloted(state, run_id, calls, tokens, None if unknown else cost)


def _shown(
    piloted: _Piloted, disciplines: Sequence[Discipline], recipe: Recipe, store: Store, questions: int, as_json: bool
) -> Mapping[str, Any]:
    """Show what the pilot made and what the rest would take; the same for machines."""
    from tasks import progress
    from tasks.wiring import prices_of

    if piloted.state.name == "BudgetSpent":
        report(piloted.state, piloted.run_id, store, as_json, strict=True)
    prices = prices_of(Settings.load(), recipe.models().values())
    rest = forecast(store, disciplines, recipe, prices.cost)
    verdicts = progress.of(piloted.run_id).verdicts
    kept, judged = sum(verdicts.kept.values()), sum(verdicts.kept.values()) + verdicts.rejected
    found = list(samples(_view(store, disciplines), most=SAMPLES_SHOWN))
    address = _page(store, piloted.run_id)
    if not as_json:
        report(piloted.state, piloted.run_id, store, as_json, strict=False)
        _show_samples(found, address)
        _show_rest(rest, recipe, prices, piloted, kept, judged)
    return {
        "pilot": {
            "run_id": piloted.run_id,
            "questions": questions,
            "calls": piloted.calls,
            "tokens": piloted.tokens,
            "cost_usd": piloted.cost_usd,
            "kept": kept,
            "judged": judged,
            "samples": [
                {name: one.row[name] for name in ("discipline", "subject", "question", "answer", "kept", "reasons")}
                for one in found
            ],
            "report": address,
            "rest": records(rest),
        }
    }


def _view(store: Store, disciplines: Sequence[Discipline]) -> View:
    """What readers see of these disciplines, of those that have something to see."""
    return replace(View.open(store, "latest"), disciplines=frozenset(one.discipline_id for one in disciplines))


def _page(store: Store, run_id: str) -> str:
    """The address of the report of the pilot, which a pilot that changed nothing has not left."""
    from tasks.wiring import now

    path = runs.report_path(run_id)
    if not store.files.exists(path):
        runs.keep_report(store.files, run_id, page(figures(View.open(store, "latest")), now(), run_id))
    return store.files.address(path)


def _show_samples(found: Sequence[Sample], address: str) -> None:
    for one in found:
        row = one.row
        verdict = "" if row["kept"] else f" (rejected: {', '.join(row['reasons'])})"
        out.rule(style="dim")
        out.print(f"{row['discipline']} / {row['subject']}{verdict}", style="bold", markup=False, highlight=False)
        out.print(f"Q: {_cut(row['question'])}\n\nA: {_cut(row['answer'])}", markup=False, highlight=False)
    out.rule(style="dim")
    out.print(f"More samples, with their sessions and concepts, and all figures: {address}", markup=False)


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_SAMPLE else f"{text[:LONGEST_SAMPLE]}…"


def _show_rest(rest: pd.DataFrame, recipe: Recipe, prices: Prices, piloted: _Piloted, kept: int, judged: int) -> None:
    """What the rest would take, and the whole with it."""
    show_forecast("What the rest would take", rest, recipe, prices)
    known = piloted.cost_usd is not None and not rest["cost_usd"].isna().any()
    cost = f"${(piloted.cost_usd or 0.0) + rest['cost_usd'].sum():,.4g}" if known else "at unknown cost"
    tokens = piloted.tokens + int(rest[["prompt_tokens", "completion_tokens"]].sum().sum())
    share = f"{kept / judged:.0%} of {judged:,} kept" if judged else "nothing judged"
    out.print(
        f"The whole run, pilot included: about {piloted.calls + int(rest['calls'].sum()):,} calls, {tokens:,} tokens, "
        f"{cost}; about {kept + int(rest['rows'].iloc[-1]):,} instructions kept (so far {share}).",
        highlight=False,
    )


def _goes_on(yes: bool, as_json: bool) -> bool:
    """Whether the person wants the rest."""
    if yes:
        return True
    if as_json or not sys.stdin.isatty():
        note.print("The pilot ends here; the same command with --yes, or without --pilot, goes on from it.")
        return False
    return typer.confirm("Go on with the rest?")
