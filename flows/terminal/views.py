"""`glan files` and `glan report`: what readers see, as names of objects and as one page."""

from pathlib import Path

from flows.terminal.screen import explained, out, show_json
from glan.clock import now
from glan.costs import money
from glan.errors import InputError
from glan.settings import Settings
from glan.store.files import LAYOUT
from glan.store.store import Store
from glan.wording import counted


def show_files(stage: str, disciplines: list[str] | None, as_json: bool) -> None:
    """`glan files`."""
    from glan.dataset import files

    with explained():
        paths = files(stage, disciplines=disciplines)
    if as_json:
        show_json(paths)
    else:
        for path in paths:
            out.print(path, markup=False, highlight=False)


def write_report(out_file: Path, as_json: bool) -> None:
    """`glan report`."""
    from glan.dataset import View
    from glan.report.figures import figures
    from glan.report.page import page
    from glan.report.samples import MANY

    with explained():
        store = Store.existing(Settings.load().store)
        if out_file.resolve().is_relative_to(Path(store.files.url, LAYOUT).resolve()):
            raise InputError(
                f"--out: {out_file} lies in the store, where nothing is written over; name a file elsewhere"
            )
        read = figures(View.open(store, "latest"), MANY)
        try:
            out_file.write_text(page(read, now()), encoding="utf-8")
        except OSError as error:
            raise InputError(f"--out: {out_file} cannot be written: {error.strerror}") from error
    total = read.coverage.total
    counts = {"kept": total.kept, "rejected": total.rejected, "quarantined": total.quarantined}
    if as_json:
        show_json({"report": str(out_file), "store": read.store, "snapshot": read.snapshot, **counts})
        return
    cost = money(read.ledger.total)
    out.print(f"Report in {out_file}: {counted(total.kept, 'instruction')} kept; cost: {cost}.", highlight=False)
