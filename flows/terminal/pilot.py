"""`glan run --pilot n`: a few questions of each discipline, samples, what the whole would take, and whether to go on."""

import sys
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import typer

from flows.terminal.outcome import carry_out, show_outcome
from flows.terminal.plan import show_forecast
from flows.terminal.runs import Given, checked, local_names, make, settle, use
from flows.terminal.screen import ENDED_WITH_FAILURES, explained, note, out, quiet_prefect, stop
from glan import local_model
from glan.clock import now
from glan.config import RunConfig
from glan.dataset import View
from glan.planning.forecast import forecast, records
from glan.planning.scope import walks
from glan.planning.walk import survey
from glan.report.figures import figures
from glan.report.page import page
from glan.report.samples import Sample, samples
from glan.settings import Settings
from glan.stages.shared.recipe import Recipe
from glan.store import runs
from glan.store.store import Store
from glan.taxonomy import Discipline
from glan.units import Scope
from glan.wording import counted

MOST_PASSES = 3
"""A syllabus that could not be written, or allows too few questions, is followed by the next in a further pass."""

SAMPLES_SHOWN = 6
LONGEST_SAMPLE = 600


@dataclass(frozen=True)
class _SoFar:
    """What the units that are there have taken; the cost is None if any price is unknown."""

    calls: int
    tokens: int
    cost_usd: float | None


def run_pilot(given: Given, questions: int, taxonomy: Path | None, local: bool, yes: bool, as_json: bool) -> None:
    """`glan run --pilot n`."""
    quiet_prefect()
    with explained(), local_names(local):
        config, recipe, tree, store = checked(given, taxonomy, local)
        disciplines = tree.select(**recipe.config.selectors())
        if not as_json:
            about = f"A pilot of {counted(questions, 'question')} for each of {counted(len(disciplines), 'discipline')}"
            note.print(f"{about}; data goes to {store.files.url}", highlight=False)
        with local_model.LocalModel() if local else nullcontext() as served:
            use(served)
            settle(taxonomy, config, tree, store)
            state, run_id = _pilot(config, questions, as_json)
            if state.name == "BudgetSpent":
                show_outcome(state, run_id, store, as_json, strict=True)
            more = _shown(state, run_id, disciplines, recipe, store, as_json)
            if not _goes_on(yes, as_json):
                if as_json:
                    show_outcome(state, run_id, store, True, strict=False, more=more)
                return
            state, run_id = carry_out(lambda: make(config), shown=not as_json)
    show_outcome(state, run_id, store, as_json, strict=True, more=more)


def _pilot(config: RunConfig, questions: int, as_json: bool) -> tuple[Any, str]:
    """Run until each discipline has its questions, or cannot have them; the end state and id of the last run."""
    from flows.pilot import pilot, work

    scopes: list[Scope] = []
    while len(scopes) < MOST_PASSES and (scope := work(config, questions)) not in scopes:
        scopes.append(scope)
        state, run_id = carry_out(lambda: pilot(config, questions, return_state=True), shown=not as_json)
        if state.is_failed() or state.is_crashed():
            stop(f"the pilot ended as {state.name}: {state.message}", ENDED_WITH_FAILURES)
        if state.name == "BudgetSpent":
            break
    return state, run_id


def _shown(
    state: Any, run_id: str, disciplines: Sequence[Discipline], recipe: Recipe, store: Store, as_json: bool
) -> Mapping[str, Any]:
    """Show what the pilot made and what the rest would take; the same for machines."""
    from tasks import progress
    from tasks.endpoints import prices_ahead

    prices, cost = prices_ahead(Settings.load(), recipe.models().values())
    rest = forecast(store, disciplines, recipe, cost)
    there = _so_far(store, disciplines, recipe)
    verdicts = progress.of(run_id).verdicts
    kept, judged = sum(verdicts.kept.values()), sum(verdicts.kept.values()) + verdicts.rejected
    found = list(samples(_view(store, disciplines), most=SAMPLES_SHOWN))
    address = _page(store, run_id)
    if not as_json:
        show_outcome(state, run_id, store, as_json, strict=False)
        _show_samples(found, address)
        show_forecast("What the rest would take", rest, recipe, prices)
        _say_whole(rest, there, kept, judged)
    columns = ("discipline", "subject", "question", "answer", "turns", "kept", "reasons")
    shown = [{name: one.row[name] for name in columns} for one in found]
    figures = {"run_id": run_id, **asdict(there), "kept": kept, "judged": judged, "report": address}
    return {"pilot": {**figures, "samples": shown, "rest": records(rest)}}


def _so_far(store: Store, disciplines: Sequence[Discipline], recipe: Recipe) -> _SoFar:
    """What all units of the whole run have taken that are there, whichever run made them."""
    surveys = [survey(walk) for walk in walks(store, disciplines, recipe)]
    done = [receipt for seen in surveys for stage in seen.done.values() for _, receipt in stage.values()]
    costs = [receipt.cost_usd for receipt in done]
    return _SoFar(
        calls=sum(receipt.calls for receipt in done),
        tokens=sum(receipt.prompt_tokens + receipt.completion_tokens for receipt in done),
        cost_usd=None if None in costs else sum(cost for cost in costs if cost is not None),
    )


def _view(store: Store, disciplines: Sequence[Discipline]) -> View:
    """What readers see of these disciplines, of those that have something to see."""
    return replace(View.open(store, "latest"), disciplines=frozenset(one.discipline_id for one in disciplines))


def _page(store: Store, run_id: str) -> str:
    """The address of the report of the pilot, which a pilot that changed nothing has not left."""
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
        for turn in (row, *(row["turns"] or ())):
            out.print(f"Q: {_cut(turn['question'])}\n\nA: {_cut(turn['answer'])}", markup=False, highlight=False)
    out.rule(style="dim")
    out.print(f"More samples, with their sessions and concepts, and all figures: {address}", markup=False)


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_SAMPLE else f"{text[:LONGEST_SAMPLE]}…"


def _say_whole(rest: pd.DataFrame, there: _SoFar, kept: int, judged: int) -> None:
    """What the whole takes: what is there, and the rest."""
    known = there.cost_usd is not None and not rest["cost_usd"].isna().any()
    cost = f"${(there.cost_usd or 0.0) + rest['cost_usd'].sum():,.4g}" if known else "at unknown cost"
    tokens = there.tokens + int(rest[["prompt_tokens", "completion_tokens"]].sum().sum())
    share = f"{kept / judged:.0%} of {judged:,} kept" if judged else "nothing judged"
    out.print(
        f"The whole run, with what is there: about {there.calls + int(rest['calls'].sum()):,} calls, {tokens:,} tokens, "
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
