"""`glan replay`: every unit made again from what is on record, and compared with what lies there."""

import tempfile
from collections import Counter
from collections.abc import Sequence

from rich.markup import escape

from flows.terminal.screen import ENDED_WITH_FAILURES, check_stages, explained, out, show_json, show_table, stop
from glan.errors import InputError
from glan.names import shown
from glan.replay.replay import RESULTS, Replay, Replayed, disciplines_of
from glan.settings import Settings
from glan.store import taxonomies
from glan.store.files import LAYOUT
from glan.store.store import Store
from glan.units import STAGES
from glan.wording import counted

MOST_SHOWN = 20
LONGEST_REASON = 300


def show_replay(disciplines: list[str], stages: list[str], into: str | None, as_json: bool) -> None:
    """`glan replay`."""
    with explained():
        check_stages(stages)
        source = Store.existing(Settings.load().store)
        target = _target(source, into)
        with tempfile.TemporaryDirectory(prefix="glan-replay-") as folder:
            replay = Replay(source, target, Store.open(folder), stages)
            counts: Counter[tuple[str, str]] = Counter()
            odd: list[Replayed] = []
            for one in replay.all(_ids(source, disciplines)):
                counts[one.stage, one.result] += 1
                if one.reason:
                    odd.append(one)
    lines = [
        {"stage": stage, **{result: counts[stage, result] for result in RESULTS}}
        for stage in (*STAGES, "quarantine")
        if any(counts[stage, result] for result in RESULTS)
    ]
    if as_json:
        reasons = [{"path": one.path, "result": one.result, "reason": one.reason} for one in odd]
        show_json({"store": target.files.url, "stages": lines, "findings": reasons})
    else:
        _show(lines, odd)
    if odd:
        stop(f"{counted(len(odd), 'object')} could not be made again as they are", ENDED_WITH_FAILURES)


def _target(source: Store, into: str | None) -> Store:
    if into is None:
        return source
    target = Store.open(into)
    if target.files.url == source.files.url or f"{target.files.url}/".startswith(f"{source.files.url}/{LAYOUT}/"):
        raise InputError("--into: this is the very store that is replayed; leave the option out, or name another")
    target.start()
    return target


def _ids(store: Store, disciplines: Sequence[str]) -> list[str]:
    """Ids of those named; one that has left the taxonomy is known by its id."""
    there = disciplines_of(store)
    tree = taxonomies.current(store)
    return [name if name in there else tree.find(name).discipline_id for name in disciplines] or there


def _show(lines: list[dict[str, object]], odd: list[Replayed]) -> None:
    show_table("Objects", lines)
    for one in odd[:MOST_SHOWN]:
        out.print(f"[bold red]{one.result}[/] {escape(one.path)}", highlight=False)
        out.print(f"    {shown(one.reason, LONGEST_REASON)}", markup=False, highlight=False)
    if len(odd) > MOST_SHOWN:
        out.print(f"and {counted(len(odd) - MOST_SHOWN, 'object')} more")
