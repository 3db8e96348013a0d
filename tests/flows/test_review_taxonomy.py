"""The flow review-taxonomy on a real Prefect server: a deployment that is suspended, and a run that waits."""

import contextvars
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flow_world import World
from model_faults import Faults
from model_server import ModelServer
from prefect import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterFlowRunId
from prefect.client.schemas.objects import FlowRun, State
from prefect.events.worker import EventsWorker
from prefect.logging.handlers import APILogWorker
from prefect.settings import PREFECT_API_URL, temporary_settings
from serve_world import Served

from flows.parameters import ReviewConfig
from flows.review_taxonomy import review_taxonomy
from glan.drafting import keeping
from glan.drafting.documents import Draft, spelled
from glan.store import taxonomies
from glan.store.store import Store
from glan.taxonomy import added
from tasks.taxonomy_versions import publish_taxonomy

SCOPE = {"fields": ["Formal sciences"], "most_below_field": 2, "most_below_sub_field": 3}
HOSTILE = "[Click](http://evil.example) <img src=x> **bold** | `code`"


def eventually(found: Callable[[], Any], seconds: float = 90.0) -> Any:
    """What is found, once it is."""
    deadline = time.monotonic() + seconds
    while not (value := found()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.2)
    return value


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """All deployments, served for a model server and a store in its folder."""
    folder = tmp_path_factory.mktemp("review")
    with ModelServer(seed=1) as model, Served(folder / "served", model) as running:
        running.model = model  # type: ignore[attr-defined]
        with temporary_settings({PREFECT_API_URL: f"{running.url}/api"}):
            forget_other_servers()
            yield running
            forget_other_servers()


def forget_other_servers() -> None:
    """Let Prefect's own threads send what they hold and end: new ones talk to the server that is set then."""
    APILogWorker.instance().drain()
    EventsWorker.drain_all()


@pytest.fixture
def world(served: Served, server: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """An empty store, and runs in this process that go to the same server."""
    monkeypatch.chdir(tmp_path)
    return World(server, str(tmp_path / "store"), monkeypatch)


class Run:
    """A flow run as the UI sees it."""

    def __init__(self, id: UUID, served: Served | None = None) -> None:
        self.id = id
        self.served = served

    @classmethod
    def of_deployment(cls, served: Served, **config: Any) -> "Run":
        """Press Run, with the form filled in."""
        with get_client(sync_client=True) as client:
            deployment = client.read_deployment_by_name("review-taxonomy/review-taxonomy")
            run = client.create_flow_run_from_deployment(deployment.id, parameters={"config": {**SCOPE, **config}})
            return cls(run.id, served)

    def now(self) -> FlowRun:
        with get_client(sync_client=True) as client:
            return client.read_flow_run(self.id)

    def waiting(self, attempt: int = 1) -> str:
        """Wait until the form of this attempt is shown; what stands above it."""

        def shown() -> str | None:
            state = self.now().state
            assert state is not None and not state.is_final(), state
            if not state.is_paused() or state.state_details.pause_key != f"review-{attempt}":
                return None
            key = (state.state_details.run_input_keyset or {})["description"]
            with get_client(sync_client=True) as client:
                try:
                    return str(json.loads(client.read_flow_run_input(flow_run_id=self.id, key=key)))
                except Exception:  # it is written a moment after the state
                    return None

        return str(eventually(shown))

    def resume(self, **form: Any) -> Any:
        """Send the form, at once, though the process of the run may still be ending; what the server says to it."""
        with get_client(sync_client=True) as client:
            return client.resume_flow_run(self.id, run_input=form)

    def ended(self) -> State[Any]:
        def state() -> State[Any] | None:
            found = self.now().state
            return found if found is not None and found.is_final() else None

        return eventually(state)  # type: ignore[no-any-return]

    def artifacts(self) -> dict[str, str]:
        with get_client(sync_client=True) as client:
            mine = ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[self.id]))
            return {
                artifact.key: str(artifact.data)
                for artifact in client.read_artifacts(artifact_filter=mine)
                if artifact.key
            }


def drafts(store: Store) -> list[Draft]:
    """All that are kept."""
    names = [entry.path.rpartition("/")[2] for entry in store.files.list("_inputs/taxonomy")]
    digests = [name.removesuffix(".json") for name in names if not name.startswith("review-")]
    return [keeping.kept_draft(store.files, digest) for digest in digests]


def leaves(draft: Draft) -> list[str]:
    return [spelled(node.path) for node in draft.proposed() if node.kind == "discipline"]


@pytest.mark.soak
def test_a_deployment_waits_without_a_process_and_publishes_what_a_person_decided(served: Served) -> None:
    store, model = Store.open(str(served.folder / "data")), served.model  # type: ignore[attr-defined]
    run = Run.of_deployment(served, reviewer="Ada")
    shown = run.waiting()
    asked = model.count
    [draft] = drafts(store)
    first, second, *rest = leaves(draft)
    assert "Draft of the taxonomy" in shown and asked > 0
    assert run.artifacts()["glan-taxonomy-draft"] == shown

    assert "not one of" in str(run.resume(decision="maybe", reviewer="Ada").details.reason)
    form = {"decision": "approve", "reviewer": "Ada", "criteria": ["taught at a school I know"], "note": "for spring"}
    run.resume(**form, remove=["Formal sciences > Nothing"])
    assert "there is no node" in run.waiting(2)
    run.resume(**form, remove=[first.upper()], add=["Crafts > Building > Masonry"])
    state = run.ended()
    assert state.is_completed() and "version 2" in str(state.message) and "Ada" in str(state.message), state.message

    assert model.count == asked  # nothing was asked again
    tree = taxonomies.current(store)
    new = {one.path: one.origin for one in tree if one.path in (first, second, *rest, "Crafts > Building > Masonry")}
    assert new == {**dict.fromkeys([second, *rest], "model"), "Crafts > Building > Masonry": "user"}
    review = keeping.review_of(store.files, 2)
    assert review is not None and review.run_id == str(run.id) and review.draft == draft.digest
    assert [(one.name, one.criteria, one.note) for one in review.annotators] == [
        ("Ada", ["taught at a school I know"], "for spring")
    ]
    assert [spelled(one.node) for one in review.decisions if one.no] == [first]
    outcome = run.artifacts()["glan-taxonomy-review"]
    assert "Version 2" in outcome and "Ada" in outcome and "Masonry" in outcome


def started(**config: Any) -> tuple[Run, Callable[[], State[Any]]]:
    """A run in a thread of this process, without a deployment, and how to wait for its end."""
    known = {run.id for run in _runs()}
    ended: list[State[Any]] = []
    given = ReviewConfig(**{**SCOPE, **config})
    run_here = contextvars.copy_context().run
    thread = threading.Thread(target=run_here, args=(lambda: ended.append(review_taxonomy(given, return_state=True)),))
    thread.start()

    def end() -> State[Any]:
        thread.join(90)
        return ended[0]

    return Run(eventually(lambda: [run.id for run in _runs() if run.id not in known])[0]), end


def test_a_run_without_a_deployment_waits_where_it_is(world: World) -> None:
    run, end = started()
    run.waiting()
    asked = world.server.count
    run.resume(decision="approve", reviewer="Ada", remove=["Nowhere"])
    assert "still holds" in run.waiting(2)
    run.resume(decision="approve", remove=[])
    state = end()
    assert state.name == "Completed", state.message
    assert taxonomies.versions(world.store.files) == [1, 2] and world.server.count == asked


def test_a_draft_may_be_rejected_and_taken_up_again_without_a_call(world: World) -> None:
    files = world.store.files
    run, end = started()
    run.waiting()
    asked = world.server.count
    run.resume(decision="reject", reviewer="Bob")
    state = end()
    assert (state.type.value, state.name) == ("COMPLETED", "Rejected") and "Bob" in str(state.message)
    assert taxonomies.versions(files) == [1]

    [draft] = drafts(world.store)
    run, end = started(draft=draft.digest)
    run.waiting()
    publish_taxonomy(world.store, added(taxonomies.current(world.store), "Occult", "", "Runes"), expected_latest=1)
    run.resume(decision="approve", reviewer="Bob")
    state = end()
    assert state.is_failed() and "version 2 is the latest" in str(state.message)
    assert draft.digest in str(state.message) and "\n" not in str(state.message)

    state = review_taxonomy(ReviewConfig(**SCOPE, draft=draft.digest, approve="all", reviewer="Cyd"), return_state=True)
    assert state.is_completed() and "Cyd" in str(state.message), state.message
    assert taxonomies.versions(files) == [1, 2, 3] and world.server.count == asked


def test_a_run_that_asks_nobody_only_keeps_the_draft_and_shows_what_failed(world: World) -> None:
    world.server.faults = Faults(
        when=lambda payload, nth: (
            "refusal" if "Branch: Formal sciences > Logic" in payload["messages"][-1]["content"] else None
        )
    )
    state: State[Any] = review_taxonomy(ReviewConfig(**SCOPE, approve="none"), return_state=True)
    assert (state.type.value, state.name) == ("COMPLETED", "Drafted")
    assert taxonomies.versions(world.store.files) == [1]
    shown = Run(state.state_details.flow_run_id).artifacts()["glan-taxonomy-draft"]
    assert "## Failed" in shown and "Logic and systems" in shown and "none of 3 lists can be used" in shown
    [failed] = [node for draft in drafts(world.store) for node in draft.nodes if node.failed]
    assert spelled(failed.path) == "Formal sciences > Logic and systems"


def test_text_of_a_model_is_inert_where_it_is_shown() -> None:
    from glan.drafting.documents import WORDINGS, DraftNode, DraftPlan, FailedList
    from tasks.draft_views import draft_text

    failed = FailedList(wording=WORDINGS[0], index=0, kind="refused", message=HOSTILE)
    nodes = [
        DraftNode(path=(), kind="field", present=True, asked=3, failures=[failed]),
        DraftNode(path=(HOSTILE,), kind="field", votes=3, lists=3, proposed=True, duplicate_of=[(HOSTILE, "x")]),
        DraftNode(path=(f"{HOSTILE} too",), kind="field", votes=1, lists=3),
    ]
    prompts = dict.fromkeys(WORDINGS, "d" * 64)
    text = draft_text(Draft(base_version=1, plan=DraftPlan(), model=HOSTILE, prompts=prompts, nodes=nodes), "d" * 64)
    outside = re.sub(r"`[^`\n]*`", "", text)  # of code spans, in which nothing is read as Markdown or HTML
    assert HOSTILE.split()[0] in text
    for sign in ("](", "<img", "bold", "code", "http://"):
        assert sign not in outside


def test_a_refused_key_ends_the_review_with_one_sentence(world: World) -> None:
    world.server.faults = Faults(when=lambda payload, nth: "unauthorized")
    state: State[Any] = review_taxonomy(ReviewConfig(**SCOPE), return_state=True)
    assert state.is_failed() and "API key" in str(state.message) and "\n" not in str(state.message)


def _runs() -> list[FlowRun]:
    with get_client(sync_client=True) as client:
        return client.read_flow_runs(limit=200)
