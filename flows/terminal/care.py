"""`glan verify`, `glan compact`, `glan gc`: what looks after a store, for people and as JSON."""

import datetime
import re
import secrets
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer
from rich.markup import escape

from flows.terminal.screen import ENDED_WITH_FAILURES, explained, note, out, show_json, show_table
from glan.clock import now
from glan.errors import InputError
from glan.names import shown
from glan.settings import Settings
from glan.store.store import Store
from glan.wording import counted

if TYPE_CHECKING:
    from glan.care.merging import Merged
    from glan.care.sweep import Found


def verify_store(disciplines: list[str] | None, deep: bool, as_json: bool) -> None:
    """`glan verify`; code 1 if something is wrong."""
    from glan.care.verify import verify

    with explained():
        store = Store.existing(Settings.load().store)
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

    merged = []
    with explained():
        store = Store.existing(Settings.load().store)
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


def sweep_store(older_than: str, yes: bool, as_json: bool) -> None:
    """`glan gc`; without `yes` it asks, and removes nothing where nobody can be asked."""
    from glan.care.keeping import SWEEPING
    from glan.care.sweep import Swept, find, sweep
    from tasks.holding import leases_of

    with explained():
        age = age_of(older_than)
        store = Store.existing(Settings.load().store)
        found = find(store, age, now)
        if not as_json:
            _say_found(found)
        agreed = yes or (not as_json and bool(found.waste) and sys.stdin.isatty() and typer.confirm("Remove them?"))
        swept = Swept([], dict(found.troubles))
        if agreed and found.waste:
            swept = sweep(store, found, leases_of(store.files, SWEEPING), age, now)
    if as_json:
        show_json({"found": [asdict(one) for one in found.everything], "living": found.living, **asdict(swept)})
    elif agreed:
        size = sum(one.size for one in swept.removed) / 1e6
        out.print(f"{counted(len(swept.removed), 'file')} removed, {size:,.1f} MB.", highlight=False)
    elif found.waste:
        out.print("Nothing was removed; `glan gc --yes` does.", highlight=False)
    for discipline_id, reason in swept.left.items():
        note.print(f"{discipline_id} is left as it is: {reason}", markup=False, highlight=False)
    if swept.left:
        raise typer.Exit(ENDED_WITH_FAILURES)


def age_of(text: str) -> datetime.timedelta:
    """An age as people type it: `48h`, `7d`.

    Raises:
        InputError: it is none, or less than what readers need.
    """
    from glan.care.sweep import LEAST_AGE

    typed = re.fullmatch(r"([0-9]{1,5})([hd])", text.strip())
    age = datetime.timedelta(**{{"h": "hours", "d": "days"}[typed[2]]: int(typed[1])}) if typed else None
    if age is None or age < LEAST_AGE:
        raise InputError(f"--older-than: '{shown(text)}' is no age of an hour or more; write it like 48h or 7d")
    return age


def _say_found(found: "Found") -> None:
    kinds: dict[tuple[str, str], list[int]] = {}
    for one in found.everything:
        kinds.setdefault((one.path.partition("/")[0], one.why), []).append(one.size)
    rows = [
        {"folder": folder, "what": why, "files": len(sizes), "MB": round(sum(sizes) / 1e6, 3)}
        for (folder, why), sizes in sorted(kinds.items())
    ]
    show_table("Needed by nothing any more", rows)
    if found.living:
        runs = counted(len(found.living), "run")
        out.print(
            f"{runs} may be going on: what they could take up again stays ({', '.join(found.living[:3])}).",
            highlight=False,
        )
