"""Taxonomy -> draft, as a Prefect task, and what a review makes of a draft."""

from collections.abc import Sequence

from prefect import task
from prefect.context import TaskRunContext
from prefect.tasks import exponential_backoff
from pydantic import BaseModel, ConfigDict

from glan.clock import now
from glan.config import RunConfig, Selection
from glan.drafting import keeping
from glan.drafting.documents import Draft, DraftPlan
from glan.drafting.draft import draft
from glan.drafting.review import Addition, Ballot, Decision, Review, additions, applied, decided
from glan.planning.recipes import base_config
from glan.settings import Settings
from glan.store import taxonomies
from glan.store.store import Store
from glan.taxonomy import Counts, from_table
from tasks.caching import BACKOFF_SECONDS, JITTER, RETRIES, passing
from tasks.draft_views import publish_draft
from tasks.preparation import prepare
from tasks.taxonomy_versions import publish_taxonomy
from tasks.wiring import Order, effects, recipe


class Drafted(BaseModel):
    """Where a draft is kept, and the version of the taxonomy that a review of it changes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    digest: str
    base_version: int


class Published(BaseModel):
    """What a review has made of the taxonomy. `version` is the present one if nothing has changed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int
    changed: bool
    counts: Counts
    review: Review


def prepare_draft(given: RunConfig | None, plan: DraftPlan, run_id: str) -> Order:
    """Make the store ready for a draft by the configuration given, else that of the last run; of the whole taxonomy.

    Raises:
        InputError: the plan, settings, prices, prompts or profiles are wrong; nothing was written.
        StoreError: the store cannot be relied on.
    """
    settings = Settings.load()
    store = Store.open(settings.store)
    taxonomies.current(store).select(fields=plan.fields, sub_fields=plan.sub_fields)
    everywhere: dict[str, list[str]] = {name: [] for name in Selection.model_fields}
    return prepare(base_config(given, store, settings).model_copy(update=everywhere), run_id)


def make_draft(order: Order, plan: DraftPlan) -> Drafted:
    """Ask, and keep the draft in the store.

    Raises:
        InputError: the plan names what is not in the taxonomy.
        EndpointRefused, EndpointDown, Cancelled, StoreError: there is no draft; replies so far are on record.
    """
    run = effects(order)
    latest = taxonomies.latest(run.store.files)
    assert latest is not None  # a run that is prepared has one
    version, rows = latest
    made = draft(plan, from_table(rows), version, recipe(order), run)
    return Drafted(digest=keeping.keep_draft(run.store.files, made), base_version=version)


def again(store: Store, digest: str) -> Drafted:
    """A draft that is kept already, to be reviewed against the taxonomy of today.

    Raises:
        InputError: there is none of this digest.
    """
    keeping.kept_draft(store.files, digest)
    return Drafted(digest=digest, base_version=taxonomies.versions(store.files)[-1])


def _cache_key(context: TaskRunContext, parameters: dict[str, object]) -> str:
    """One draft for each run: a run that is resumed finds its own, whatever the taxonomy is by then."""
    order = parameters["order"]
    assert isinstance(order, Order)
    return f"taxonomy/draft-{order.run_id}"


@task(
    name="draft",
    task_run_name="draft the taxonomy",
    cache_key_fn=_cache_key,
    result_serializer="json",
    cache_result_in_memory=False,
    persist_result=True,
    retries=RETRIES,
    retry_delay_seconds=exponential_backoff(backoff_factor=BACKOFF_SECONDS),
    retry_jitter_factor=JITTER,
    retry_condition_fn=passing,
)
def draft_taxonomy(order: Order, plan: DraftPlan, kept: str = "") -> Drafted:
    """The draft of a run, shown as an artifact; one that is `kept` already is taken as it is, without a call."""
    files = effects(order).store.files
    drafted = again(effects(order).store, kept) if kept else make_draft(order, plan)
    publish_draft(keeping.kept_draft(files, drafted.digest), drafted.digest)
    return drafted


def rejected(store: Store, drafted: Drafted, ballot: Ballot, run_id: str) -> str:
    """Keep on record that a draft was rejected; the record's name."""
    return keeping.keep_review(store.files, _review(drafted, [ballot], run_id, "rejected", [], []))


def publish_review(store: Store, drafted: Drafted, ballots: Sequence[Ballot], run_id: str) -> Published:
    """Publish what ballots make of the taxonomy, once: a run that is tried again finds the version it has published.

    Raises:
        InputError: what was kept contradicts itself, or the taxonomy is no longer `drafted.base_version`.
    """
    made = _already_published(store, drafted, run_id)
    if made is not None:
        return made
    base = drafted.base_version
    tree = taxonomies.current(store)
    decisions = decided(keeping.kept_draft(store.files, drafted.digest), ballots)
    added = additions(ballots)
    after = applied(tree, decisions, added)
    review = _review(drafted, ballots, run_id, "approved", decisions, added)
    if after.rows(base) == tree.rows(base) and taxonomies.versions(store.files)[-1] == base:
        keeping.keep_review(store.files, review)
        return Published(version=base, changed=False, counts=tree.counts, review=review)
    # The record comes first: a version never names a review that is not there.
    name = keeping.keep_review(store.files, review)
    version = publish_taxonomy(store, after, expected_latest=base, run_id=name)
    return Published(version=version, changed=True, counts=after.counts, review=review)


def changed_meanwhile(store: Store, drafted: Drafted, run_id: str) -> int | None:
    """The version that others have published since the draft was made; None if there is none."""
    latest = taxonomies.versions(store.files)[-1]
    return None if latest == drafted.base_version or _already_published(store, drafted, run_id) else latest


def kept_draft(store: Store, drafted: Drafted) -> Draft:
    """The draft itself."""
    return keeping.kept_draft(store.files, drafted.digest)


def _already_published(store: Store, drafted: Drafted, run_id: str) -> Published | None:
    latest = taxonomies.versions(store.files)[-1]
    review = keeping.review_of(store.files, latest) if latest == drafted.base_version + 1 else None
    if review is None or review.run_id != run_id:
        return None
    return Published(version=latest, changed=True, counts=taxonomies.current(store).counts, review=review)


def _review(
    drafted: Drafted,
    ballots: Sequence[Ballot],
    run_id: str,
    outcome: str,
    decisions: Sequence[Decision],
    added: Sequence[Addition],
) -> Review:
    return Review.model_validate(
        {
            "draft": drafted.digest,
            "base_version": drafted.base_version,
            "run_id": run_id,
            "decided_at": now(),
            "outcome": outcome,
            "annotators": [ballot.annotator for ballot in ballots],
            "decisions": list(decisions),
            "added": list(added),
        }
    )
