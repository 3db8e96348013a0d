"""Commands of `glan` on what is in the store: they look at it, hand it out and look after it; none asks a model."""

from pathlib import Path
from typing import Annotated

import typer

from flows.options import Disciplines, Json

store_app = typer.Typer()


@store_app.command()
def files(
    stage: Annotated[str, typer.Argument(help="subjects, syllabi, questions, answers, instructions, ...")],
    discipline: Disciplines = None,
    json: Json = False,
) -> None:
    """The Parquet objects that hold a stage now, one a line, for DuckDB and other readers."""
    from flows.terminal_views import show_files

    show_files(stage, discipline or None, json)


@store_app.command()
def report(
    out: Annotated[Path, typer.Option("--out", help="The page to write.")] = Path("report.html"),
    json: Json = False,
) -> None:
    """One HTML page on the whole store: coverage, figures, money, reasons, samples; needs no network."""
    from flows.terminal_views import write_report

    write_report(out, json)


@store_app.command()
def publish(
    release: Annotated[str, typer.Argument(help="Name of the release, e.g. 2026-11.1")],
    discipline: Disciplines = None,
    format: Annotated[list[str] | None, typer.Option(help="parquet, jsonl; repeat for several. Default: both.")] = None,
    json: Json = False,
) -> None:
    """Write the kept instructions as an immutable release of chat messages."""
    from flows.terminal_views import publish_release

    publish_release(release, discipline or None, format or ["parquet", "jsonl"], json)
