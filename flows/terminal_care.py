"""`glan verify`, `glan compact`: what looks after a store, for people and as JSON."""

import secrets
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer
from rich.markup import escape

from flows.terminal import ENDED_WITH_FAILURES, counted, explained, out, show_json
from tasks.preparation import existing_store

if TYPE_CHECKING:
    from glan.care.merging import Merged


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


def compact_store(disciplines: list[str] | None, part_mb: int, as_json: bool) -> None:
    """`glan compact`."""
    from glan.care.compact import compact
    from glan.care.unit_parts import Tools
    from tasks.wiring import now

    merged = []
    with explained():
        store = existing_store()
        try:
            for one in compact(store, disciplines, Tools(now, lambda: secrets.token_hex(8)), part_mb * 1_000_000):
                merged.append(one)
                if not as_json:
                    _say_merged(one)
        finally:
            if as_json:
                show_json([asdict(one) for one in merged])
    objects = sum(one.objects for one in merged)
    if not as_json:
        after = f"{counted(objects, 'object')} merged into {len(merged):,}" if merged else "Nothing is worth merging"
        out.print(f"{after} in {store.files.url}.", markup=False, highlight=False)
    if any(one.left for one in merged):
        raise typer.Exit(ENDED_WITH_FAILURES)


def _say_merged(one: "Merged") -> None:
    sizes = f"{one.bytes_before / 1e6:,.1f} -> {one.bytes_after / 1e6:,.1f} MB"
    what = f"{one.discipline_id} {one.table}: {counted(one.objects, 'object')}, {counted(one.rows, 'row')}, {sizes}"
    out.print(what, markup=False, highlight=False)
    for path in one.left:
        out.print(
            f"    left as it is, for it is not what it should be (`glan verify`): {path}", markup=False, highlight=False
        )
