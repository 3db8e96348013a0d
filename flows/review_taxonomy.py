"""Let a model draft what is missing in the taxonomy, wait for a person's decision, publish the next version.

A run of a deployment is suspended while it waits: no process is held, and when it is resumed, the flow begins again from
the top and finds its draft in the store. Without a deployment the process waits.
"""

import datetime
from functools import partial
from itertools import count
from typing import Any, Literal

from prefect import flow, runtime
from prefect.client.schemas.objects import State
from prefect.flow_runs import pause_flow_run, suspend_flow_run
from prefect.input import RunInput
from prefect.states import Completed, Failed
from pydantic import Field

from flows.endings import told
from flows.parameters import ReviewConfig
from glan.drafting import paths
from glan.drafting.documents import spelled
from glan.drafting.review import Annotator, Ballot
from glan.errors import BudgetSpent, InputError
from glan.settings import Settings
from glan.store.store import Store
from tasks import wiring
from tasks.draft_views import LONGEST_REASON, draft_text, outcome_text, publish_outcome
from tasks.drafting import (
    Drafted,
    Published,
    changed_meanwhile,
    draft_taxonomy,
    kept_draft,
    prepare_draft,
    publish_review,
    rejected,
)
from tasks.inert import plain
from tasks.preparation import conclude
from tasks.receipts import receipts_in
from tasks.waiting import patiently

LOOK_EVERY_SECONDS = 2
"""How often a run without a deployment looks whether it has been resumed."""


class ReviewForm(RunInput):
    """What a person decides on a draft."""

    decision: Literal["approve", "reject"] = Field(
        description="approve: publish what is proposed, without what you remove and with what you add; reject: publish nothing"
    )
    reviewer: str = Field(min_length=1, max_length=200, description="your name; it goes on record")
    criteria: list[str] = Field(default_factory=list, description="by which you kept or removed")
    remove: list[str] = Field(
        default_factory=list,
        description="paths of nodes to remove, each with all below it, such as Natural sciences > Life sciences > Genetics",
    )
    add: list[str] = Field(
        default_factory=list,
        description="disciplines to add: Field > Sub-field > Discipline, or Field > Discipline",
    )
    note: str = Field(default="", description="anything that should go on record")


@flow(name="review-taxonomy", flow_run_name="review-taxonomy", persist_result=False)
@told
def review_taxonomy(config: ReviewConfig = ReviewConfig()) -> State[Any]:
    """Draft, ask a person, publish the next version of the taxonomy with a record of who decided what."""
    run_id = str(runtime.flow_run.id)
    order = patiently(partial(prepare_draft, config.recipe, config.plan(), run_id))
    store = Store.open(Settings.load().store)
    try:
        with receipts_in(store.files.url):
            drafted = draft_taxonomy(order, config.plan(), config.draft)
    except BudgetSpent as error:
        conclude(order, "BudgetSpent")
        return Completed(name="BudgetSpent", message=f"there is no draft yet: {error}")
    finally:
        wiring.close(order)
    conclude(order, "Drafted")  # no model is asked any more
    return _decide(config, store, drafted, run_id)


def _decide(config: ReviewConfig, store: Store, drafted: Drafted, run_id: str) -> State[Any]:
    if config.approve == "none":
        return Completed(name="Drafted", message=f"draft {drafted.digest} is kept; nothing was published")
    if config.approve == "all":
        reviewer = config.reviewer or "nobody: approved without a look"
        ballot = _approval(store, drafted, Annotator(name=reviewer, criteria=config.criteria), [], [])
        return _published(publish_review(store, drafted, [ballot], run_id))
    return _asked(config, store, drafted, run_id)


def _asked(config: ReviewConfig, store: Store, drafted: Drafted, run_id: str) -> State[Any]:
    """Show the form until what it says can be done."""
    filled: dict[str, Any] = {"criteria": config.criteria}
    if config.reviewer:
        filled["reviewer"] = config.reviewer
    problem = ""
    for attempt in count(1):
        description = patiently(partial(_description, store, drafted, problem))
        form = ReviewForm.with_initial_data(description=description, **filled)
        answer = _wait(form, f"review-{attempt}", config.timeout_hours)
        try:
            return patiently(partial(_carried_out, answer, store, drafted, run_id))
        except InputError as error:
            problem = str(error)
        filled = {name: getattr(answer, name) for name in ReviewForm.model_fields if name != "decision"}
    raise AssertionError("the form is shown until it can be carried out")


def _carried_out(answer: ReviewForm, store: Store, drafted: Drafted, run_id: str) -> State[Any]:
    """Do what a person decided.

    Raises:
        InputError: it cannot be done; says what to change in the form.
    """
    name = " ".join(answer.reviewer.split())
    if not name:
        raise InputError("reviewer: your name is missing, and it goes on record with the decision")
    annotator = Annotator(name=name, criteria=answer.criteria, note=answer.note)
    if answer.decision == "reject":
        record = rejected(store, drafted, Ballot(annotator=annotator), run_id)
        publish_outcome(
            f"# Review of the taxonomy\n\n{plain(annotator.name)} rejected the draft; nothing was published."
        )
        return Completed(name="Rejected", message=f"rejected by {annotator.name}; nothing was published ({record})")
    version = changed_meanwhile(store, drafted, run_id)
    if version is not None:
        return Failed(message=_too_late(drafted, version))
    try:
        ballot = _approval(store, drafted, annotator, answer.remove, answer.add)
        return _published(publish_review(store, drafted, [ballot], run_id))
    except InputError:
        version = changed_meanwhile(store, drafted, run_id)
        if version is None:
            raise
        return Failed(message=_too_late(drafted, version))


def _approval(store: Store, drafted: Drafted, annotator: Annotator, remove: list[str], add: list[str]) -> Ballot:
    """A vote for everything that is proposed, but for what is to be removed."""
    draft = kept_draft(store, drafted)
    removed = {spelled(node.path): False for node in paths.all_found(draft, remove)}
    proposed = {spelled(node.path): True for node in draft.proposed()}
    return Ballot(annotator=annotator, keep=proposed | removed, add=[paths.new(typed) for typed in add])


def _published(made: Published) -> State[Any]:
    counts = made.counts
    size = f"{counts.fields} fields, {counts.sub_fields} sub-fields, {counts.disciplines} disciplines"
    who = ", ".join(one.name for one in made.review.annotators)
    if made.changed:
        sentence = f"version {made.version} of the taxonomy is published: {size}"
    else:
        sentence = f"nothing changes: version {made.version} of the taxonomy stays"
    publish_outcome(outcome_text(made.review, f"{sentence[0].upper()}{sentence[1:]}."))
    return Completed(message=f"{sentence}; decided by {who}")


def _too_late(drafted: Drafted, version: int) -> str:
    return (
        f"the taxonomy has changed while the draft waited: version {version} is the latest, this review began from "
        f"{drafted.base_version}; nothing was published; start review-taxonomy again with draft = {drafted.digest}, "
        "which asks the model nothing"
    )


def _description(store: Store, drafted: Drafted, problem: str) -> str:
    """What stands above the form: what was wrong with the last answer, and the draft."""
    text = draft_text(kept_draft(store, drafted), drafted.digest)
    if not problem:
        return text
    wrong = f"**Nothing was published yet:** {plain(problem, LONGEST_REASON)}."
    return f"{wrong} The form still holds what you wrote; correct it.\n\n{text}"


def _wait(form: type[ReviewForm], key: str, hours: float) -> ReviewForm:
    """The answer. A run of a deployment ends here and is started anew when it is resumed, to come by here again."""
    seconds = int(datetime.timedelta(hours=hours).total_seconds())
    if runtime.deployment.id:
        return suspend_flow_run(wait_for_input=form, timeout=seconds, key=key)
    return pause_flow_run(wait_for_input=form, timeout=seconds, poll_interval=LOOK_EVERY_SECONDS, key=key)
