"""Commands of `glan` on what is in the store: they look at it, hand it out and look after it; none asks a model."""

from pathlib import Path
from typing import Annotated

import typer

from flows.terminal.options import Disciplines, Json, those_given

Formats = Annotated[
    list[str] | None, typer.Option(help="parquet, jsonl, alpaca, sharegpt; repeat for several. Default: the first two.")
]
Test = Annotated[
    int | None, typer.Option(help="Rows of each discipline that are held out. Default: 50, but at most a tenth of it.")
]
Apart = Annotated[
    str | None,
    typer.Option(help="What held-out rows share with no other: concepts (default); beside these session or subject."),
]
Validation = Annotated[
    float | None, typer.Option(help="Share of the other concept sets that are for validation. Default: 0.01.")
]
Rows = Annotated[int | None, typer.Option(help="Rows of train and validation in all. Default: all there are.")]
ReleasedLanguages = Annotated[
    list[str] | None, typer.Option(help="ISO 639 code of rows to take; may be repeated. Default: all.")
]
Balance = Annotated[
    str | None,
    typer.Option(
        help="Let each field, sub_field, discipline, subject, language, difficulty or question_type give equally many rows."
    ),
]
Weights = Annotated[
    list[str] | None,
    typer.Option(
        help="NAME=NUMBER: a field, sub-field or discipline id that gives so many times as many rows (0: none)."
    ),
]
Requirements = Annotated[
    list[str] | None,
    typer.Option(help="NAME=NUMBER: a bound that stops the release, e.g. rows=50, concepts=0.8, self_bleu=0.6."),
]
Licence = Annotated[
    str | None, typer.Option(help="Licence of the data as the Hub names it, e.g. cc-by-4.0. Default: none stated.")
]
LicenceLink = Annotated[str | None, typer.Option(help="https address of the text of a licence of your own.")]
Destination = Annotated[
    str | None, typer.Option(help="Also copy it: to a folder, s3://bucket/folder, a dataset hf://datasets/me/name, ...")
]
Public = Annotated[
    bool, typer.Option("--public", help="Let everybody read a dataset that is made on the Hub. Default: private.")
]

store_app = typer.Typer()


@store_app.command()
def files(
    stage: Annotated[str, typer.Argument(help="subjects, syllabi, questions, answers, instructions, ...")],
    discipline: Disciplines = None,
    json: Json = False,
) -> None:
    """List the Parquet objects that hold a stage now. One a line, for DuckDB and other readers."""
    from flows.terminal.views import show_files

    show_files(stage, discipline or None, json)


@store_app.command()
def report(
    out: Annotated[Path, typer.Option("--out", help="The page to write.")] = Path("report.html"),
    json: Json = False,
) -> None:
    """Write one HTML page on the whole store. Coverage, figures, money, reasons, samples; it needs no network."""
    from flows.terminal.views import write_report

    write_report(out, json)


@store_app.command()
def publish(
    release: Annotated[str, typer.Argument(help="Name of the release, e.g. 2026-11.1")],
    discipline: Disciplines = None,
    format: Formats = None,
    test: Test = None,
    apart: Apart = None,
    validation: Validation = None,
    rows: Rows = None,
    language: ReleasedLanguages = None,
    balance: Balance = None,
    weight: Weights = None,
    require: Requirements = None,
    license: Licence = None,
    license_link: LicenceLink = None,
    to: Destination = None,
    public: Public = False,
    json: Json = False,
) -> None:
    """Write the kept instructions as an immutable release. Chat messages, with splits and a data card."""
    from flows.terminal.release import publish_release

    options = {"formats": format, "test": test, "apart": apart, "validation": validation, "rows": rows}
    options |= {"languages": language, "balance": balance, "weights": weight, "require": require}
    given = those_given({**options, "license": license, "license_link": license_link})
    publish_release(release, discipline or None, given, to, public, json)


@store_app.command()
def verify(
    discipline: Disciplines = None,
    deep: Annotated[
        bool, typer.Option("--deep", help="Also decode every column, and read all older generations and inputs.")
    ] = False,
    json: Json = False,
) -> None:
    """Check that the store is whole. Objects, rows, parents, counts, calls, releases; code 1 if something is not."""
    from flows.terminal.care import verify_store

    verify_store(discipline or None, deep, json)


@store_app.command()
def compact(
    discipline: Disciplines = None,
    part_mb: Annotated[int, typer.Option(min=1, max=256, help="About how large a part is to become, in MB.")] = 128,
    json: Json = False,
) -> None:
    """Merge many small objects into few large ones. Runs and readers may go on meanwhile."""
    from flows.terminal.care import compact_store

    compact_store(discipline or None, part_mb, json)


@store_app.command()
def gc(
    older_than: Annotated[str, typer.Option("--older-than", help="Since when nothing needs it: 48h, 7d.")] = "48h",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether to remove it.")] = False,
    json: Json = False,
) -> None:
    """Remove what nothing needs any more. It is shown first; runs and readers may go on meanwhile."""
    from flows.terminal.care import sweep_store

    sweep_store(older_than, yes, json)


@store_app.command()
def replay(
    discipline: Disciplines = None,
    stage: Annotated[list[str] | None, typer.Option("--stage", help="Of this stage only; may be repeated.")] = None,
    into: Annotated[
        str | None, typer.Option("--into", help="Another store, a folder or s3://, for what is made again.")
    ] = None,
    json: Json = False,
) -> None:
    """Make every unit again from the record, without a call. Compare, and write what is missing."""
    from flows.terminal.replay import show_replay

    show_replay(discipline or [], stage or [], into, json)


@store_app.command()
def sql(
    query: Annotated[str, typer.Argument(help="A SELECT over the tables: subjects, ..., instructions, calls, ...")],
    snapshot: Annotated[int | None, typer.Option(help="Number of the snapshot. Default: the latest.")] = None,
    rows: Annotated[int, typer.Option(min=1, help="Rows that are shown; as JSON or CSV all are given.")] = 50,
    json: Json = False,
    csv: Annotated[bool, typer.Option("--csv", help="All rows as CSV.")] = False,
) -> None:
    """Ask the store in SQL, by DuckDB: pip install 'glan[sql]'. Nothing can be changed by it."""
    from flows.terminal.sql import run_query

    run_query(query, snapshot, rows, json, csv)
