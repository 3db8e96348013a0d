"""`glan status --costs`: what all calls on record took, by stage and model, or by discipline as JSON too."""

from dataclasses import asdict

from flows.terminal.screen import explained, out, show_json, show_table
from glan.costs import money
from glan.names import shown
from glan.settings import Settings
from glan.store.store import Store


def show_costs(disciplines: list[str], as_json: bool) -> None:
    """Read the ledger and show it: in the terminal by stage and model, as JSON by discipline too."""
    from glan.dataset import View
    from glan.report.ledger import ledger

    with explained():
        store = Store.existing(Settings.load().store)
        found = ledger(View.open(store, "latest", disciplines or None))
    if as_json:
        by_account = found.by(tuple).items()
        show_json(
            [
                {"stage": stage, "model": model, "discipline_id": discipline_id, **asdict(spent)}
                for (stage, model, discipline_id), spent in by_account
            ]
        )
        return
    lines = [*found.by(lambda account: account[:2]).items(), (("in all", ""), found.total)]
    show_table(
        "What all calls on record took",
        [
            {
                "stage": stage,
                "model": shown(model, 60),
                "calls": spent.calls,
                "understood": spent.understood,
                "sent": spent.prompt_tokens,
                "received": spent.completion_tokens,
                "cost": money(spent),
            }
            for (stage, model), spent in lines
        ],
    )
    out.print("By discipline too: --json.", style="dim", highlight=False)
