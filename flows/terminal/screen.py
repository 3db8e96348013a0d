"""What the terminal shows: bars while a run goes, tables after it, one sentence when something is wrong."""

import json
import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

import typer
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from glan.checks import is_http_address
from glan.errors import GlanError, InputError
from glan.names import shown, visible
from glan.units import STAGES

ENDED_WITH_FAILURES, BAD_INPUT = 1, 2


class _Screen(Console):
    """Prints what others have written without letting it steer the terminal or turn round its text."""

    def render_str(self, text: str, **options: Any) -> Text:
        return super().render_str(visible(text), **options)


out = _Screen(soft_wrap=True)
note = _Screen(stderr=True, soft_wrap=True)
LONGEST_SENTENCE = 1_000

LONGEST_WORD = 28
"""Characters of a word that are kept on one line whatever the width of the terminal."""

_HEADERS = {
    "units_made": "units made",
    "cost_usd": "cost $",
    "calls_at_least": "at least",
    "calls_at_most": "at most",
    "cost_at_most_usd": "at most $",
    "prompt_tokens": "tokens sent",
    "completion_tokens": "received",
}


def check_server_address() -> None:
    """See that PREFECT_API_URL is an address, before Prefect reads it: it says so by an error of many lines.

    Raises:
        InputError: it is none.
    """
    given = os.environ.get("PREFECT_API_URL", "")
    if given and not is_http_address(given):
        raise InputError("PREFECT_API_URL is no address; write it like http://127.0.0.1:4200/api, or unset it")


def quiet_prefect() -> None:
    """Settle how Prefect behaves in a terminal, before it is imported; whatever a person has set stays."""
    with explained():
        check_server_address()
    for name, value in {
        "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",  # the server keeps the lines, the terminal has its bars
        "PREFECT_LOGGING_EXTRA_LOGGERS": "glan",
        "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL",
        "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
        "DO_NOT_TRACK": "1",
    }.items():
        os.environ.setdefault(name, value)


@contextmanager
def explained() -> Iterator[None]:
    """Turn the project's errors into one sentence and an exit code: 2 for bad input, 1 for the rest."""
    try:
        yield
    except InputError as error:
        stop(str(error), BAD_INPUT)
    except GlanError as error:
        stop(str(error), ENDED_WITH_FAILURES)


def stop(sentence: str, code: int) -> NoReturn:
    """Say why and end."""
    said = escape(shown(sentence, LONGEST_SENTENCE))
    note.print(f"[bold red]glan:[/] {said}", soft_wrap=not note.is_terminal)
    raise typer.Exit(code)


def warn(sentence: str) -> None:
    """Say what a person should know beside what they asked for."""
    note.print(sentence, markup=False, highlight=False)


def check_stages(names: Iterable[str]) -> None:
    """See that what was given as --stage are stages.

    Raises:
        InputError: one is none.
    """
    for name in names:
        if name not in STAGES:
            raise InputError(f"--stage: there is no stage '{shown(name)}': choose of {', '.join(STAGES)}")


def show_json(value: Any) -> None:
    """A value for machines: one JSON document on standard output, which does nothing to a terminal either."""
    sys.stdout.write(visible(json.dumps(value, ensure_ascii=False, default=str, indent=2)) + "\n")


def show_table(title: str, rows: Sequence[Mapping[Any, Any]]) -> None:
    """Rows for people: figures to the right, long texts folded, nothing cut; text from models shown as it is."""
    if not rows:
        out.print(f"{title}: nothing")
        return
    shown = [[_shown(value) for value in row.values()] for row in rows]
    table = plain_table(title)
    for name, value, cells in zip(rows[0], rows[0].values(), zip(*shown, strict=True), strict=True):
        header = _HEADERS.get(name, str(name).replace("_", " "))
        add_column(table, header, cells, right=not isinstance(value, str))
    for line in shown:
        table.add_row(*map(escape, line))
    out.print(table)


def plain_table(title: str = "") -> Table:
    """An empty table with a line under its headers and no other."""
    return Table(
        title=title or None,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        padding=(0, 1, 0, 0),
    )


def add_column(table: Table, header: str, cells: Iterable[str], right: bool = False) -> None:
    """A column that folds between words in a narrow terminal, and within a word only where that is very long."""
    longest = max(len(word) for text in (header, *cells) for word in text.split() or [""])
    table.add_column(
        header, justify="right" if right else "left", overflow="fold", min_width=min(longest, LONGEST_WORD)
    )


def _shown(value: Any) -> str:
    if value is None or value != value:
        return "unknown"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.4f}".rstrip("0").rstrip(".")
    return f"{value:,}" if isinstance(value, int) else str(value)


@contextmanager
def bars(read: Callable[[], Mapping[str, tuple[int, int, str]]], shown: bool) -> Iterator[None]:
    """A bar for each stage while the block runs, in a terminal only; `read` gives (ended, known, remark) by stage."""
    if not (shown and note.is_terminal):
        yield
        return
    columns = (
        TextColumn("{task.description:13}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[remark]}"),
    )
    over = threading.Event()
    with Progress(*columns, TimeElapsedColumn(), console=note, transient=True) as display:
        drawn: dict[str, TaskID] = {}

        def draw() -> None:
            for stage, (ended, known, remark) in read().items():
                if stage not in drawn and known:
                    drawn[stage] = display.add_task(stage, total=known, remark=remark)
                if stage in drawn:
                    display.update(drawn[stage], completed=ended, total=known, remark=remark)

        def keep_drawing() -> None:
            while not over.wait(0.3):
                draw()

        artist = threading.Thread(target=keep_drawing, daemon=True)
        artist.start()
        try:
            yield
        finally:
            over.set()
            artist.join()
            draw()
