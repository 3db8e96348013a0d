"""`glan quarantine list`: counts for each reason, then rows."""

from collections import Counter
from collections.abc import Collection, Iterator
from difflib import get_close_matches
from itertools import islice
from typing import Any

from flows.terminal.screen import check_stages, explained, out, show_json, show_table
from glan.dataset import View
from glan.errors import InputError
from glan.names import shown
from glan.settings import Settings
from glan.store import taxonomies
from glan.store.store import Store
from glan.wording import counted

COLUMNS = [
    "stage",
    "discipline_id",
    "node",
    "error_kind",
    "attempts",
    "message",
    "request_key",
    "unit_key",
    "created_at",
]
SHOWN = ["stage", "node", "error_kind", "attempts", "message"]
LONGEST_MESSAGE = 200


def show_quarantine(
    selectors: dict[str, list[str]], stages: list[str], kinds: list[str], most: int, as_json: bool
) -> None:
    """`glan quarantine list`."""
    with explained():
        check_stages(stages)
        store = Store.existing(Settings.load().store)
        disciplines = (
            [one.discipline_id for one in taxonomies.current(store).select(**selectors)] if selectors else None
        )
        view = View.open(store, "latest", disciplines)
        check_kinds(view, kinds)
        counts = Counter((row["stage"], row["error_kind"]) for row in _rows(view, stages, kinds))
        reasons = [
            {"stage": stage, "error_kind": kind, "rows": number} for (stage, kind), number in counts.most_common()
        ]
        rows = _rows(view, stages, kinds)
        if as_json:
            show_json({"total": counts.total(), "reasons": reasons, "rows": list(rows)})
            return
        first = [_for_people(row) for row in islice(rows, most)]
    show_table("In quarantine", reasons)
    if first:
        show_table("Requests", first)
    if counts.total() > len(first):
        out.print(f"and {counted(counts.total() - len(first), 'row')} more")


def check_kinds(view: View, kinds: Collection[str]) -> None:
    """See that no kind is misspelt; one of which nothing is in quarantine now is none the less a kind.

    Raises:
        InputError: one is nearly that of a row in quarantine.
    """
    there = {row["error_kind"] for row in _rows(view, (), ())} if kinds else set()
    for kind in kinds:
        if kind not in there and (close := get_close_matches(kind, there, n=1, cutoff=0.8)):
            raise InputError(
                f"--kind: nothing in quarantine is of the kind '{shown(kind)}'; did you mean `{close[0]}`?"
            )


def _rows(view: View, stages: Collection[str], kinds: Collection[str]) -> Iterator[dict[str, Any]]:
    """Those selected, as a stream: nothing but what is shown is kept."""
    for batch in view.batches("quarantine", COLUMNS):
        for row in batch.to_pylist():
            if (not stages or row["stage"] in stages) and (not kinds or row["error_kind"] in kinds):
                yield row


def _for_people(row: dict[str, Any]) -> dict[str, Any]:
    """A message may quote an endpoint or a model: on one line, with nothing in it that a terminal would obey."""
    return {name: shown(row[name] or "", LONGEST_MESSAGE) if name != "attempts" else row[name] or 0 for name in SHOWN}
