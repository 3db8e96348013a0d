"""`glan`: the terminal's door to the jobs that Prefect runs, and to the store. Commands import what they need when they run."""

import contextlib
import errno
import logging
import os
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer
from typer.exceptions import TyperException

from flows.terminal.options import (
    Batch,
    BudgetCalls,
    BudgetTokens,
    BudgetUsd,
    Disciplines,
    Fields,
    Json,
    Languages,
    LastRunFile,
    Lists,
    Local,
    OnBusy,
    Patterns,
    Questions,
    RecipeFile,
    RunFile,
    SubFields,
    Subjects,
    TaxonomyFile,
    caps,
    selection,
    those_given,
    use_batches,
)
from flows.terminal.quarantine_commands import quarantine_app
from flows.terminal.store_commands import store_app
from flows.terminal.taxonomy_commands import taxonomy_app

app = typer.Typer(
    name="glan",
    help="Instruction-tuning data from a taxonomy of human knowledge.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help: rich takes longer to import than all the rest of `glan --help`
    context_settings={"max_content_width": 120},
)
app.add_typer(taxonomy_app, name="taxonomy")
app.add_typer(store_app)
app.add_typer(quarantine_app, name="quarantine")


@app.command()
def demo(json: Json = False) -> None:
    """Make a small curated dataset by a model of this machine. No key, no network."""
    from flows.terminal.runs import run_demo

    run_demo(json)


@app.command()
def run(
    run_file: RunFile = None,
    discipline: Disciplines = None,
    field: Fields = None,
    sub_field: SubFields = None,
    pattern: Patterns = None,
    subjects: Subjects = None,
    questions: Questions = None,
    language: Languages = None,
    lists: Lists = None,
    taxonomy: TaxonomyFile = None,
    local: Local = False,
    on_busy: OnBusy = None,
    budget_usd: BudgetUsd = None,
    budget_tokens: BudgetTokens = None,
    budget_calls: BudgetCalls = None,
    pilot: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=100_000,
            metavar="N",
            help="N questions a discipline first, with samples and what the rest costs.",
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Go on after a pilot without asking.")] = False,
    batch: Batch = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would run; no call, nothing written.")
    ] = False,
    json: Json = False,
) -> None:
    """Make what is missing or stale. Through all stages, up to curated instructions."""
    from flows.terminal.runs import forecast_run, start_run

    use_batches(batch)
    limits = {"subjects": subjects, "questions": questions, "languages": language, "lists": lists, "on_busy": on_busy}
    budget = {"budget": caps(budget_usd, budget_tokens, budget_calls)}
    given = run_file, those_given({**selection(discipline, field, sub_field, pattern), **limits, **budget})
    if dry_run:
        forecast_run(given, taxonomy, local, json, pilot)
    elif pilot is None:
        start_run(given, taxonomy, local, json)
    else:
        from flows.terminal.pilot import run_pilot

        run_pilot(given, pilot, taxonomy, local, yes, json)


@app.command()
def plan(
    run_file: RunFile = None,
    discipline: Disciplines = None,
    field: Fields = None,
    sub_field: SubFields = None,
    pattern: Patterns = None,
    subjects: Subjects = None,
    questions: Questions = None,
    language: Languages = None,
    lists: Lists = None,
    taxonomy: TaxonomyFile = None,
    local: Local = False,
    batch: Batch = False,
    json: Json = False,
) -> None:
    """Say what would run, and what it costs. Units, calls, tokens and money by stage, from the store alone."""
    from flows.terminal.runs import forecast_run

    use_batches(batch)
    limits = {"subjects": subjects, "questions": questions, "languages": language, "lists": lists}
    given = run_file, those_given({**selection(discipline, field, sub_field, pattern), **limits})
    forecast_run(given, taxonomy, local, json)


@app.command()
def status(
    run_file: LastRunFile = None,
    discipline: Disciplines = None,
    costs: Annotated[bool, typer.Option("--costs", help="Instead, what all calls on record took.")] = False,
    json: Json = False,
) -> None:
    """Show how far each discipline is, stage by stage. Without RUN.toml, measured by the last run."""
    from flows.terminal.costs import show_costs
    from flows.terminal.screen import BAD_INPUT, stop
    from flows.terminal.status import show_status

    if costs and run_file:
        stop("status: --costs counts all calls on record, whatever RUN.toml says; leave one of the two out", BAD_INPUT)
    elif costs:
        show_costs(discipline or [], json)
    else:
        show_status(run_file, discipline or [], json)


@app.command()
def doctor(run_file: RunFile = None, local: Local = False, json: Json = False) -> None:
    """Check the store, and every model by one tiny call."""
    from flows.terminal.runs import examine

    examine((run_file, {}), local, json)


@app.command()
def expand(
    run_file: RecipeFile = None,
    target: Annotated[int, typer.Option(help="Accepted instructions that each discipline is to reach.")] = 1_000,
    attempts: Annotated[
        float, typer.Option(help="Most questions asked, in all, for each instruction of the target.")
    ] = 3.0,
    passes: Annotated[
        int, typer.Option(help="Most rounds of asking, each curated before the next asks for what is still short.")
    ] = 3,
    discipline: Disciplines = None,
    field: Fields = None,
    sub_field: SubFields = None,
    pattern: Patterns = None,
    on_busy: OnBusy = None,
    budget_usd: BudgetUsd = None,
    budget_tokens: BudgetTokens = None,
    budget_calls: BudgetCalls = None,
    batch: Batch = False,
    json: Json = False,
) -> None:
    """Ask further questions, up to a target. Where accepted instructions are short of it, the least covered first."""
    from flows.terminal.jobs import run_expand

    use_batches(batch)
    night = {"night": caps(budget_usd, budget_tokens, budget_calls)}
    given = {"target": target, "attempts": attempts, "passes": passes, "on_busy": on_busy, **night}
    run_expand(run_file, those_given({**selection(discipline, field, sub_field, pattern), **given}), json)


@app.command()
def backfill(
    run_file: RecipeFile = None,
    stage: Annotated[str, typer.Option(help="The first stage that may change: subjects, syllabi, ...")] = "subjects",
    mode: Annotated[
        str, typer.Option(help="missing: fill holes; stale: redo what changed; refresh: draw everything anew.")
    ] = "missing",
    discipline: Disciplines = None,
    field: Fields = None,
    sub_field: SubFields = None,
    pattern: Patterns = None,
    on_busy: OnBusy = None,
    budget_usd: BudgetUsd = None,
    budget_tokens: BudgetTokens = None,
    budget_calls: BudgetCalls = None,
    batch: Batch = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be made and what it costs.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether to go on.")] = False,
    json: Json = False,
) -> None:
    """Make a part of the data good, from one stage down. What it would cost is said first."""
    from flows.terminal.jobs import run_backfill

    use_batches(batch)
    budget = {"budget": caps(budget_usd, budget_tokens, budget_calls)}
    given = {"stage": stage, "mode": mode, "preview": dry_run, "on_busy": on_busy, **budget}
    run_backfill(run_file, those_given({**selection(discipline, field, sub_field, pattern), **given}), yes, json)


@app.command()
def curate(run_file: LastRunFile = None, json: Json = False) -> None:
    """Judge what was answered, and find duplicates. Over all nodes; what changed is published; no model is asked."""
    from flows.terminal.jobs import run_curate

    run_curate(run_file, json)


@app.command()
def pause() -> None:
    """Pause all runs of the Prefect server. They send no new call until `glan resume`."""
    from flows.terminal.controls import pause_runs

    pause_runs(True)


@app.command()
def resume() -> None:
    """Have paused runs go on."""
    from flows.terminal.controls import pause_runs

    pause_runs(False)


@app.command()
def limit(
    calls: Annotated[int | None, typer.Argument(metavar="N", help="Without it: GLAN_MAX_CONCURRENCY again.")] = None,
) -> None:
    """Set the most calls in flight in each process. Runs that are going follow too."""
    from flows.terminal.controls import limit_runs

    limit_runs(calls)


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address that the server listens at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port that the server listens at.")] = 4200,
    at_once: Annotated[int, typer.Option(min=1, help="Runs that are worked on at a time.")] = 2,
    local: Local = False,
) -> None:
    """Serve Prefect, its UI and all jobs on this machine. Until Ctrl-C."""
    options = ["--host", host, "--port", str(port), "--at-once", str(at_once), *(["--local"] if local else [])]
    # Another program, not an import: deployments stand above flows.
    os.execv(sys.executable, [sys.executable, "-P", "-m", "deployments.serve", *options])


def _take_over_env_file() -> None:
    """What `.env` says for others (AWS, Prefect, keys of profiles) goes into the environment; ours is read by Settings."""
    if not Path(".env").is_file():
        return
    from dotenv import dotenv_values

    logging.getLogger("dotenv").setLevel(logging.CRITICAL)  # the settings say which line is wrong
    with contextlib.suppress(OSError, ValueError):  # the settings say what is wrong with the file
        for name, value in dotenv_values(".env", encoding="utf-8-sig").items():
            if value is not None and not name.upper().startswith(("GLAN_", "OPENAI_")):
                os.environ.setdefault(name, value)


def _tell(error: TyperException) -> None:
    """One sentence on what was typed; where a command is missing, its help."""
    from glan.names import shown

    message = error.format_message()
    if message.startswith("Usage: "):
        sys.stderr.write(f"{message}\n")
    elif said := shown(message, 300).rstrip("."):
        context = getattr(error, "ctx", None)
        sys.stderr.write(f"glan: {said}; see `{context.command_path if context else 'glan'} --help`\n")


def main() -> None:
    """Entry point of the `glan` command. A wrong option is told like any other wrong input: one sentence, code 2."""
    # An ordinary exit, so that what the command has started (a model, a temporary Prefect server) ends with it.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    _take_over_env_file()
    try:
        code = app(prog_name="glan", standalone_mode=False)
        if sys.stdout is not None:  # closed by whoever called
            sys.stdout.flush()
    except TyperException as error:
        _tell(error)
        code = 2
    except typer.Abort:
        code = 1
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        _leave_output(error)
        code = 1
    sys.exit(code or 0)


def _leave_output(error: OSError) -> None:
    """Say that the output went to where there is no room, as `--csv > FILE` on a full disk; its rest goes nowhere."""
    sys.stderr.write(f"glan: the output cannot be written: {os.strerror(error.errno or errno.ENOSPC)}; make room\n")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
