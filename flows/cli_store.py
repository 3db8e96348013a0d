"""Commands of `glan` on what is in the store: they look at it, hand it out and look after it; none asks a model."""

from pathlib import Path
from typing import Annotated

import typer

from flows.options import Disciplines, Json, those_given

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
    format: Annotated[
        list[str] | None,
        typer.Option(help="parquet, jsonl, alpaca, sharegpt; repeat for several. Default: the first two."),
    ] = None,
    test: Annotated[
        int | None,
        typer.Option(help="Rows of each discipline that are held out. Default: 50, but at most a tenth of it."),
    ] = None,
    apart: Annotated[
        str | None, typer.Option(help="What held-out rows share with no other: concepts (default), session or subject.")
    ] = None,
    validation: Annotated[
        float | None, typer.Option(help="Share of the other rows that are for validation. Default: 0.01.")
    ] = None,
    rows: Annotated[
        int | None, typer.Option(help="Rows of train and validation in all. Default: all there are.")
    ] = None,
    balance: Annotated[
        str | None,
        typer.Option(help="Let each field, sub_field, discipline or subject give the same number of rows."),
    ] = None,
    weight: Annotated[
        list[str] | None,
        typer.Option(help="NAME=NUMBER: a field, sub-field or discipline id that gives so many times as many rows."),
    ] = None,
    require: Annotated[
        list[str] | None,
        typer.Option(help="NAME=NUMBER: a bound that stops the release, e.g. rows=50, concepts=0.8, self_bleu=0.6."),
    ] = None,
    json: Json = False,
) -> None:
    """Write the kept instructions as an immutable release of chat messages."""
    from flows.terminal_views import publish_release

    options = {"formats": format, "test": test, "apart": apart, "validation": validation, "rows": rows}
    given = those_given({**options, "balance": balance, "weights": weight, "require": require})
    publish_release(release, discipline or None, given, json)


@store_app.command()
def verify(
    discipline: Disciplines = None,
    deep: Annotated[
        bool, typer.Option("--deep", help="Also decode every column, and read all older generations and inputs.")
    ] = False,
    json: Json = False,
) -> None:
    """Check that the store is whole: objects, rows, parents, counts, calls, releases. Code 1 if something is not."""
    from flows.terminal_care import verify_store

    verify_store(discipline or None, deep, json)
