"""Figures -> one HTML page that needs nothing else: no network, no other file; text from models stays text.

The page's policy lets one script run, the one whose digest it names; its data is JSON in which nothing can end it.
"""

import base64
import datetime
import hashlib
from collections.abc import Iterator
from pathlib import Path

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from glan import __version__
from glan.costs import Spent, money
from glan.languages import LANGUAGES
from glan.report.coverage import Cover
from glan.report.figures import Figures
from glan.report.island import island
from glan.report.picture import PARTS, WORDS, fields, headline
from glan.report.text_tables import Table, tables_of

_HERE = Path(__file__).parent


def page(figures: Figures, made_at: datetime.datetime, run_id: str = "") -> str:
    """The page; `run_id` names the run at whose end it was made."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters.update(number=lambda value: f"{value:,}", money=money, moment=_moment)
    template, style, script = (
        (_HERE / name).read_text(encoding="utf-8") for name in ("page.html", "page.css", "page.js")
    )
    return environment.from_string(template).render(
        figures=figures,
        total=figures.coverage.total,
        headline=headline(figures.coverage),
        pictures=[Markup(svg) for svg in fields(figures.coverage)],  # escaped where it is drawn
        legend=[(part, WORDS[part]) for part in PARTS],
        tables=[*_tables(figures), *_verdict_tables(figures), *tables_of(figures.instructions.texts)],
        style=Markup(style),
        script=Markup(script),
        script_digest=Markup(base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()),
        data=Markup(island(figures)),
        made_at=made_at,
        run_id=run_id,
        version=__version__,
    )


def _moment(at: datetime.datetime | None) -> str:
    return at.astimezone(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC") if at else "never"


def _tables(figures: Figures) -> Iterator[Table]:
    """What was made, and what it took."""
    heads = ["stage", "disciplines", "units", "rows", "planned", "in quarantine"]
    held = [
        [stage, *(f"{number:,}" for number in (one.disciplines, one.units, one.rows, one.planned, one.quarantined))]
        for stage, one in figures.stages.items()
    ]
    yield Table("Stages", heads, 1, held)
    if len(languages := figures.coverage.languages) > 1:
        covered = [
            [
                LANGUAGES.get(name, name),
                *(f"{number:,}" for number in (one.planned, one.kept, one.rejected, one.coming)),
            ]
            for name, one in languages.items()
        ]
        yield Table("Languages", ["asked for in", "planned", "kept", "rejected", "to come"], 1, covered)
    for name, covers in figures.coverage.kinds.items():
        title = name.replace("_", " ")
        heads = [title, "asked for", "kept", "of those asked for", "rejected", "neither"]
        yield Table(f"By {title}", heads, 1, [_reached(one, cover) for one, cover in covers.items()])
    heads = ["stage", "model", "calls", "understood", "sent", "of that cached", "received", "cost"]
    by_stage = figures.ledger.by(lambda account: account[:2])
    calls = [
        [stage, model, *_of(spent)]
        for (stage, model), spent in [*by_stage.items(), (("in all", ""), figures.ledger.total)]
    ]
    yield Table("Calls, tokens and money", heads, 2, calls if by_stage else [], chart="money")


def _reached(name: str, cover: Cover) -> list[str]:
    """`neither`: to come, or lost on the way."""
    share = cover.kept / cover.planned if cover.planned else 0
    return [name, f"{cover.planned:,}", f"{cover.kept:,}", f"{share:.1%}", f"{cover.rejected:,}", f"{cover.coming:,}"]


def _verdict_tables(figures: Figures) -> Iterator[Table]:
    """What is not in the data, or marked there, and why."""
    rejected, flags = figures.coverage.total.rejected, figures.coverage.flags
    reasons = [
        [reason, f"{rows:,}", f"{rows / rejected:.1%}"] for reason, rows in figures.coverage.reasons.most_common()
    ]
    yield Table("Rejected, by reason", ["reason", "rows", "of all rejected"], 1, reasons)
    flagged = [
        [flag, f"{flags[flag, True] + flags[flag, False]:,}", f"{flags[flag, True]:,}"]
        for flag in sorted({flag for flag, _ in flags})
    ]
    yield Table("Flagged by a check", ["flag", "rows", "of these kept"], 1, flagged)
    failed = [[stage, kind, f"{rows:,}"] for (stage, kind), rows in figures.quarantine.counts.most_common()]
    yield Table("In quarantine, by kind of trouble", ["stage", "kind", "rows"], 2, failed)


def _of(spent: Spent) -> list[str]:
    numbers = spent.calls, spent.understood, spent.prompt_tokens, spent.cached_tokens, spent.completion_tokens
    return [*(f"{number:,}" for number in numbers), money(spent)]
