"""`glan verify`: what looks after a store, for people and as JSON."""

from dataclasses import asdict

import typer
from rich.markup import escape

from flows.terminal import ENDED_WITH_FAILURES, counted, explained, out, show_json
from tasks.preparation import existing_store


def verify_store(disciplines: list[str] | None, deep: bool, as_json: bool) -> None:
    """`glan verify`; code 1 if something is wrong."""
    from glan.care.verify import verify

    with explained():
        store = existing_store()
        found = []
        for finding in verify(store, disciplines, deep):
            found.append(asdict(finding))
            if not as_json:
                out.print(f"[bold red]{finding.kind}[/] {escape(finding.path)}", highlight=False)
                out.print(f"    {finding.problem}\n    {finding.remedy}", markup=False, highlight=False)
    if as_json:
        show_json(found)
    elif not found:
        out.print(f"{store.files.url} is whole.", markup=False, highlight=False)
    else:
        out.print(f"{counted(len(found), 'finding')} in {store.files.url}.", markup=False, highlight=False)
    if found:
        raise typer.Exit(ENDED_WITH_FAILURES)
