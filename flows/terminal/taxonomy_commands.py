"""`glan taxonomy`: the tree of disciplines from the terminal."""

from pathlib import Path
from typing import Annotated

import typer

from flows.terminal.options import Json, LastRunFile

taxonomy_app = typer.Typer(help="Show, check, grow and draft the tree of disciplines.", no_args_is_help=True)


@taxonomy_app.command("show")
def taxonomy_show(
    version: Annotated[int | None, typer.Option(help="Default: the current one.")] = None, json: Json = False
) -> None:
    """The tree that runs read."""
    from flows.terminal.taxonomy import show_taxonomy

    show_taxonomy(version, json)


@taxonomy_app.command("validate")
def taxonomy_validate(file: Path, json: Json = False) -> None:
    """Check a taxonomy file. Nothing is written."""
    from flows.terminal.taxonomy import validate_taxonomy

    validate_taxonomy(file, json)


@taxonomy_app.command("add")
def taxonomy_add(
    discipline: Annotated[str, typer.Argument(help="Name of the new discipline.")],
    field: Annotated[str, typer.Option(help="Field it belongs to; a new one is made.")],
    sub_field: Annotated[str, typer.Option(help="Sub-field it belongs to; empty: directly under the field.")] = "",
    json: Json = False,
) -> None:
    """Add one discipline as a new version. Only it will run."""
    from flows.terminal.taxonomy import add_discipline

    add_discipline(field, sub_field, discipline, json)


@taxonomy_app.command("draft")
def taxonomy_draft(
    run_file: LastRunFile = None,
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
    """Have a model draft what is missing in the taxonomy. Writes a file for people to vote in."""
    from flows.terminal.review import draft_taxonomy

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
    """Publish a new version of the taxonomy. A file's nodes are added or replace it, or annotators have voted."""
    from flows.terminal.screen import BAD_INPUT, stop

    if (file is None) == (not votes) or (votes and replace):
        stop("taxonomy import: name either one taxonomy FILE or review files, each after --votes", BAD_INPUT)
    if votes:
        from flows.terminal.review import import_votes

        import_votes(votes, json)
    elif file:
        from flows.terminal.taxonomy import import_taxonomy

        import_taxonomy(file, replace, json)
