"""`glan quarantine`: what could not be made, and asking for it again."""

from typing import Annotated

import typer

from flows.terminal.options import (
    Batch,
    BudgetCalls,
    BudgetTokens,
    BudgetUsd,
    Disciplines,
    Fields,
    Json,
    OnBusy,
    Patterns,
    RecipeFile,
    SubFields,
    caps,
    selection,
    those_given,
    use_batches,
)

quarantine_app = typer.Typer(help="What could not be made, and why; and asking for it again.", no_args_is_help=True)

Stages = Annotated[list[str] | None, typer.Option("--stage", help="Of this stage only; may be repeated.")]
Kinds = Annotated[
    list[str] | None, typer.Option("--kind", help="Of this error kind only, e.g. refused; may be repeated.")
]


@quarantine_app.command("list")
def quarantine_list(
    discipline: Disciplines = None,
    field: Fields = None,
    sub_field: SubFields = None,
    pattern: Patterns = None,
    stage: Stages = None,
    kind: Kinds = None,
    rows: Annotated[int, typer.Option(min=0, help="Rows that are shown; as JSON all are given.")] = 20,
    json: Json = False,
) -> None:
    """Show what is in quarantine, and why. How much for each reason, then the requests themselves."""
    from flows.terminal.quarantine import show_quarantine

    show_quarantine(selection(discipline, field, sub_field, pattern), stage or [], kind or [], rows, json)


@quarantine_app.command("retry")
def quarantine_retry(
    run_file: RecipeFile = None,
    discipline: Disciplines = None,
    field: Fields = None,
    sub_field: SubFields = None,
    pattern: Patterns = None,
    stage: Stages = None,
    kind: Annotated[
        list[str] | None,
        typer.Option("--kind", help="Units with an entry of this error kind only, e.g. refused; may be repeated."),
    ] = None,
    on_busy: OnBusy = None,
    budget_usd: BudgetUsd = None,
    budget_tokens: BudgetTokens = None,
    budget_calls: BudgetCalls = None,
    batch: Batch = False,
    json: Json = False,
) -> None:
    """Ask again what is in quarantine. What follows from it is made too; what was made before stays as it is."""
    from flows.terminal.jobs import run_retry

    use_batches(batch)
    budget = {"budget": caps(budget_usd, budget_tokens, budget_calls)}
    given = {"stages": stage, "kinds": kind, "on_busy": on_busy, **budget}
    run_retry(run_file, those_given({**selection(discipline, field, sub_field, pattern), **given}), json)
