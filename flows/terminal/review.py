"""Commands of a review without a server: a draft as a file for annotators, and their votes back."""

import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows.terminal.screen import ENDED_WITH_FAILURES, explained, note, out, quiet_prefect, show_json, stop
from glan.checks import explain
from glan.config import RunConfig
from glan.drafting import keeping, review_file
from glan.drafting.documents import Draft, DraftPlan, spelled
from glan.drafting.flags import failure
from glan.drafting.review import Ballot
from glan.errors import InputError
from glan.settings import Settings
from glan.store import taxonomies
from glan.store.store import Store
from glan.wording import counted

STOPPED = "stopped; replies so far are on record, and the same command goes on from there"

if TYPE_CHECKING:
    from tasks.drafting import Published


def draft_taxonomy(
    run_file: Path | None, plan: Mapping[str, Any], kept: str | None, out_file: Path, as_json: bool
) -> None:
    """`glan taxonomy draft`."""
    quiet_prefect()
    with explained():
        wanted = _plan(plan)
        if out_file.exists():
            raise InputError(f"--out: {out_file} is there already, perhaps with votes in it; name another file")
        if not out_file.parent.is_dir():
            raise InputError(f"--out: there is no folder {out_file.parent}; make it, or name a file elsewhere")
        digest = kept or _drafted(run_file, wanted)
        draft = keeping.kept_draft(Store.open(Settings.load().store).files, digest)
        _write(out_file, review_file.written(draft), digest)
    if as_json:
        show_json({"draft": digest, "file": str(out_file), **draft.model_dump(mode="json")})
    else:
        _say_draft(draft, out_file)


def import_votes(files: Sequence[Path], as_json: bool) -> None:
    """`glan taxonomy import --votes`."""
    quiet_prefect()
    with explained():
        given = [review_file.FilledIn(path, str(path)) for path in files]
        digest = review_file.together(given)
        store = Store.open(Settings.load().store)
        draft = keeping.kept_draft(store.files, digest)
        made = _published(store, digest, [one.ballot(draft) for one in given])
    review = made.review
    if as_json:
        show_json({"version": made.version, **made.counts._asdict(), "review": review.model_dump(mode="json")})
        return
    leaves = [one for one in review.decisions if one.kind == "discipline"]
    kept = sum(one.drafted and one.kept for one in leaves)
    removed = sum(one.removed for one in review.decisions)
    who = ", ".join(one.name for one in review.annotators)
    out.print(f"Decided by {who}: {kept} kept, {removed} removed, {len(review.added)} added by hand.", markup=False)
    begin = f"Version {made.version} is current" if made.changed else f"Nothing changes: version {made.version} stays"
    out.print(f"{begin}: {counted(made.counts.disciplines, 'discipline')}.")


def _plan(given: Mapping[str, Any]) -> DraftPlan:
    from pydantic import ValidationError

    try:
        return DraftPlan.model_validate({name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        raise InputError(f"options: {explain(error)}") from error


def _drafted(run_file: Path | None, plan: DraftPlan) -> str:
    from tasks import progress, wiring
    from tasks.drafting import make_draft, prepare_draft
    from tasks.preparation import conclude

    config = RunConfig.from_file(run_file) if run_file else None
    progress.listen(lambda message: note.print(message, markup=False, highlight=False))
    order = prepare_draft(config, plan, f"draft-{secrets.token_hex(8)}")
    try:
        digest = make_draft(order, plan).digest
    except KeyboardInterrupt:
        stop(STOPPED, ENDED_WITH_FAILURES)
    finally:
        wiring.close(order)
    conclude(order, "Drafted")
    return digest


def _published(store: Store, digest: str, ballots: Sequence[Ballot]) -> "Published":
    from tasks.drafting import Drafted, publish_review

    drafted = Drafted(digest=digest, base_version=taxonomies.versions(store.files)[-1])
    return publish_review(store, drafted, ballots, run_id="import")


def _write(path: Path, text: str, digest: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        fix = f"the draft is on record: `glan taxonomy draft --draft {digest} --out FILE` writes it elsewhere"
        raise InputError(f"--out: {path} cannot be written ({error.strerror}); {fix}") from error


def _say_draft(draft: Draft, file: Path) -> None:
    proposed = draft.proposed()
    leaves = sum(node.kind == "discipline" for node in proposed)
    out.print(
        f"{counted(len(proposed), 'node')} proposed, {counted(leaves, 'discipline')} among them; "
        f"give each annotator a copy of {file}.",
        markup=False,
    )
    for node in draft.with_failures():
        note.print(f"{spelled(node.path) or 'fields'}: {'; '.join(failure(node))}", markup=False, highlight=False)
