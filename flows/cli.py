"""`glan`: the terminal's door to the same jobs that Prefect runs. Commands import what they need when they run."""

import contextlib
import os
import signal
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.exceptions import TyperException

app = typer.Typer(
    name="glan",
    help="Instruction-tuning data from a taxonomy of human knowledge.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
taxonomy_app = typer.Typer(help="The tree of disciplines: show it, check a file, add to it.", no_args_is_help=True)
app.add_typer(taxonomy_app, name="taxonomy")

RunFile = Annotated[
    Path | None, typer.Argument(metavar="[RUN.toml]", help="What to make; without it, the paper's values.")
]
RecipeFile = Annotated[
    Path | None, typer.Argument(metavar="[RUN.toml]", help="How to make it; without it, as the last run did.")
]
Disciplines = Annotated[
    list[str] | None, typer.Option("--discipline", help="Id or name; repeat for several. Default: all.")
]
Fields = Annotated[list[str] | None, typer.Option("--field", help="All disciplines of this field; may be repeated.")]
SubFields = Annotated[
    list[str] | None, typer.Option("--sub-field", help="All disciplines of this sub-field; may be repeated.")
]
Patterns = Annotated[
    list[str] | None, typer.Option("--pattern", help="All disciplines that fit, e.g. '*industry'; may be repeated.")
]
OnBusy = Annotated[
    str | None, typer.Option("--on-busy", help="When another run works on a discipline: wait, skip or share.")
]
Subjects = Annotated[int | None, typer.Option(help="The first n subjects of each discipline.")]
Questions = Annotated[int | None, typer.Option(help="Sample indices per subject, over its whole life.")]
Lists = Annotated[int | None, typer.Option(help="Independent subject lists per discipline.")]
BudgetUsd = Annotated[float | None, typer.Option(help="Most US dollars to spend; needs a price for every model.")]
BudgetTokens = Annotated[int | None, typer.Option(help="Most tokens to spend, sent and received together.")]
BudgetCalls = Annotated[int | None, typer.Option(help="Most calls to make.")]
TaxonomyFile = Annotated[Path | None, typer.Option("--taxonomy", help="A taxonomy file to use from now on.")]
Local = Annotated[bool, typer.Option("--local", help="Use the embedded model on this machine.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document for machines.")]


@app.command()
def demo(json: Json = False) -> None:
    """A small curated dataset by a real model on this machine; no key, no network."""
    from flows.terminal_runs import run_demo

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
    lists: Lists = None,
    taxonomy: TaxonomyFile = None,
    local: Local = False,
    on_busy: OnBusy = None,
    budget_usd: BudgetUsd = None,
    budget_tokens: BudgetTokens = None,
    budget_calls: BudgetCalls = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would run; no call, nothing written.")
    ] = False,
    json: Json = False,
) -> None:
    """Make what is missing or stale, through all stages up to curated instructions."""
    from flows.terminal_runs import forecast_run, start_run

    limits = {"subjects": subjects, "questions": questions, "lists": lists, "on_busy": on_busy}
    budget = {"budget": _set({"usd": budget_usd, "tokens": budget_tokens, "calls": budget_calls})}
    given = run_file, _set({**_selection(discipline, field, sub_field, pattern), **limits, **budget})
    (forecast_run if dry_run else start_run)(given, taxonomy, local, json)


@app.command()
def plan(
    run_file: RunFile = None,
    discipline: Disciplines = None,
    field: Fields = None,
    sub_field: SubFields = None,
    pattern: Patterns = None,
    subjects: Subjects = None,
    questions: Questions = None,
    lists: Lists = None,
    taxonomy: TaxonomyFile = None,
    local: Local = False,
    json: Json = False,
) -> None:
    """What would run: units, calls, tokens and money by stage, from the store alone."""
    from flows.terminal_runs import forecast_run

    limits = {"subjects": subjects, "questions": questions, "lists": lists}
    given = run_file, _set({**_selection(discipline, field, sub_field, pattern), **limits})
    forecast_run(given, taxonomy, local, json)


@app.command()
def status(run_file: RunFile = None, discipline: Disciplines = None, json: Json = False) -> None:
    """How far each discipline is, stage by stage; without RUN.toml, measured by the last run."""
    from flows.terminal_status import show_status

    show_status(run_file, discipline or [], json)


@app.command()
def doctor(run_file: RunFile = None, local: Local = False, json: Json = False) -> None:
    """Check the store and, with one tiny call each, every model profile."""
    from flows.terminal_runs import examine

    examine((run_file, {}), local, json)


@app.command()
def expand(
    run_file: RecipeFile = None,
    target: Annotated[int, typer.Option(help="Accepted instructions that each discipline is to reach.")] = 1_000,
    attempts: Annotated[
        float, typer.Option(help="Most questions asked, in all, for each instruction of the target.")
    ] = 3.0,
    discipline: Disciplines = None,
    field: Fields = None,
    sub_field: SubFields = None,
    pattern: Patterns = None,
    on_busy: OnBusy = None,
    budget_usd: BudgetUsd = None,
    budget_tokens: BudgetTokens = None,
    budget_calls: BudgetCalls = None,
    json: Json = False,
) -> None:
    """Ask further questions where accepted instructions are short of the target, the least covered first."""
    from flows.terminal_jobs import run_expand

    night = {"night": _set({"usd": budget_usd, "tokens": budget_tokens, "calls": budget_calls})}
    given = {"target": target, "attempts": attempts, "on_busy": on_busy, **night}
    run_expand(run_file, _set({**_selection(discipline, field, sub_field, pattern), **given}), json)


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
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be made and what it costs.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether to go on.")] = False,
    json: Json = False,
) -> None:
    """Make a part of the data good, from one stage down; what it would cost is said first."""
    from flows.terminal_jobs import run_backfill

    budget = {"budget": _set({"usd": budget_usd, "tokens": budget_tokens, "calls": budget_calls})}
    given = {"stage": stage, "mode": mode, "preview": dry_run, "on_busy": on_busy, **budget}
    run_backfill(run_file, _set({**_selection(discipline, field, sub_field, pattern), **given}), yes, json)


@app.command()
def curate(run_file: RecipeFile = None, json: Json = False) -> None:
    """Judge what was answered, decide duplicates over all nodes, publish what changed; asks no model."""
    from flows.terminal_jobs import run_curate

    run_curate(run_file, json)


@app.command()
def pause() -> None:
    """Have all runs of the Prefect server send no new call until `glan resume`."""
    from flows.terminal_controls import pause_runs

    pause_runs(True)


@app.command()
def resume() -> None:
    """Have paused runs go on."""
    from flows.terminal_controls import pause_runs

    pause_runs(False)


@app.command()
def limit(
    calls: Annotated[int | None, typer.Argument(metavar="[N]", help="Without it: GLAN_MAX_CONCURRENCY again.")] = None,
) -> None:
    """Set the most calls in flight in each process, of runs that are going too."""
    from flows.terminal_controls import limit_runs

    limit_runs(calls)


@app.command()
def files(
    stage: Annotated[str, typer.Argument(help="subjects, syllabi, questions, answers, instructions, ...")],
    discipline: Disciplines = None,
    json: Json = False,
) -> None:
    """The Parquet objects that hold a stage now, one a line, for DuckDB and other readers."""
    from flows.terminal_views import show_files

    show_files(stage, discipline or None, json)


@app.command()
def report(
    out: Annotated[Path, typer.Option("--out", help="The page to write.")] = Path("report.html"),
    json: Json = False,
) -> None:
    """One HTML page on the whole store: coverage, figures, money, reasons, samples; needs no network."""
    from flows.terminal_views import write_report

    write_report(out, json)


@app.command()
def publish(
    release: Annotated[str, typer.Argument(help="Name of the release, e.g. 2026-11.1")],
    discipline: Disciplines = None,
    format: Annotated[list[str] | None, typer.Option(help="parquet, jsonl; repeat for several. Default: both.")] = None,
    json: Json = False,
) -> None:
    """Write the kept instructions as an immutable release of chat messages."""
    from flows.terminal_views import publish_release

    publish_release(release, discipline or None, format or ["parquet", "jsonl"], json)


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address that the server listens at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port that the server listens at.")] = 4200,
    at_once: Annotated[int, typer.Option(min=1, help="Runs that are worked on at a time.")] = 2,
    local: Local = False,
) -> None:
    """Prefect's server, its UI and all deployments on this machine, until Ctrl-C."""
    options = ["--host", host, "--port", str(port), "--at-once", str(at_once), *(["--local"] if local else [])]
    # Another program, not an import: deployments stand above flows.
    os.execv(sys.executable, [sys.executable, "-P", "-m", "deployments.serve", *options])


@taxonomy_app.command("show")
def taxonomy_show(
    version: Annotated[int | None, typer.Option(help="Default: the current one.")] = None, json: Json = False
) -> None:
    """The tree that runs read."""
    from flows.terminal_views import show_taxonomy

    show_taxonomy(version, json)


@taxonomy_app.command("validate")
def taxonomy_validate(file: Path, json: Json = False) -> None:
    """Check a taxonomy file; nothing is written."""
    from flows.terminal_views import validate_taxonomy

    validate_taxonomy(file, json)


@taxonomy_app.command("add")
def taxonomy_add(
    discipline: Annotated[str, typer.Argument(help="Name of the new discipline.")],
    field: Annotated[str, typer.Option(help="Field it belongs to; a new one is made.")],
    sub_field: Annotated[str, typer.Option(help="Sub-field it belongs to; empty: directly under the field.")] = "",
    json: Json = False,
) -> None:
    """Add one discipline as a new version; only it will run."""
    from flows.terminal_views import add_discipline

    add_discipline(field, sub_field, discipline, json)


@taxonomy_app.command("draft")
def taxonomy_draft(
    run_file: RunFile = None,
    field: Annotated[list[str] | None, typer.Option(help="Only below this field; repeat for several.")] = None,
    sub_field: Annotated[list[str] | None, typer.Option(help="Only below this sub-field; repeat for several.")] = None,
    lists: Annotated[
        int | None, typer.Option(help="How often each of the three wordings is asked. Default: 1.")
    ] = None,
    min_votes: Annotated[int | None, typer.Option(help="Lists that have to name a node. Default: 2.")] = None,
    draft: Annotated[str | None, typer.Option(help="Digest of a draft in the store; no model is asked.")] = None,
    out: Annotated[Path, typer.Option(help="The file for annotators.")] = Path("review.yaml"),
    json: Json = False,
) -> None:
    """Have a model draft what is missing in the taxonomy; write a file for people to vote in."""
    from flows.terminal_taxonomy import draft_taxonomy

    plan = {"fields": field, "sub_fields": sub_field, "lists": lists, "min_votes": min_votes}
    draft_taxonomy(run_file, plan, draft, out, json)


@taxonomy_app.command("import")
def taxonomy_import(
    file: Annotated[Path | None, typer.Argument(help="A taxonomy file.")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Take the file's tree as the whole taxonomy.")] = False,
    votes: Annotated[
        list[Path] | None, typer.Option("--votes", help="A filled-in review file; repeat for each annotator.")
    ] = None,
    json: Json = False,
) -> None:
    """Add a file's nodes to the taxonomy as a new version, or replace it; or publish what annotators voted for."""
    from flows.terminal import BAD_INPUT, stop

    if (file is None) == (not votes) or (votes and replace):
        stop("taxonomy import: name either one taxonomy FILE or review files, each after --votes", BAD_INPUT)
    if votes:
        from flows.terminal_taxonomy import import_votes

        import_votes(votes, json)
    elif file:
        from flows.terminal_views import import_taxonomy

        import_taxonomy(file, replace, json)


def _selection(
    disciplines: list[str] | None, fields: list[str] | None, sub_fields: list[str] | None, patterns: list[str] | None
) -> dict[str, Any]:
    """The selectors that were given; any of them goes before all those of the run file."""
    given = {"disciplines": disciplines, "fields": fields, "sub_fields": sub_fields, "patterns": patterns}
    return {name: value or [] for name, value in given.items()} if any(given.values()) else {}


def _set(options: dict[str, Any]) -> dict[str, Any]:
    """Those options that were given."""
    return {name: value for name, value in options.items() if value not in (None, {})}


def _take_over_env_file() -> None:
    """What `.env` says for others (AWS, Prefect, keys of profiles) goes into the environment; ours is read by Settings."""
    if not Path(".env").is_file():
        return
    from dotenv import dotenv_values

    with contextlib.suppress(OSError, UnicodeDecodeError):  # the settings say what is wrong with the file
        for name, value in dotenv_values(".env").items():
            if value is not None and not name.startswith(("GLAN_", "OPENAI_")):
                os.environ.setdefault(name, value)


def main() -> None:
    """Entry point of the `glan` command. A wrong option is told like any other wrong input: one sentence, code 2."""
    # An ordinary exit, so that what the command has started (a model, a temporary Prefect server) ends with it.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    _take_over_env_file()
    try:
        code = app(prog_name="glan", standalone_mode=False)
    except TyperException as error:
        if said := error.format_message().rstrip("."):
            context = getattr(error, "ctx", None)
            sys.stderr.write(f"glan: {said}; see `{context.command_path if context else 'glan'} --help`\n")
        code = 2
    except typer.Abort:
        code = 1
    sys.exit(code or 0)
