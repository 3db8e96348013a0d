"""Questions on two subjects through everything that a store goes through: runs, kills, retries, replays, releases."""

import json
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from bare_runs import bare_run, bare_store
from flow_world import World, config, copied
from model_faults import Faults, Payload
from proof_checks import check_whole, paid_twice, rows, tables
from stage_world import UNJUDGED
from terminal_world import typed

from glan.care.verify import verify
from glan.clock import now
from glan.config import Budget, RunConfig
from glan.dataset import View
from glan.records import OTHER
from glan.release.publish import publish
from glan.release.releases import ReleaseOptions
from glan.replay.replay import Replay
from glan.report.figures import figures
from glan.report.page import page
from glan.stages import pairs
from glan.store import manifests, runs, snapshots
from glan.store.store import Store
from glan.units import Scope

RUN = config(subjects=3, questions=1, cross_subject_questions=2)
ASKED = 3 * 1 + 2 * 2


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    return bare_store(tmp_path_factory.mktemp("pairs"), RUN)


@pytest.fixture
def world(bare_world: World) -> World:
    return bare_world


@pytest.fixture
def made(whole: tuple[Path, int], world: World, tmp_path: Path) -> World:
    """A store that holds the run, and a model server that has not been asked yet."""
    copied(whole[0], tmp_path / "store")
    return world


def test_a_flow_makes_them_and_a_second_run_has_nothing_to_do(prefect_server: None, world: World) -> None:
    state = world.run(**RUN.model_dump(exclude_defaults=True))
    assert state.name == "Completed", state.message
    questions = world.load("questions")
    assert Counter(questions["strategy"])["cross_subject"] == 4 and len(questions) == ASKED
    across = questions[questions["strategy"] == "cross_subject"]
    assert across[list(OTHER)].notna().all(axis=None)
    assert (across["other_subject_id"] != across["subject_id"]).all()
    assert questions[questions["strategy"] != "cross_subject"][list(OTHER)].isna().all(axis=None)
    judged = world.load("instructions").set_index("question_id")
    for name in OTHER[:3]:
        assert judged[name].dropna().to_dict() == across.set_index("question_id")[name].to_dict()
    check_whole(world.store)
    assert world.sent(**RUN.model_dump(exclude_defaults=True)) == 0


def test_plan_and_status_count_them(made: World, tmp_path: Path) -> None:
    (tmp_path / "run.toml").write_text(
        'disciplines = ["physics"]\nsubjects = 3\nquestions = 1\nlists = 2\nmin_sessions = 4\nmax_sessions = 6\n'
        "concepts_per_session = 3\ncross_subject_questions = 12\n"
    )
    planned = json.loads(typed("plan", "run.toml", "--json").stdout)
    calls = {line["stage"]: line["calls"] for line in planned}
    assert calls == {"subjects": 0, "syllabi": 0, "questions": 20, "answers": 20, "instructions": 0}
    told = json.loads(typed("status", "run.toml", "--json").stdout)
    found = {line["stage"]: (line["done"], line["missing"], line["waiting"]) for line in told}
    assert found["questions"] == (5, 3, 0) and found["answers"] == (5, 0, 3)


def test_a_run_that_was_cut_off_goes_on_to_the_same_tables_and_pays_nothing_twice(
    whole: tuple[Path, int], world: World
) -> None:
    assert bare_run(RUN.model_copy(update={"budget": Budget(calls=whole[1] - ASKED - 3)})) == "BudgetSpent"
    assert bare_run(RUN) == "Completed"
    assert paid_twice(world.server) == set() and world.server.count == whole[1]
    assert tables(world.store_url) == tables(str(whole[0]))


def test_all_that_was_wiped_comes_back_byte_for_byte(made: World, tmp_path: Path) -> None:
    before = {stage: made.objects(stage) for stage in UNJUDGED}
    for path in (path for some in before.values() for path in some):
        made.store.files.delete(path)
    store, scratch = made.store, Store.open(str(tmp_path / "scratch"))
    record = runs.find(store.files, runs.ids(store.files)[0])
    known = {name: one for name, one in record.prompts.items() if "across" not in name}
    runs.keep(store.files, record.model_copy(update={"run_id": "of-an-older-glan", "prompts": known}))
    assert {one.result for one in Replay(store, store, scratch).all(["physics"])} == {"rebuilt"}
    assert {stage: made.objects(stage) for stage in UNJUDGED} == before
    assert made.server.count == 0


def test_what_failed_is_asked_again_with_a_syllabus_that_both_of_its_pairs_waited_for(world: World) -> None:
    refused: set[str] = set()

    def trouble(payload: Payload, nth: int) -> str | None:
        asked = payload["messages"][-1]["content"]
        wanted = "Write the syllabus" in asked and not refused
        if wanted:
            refused.add(asked)
        return "refusal" if asked in refused or ("connects the two courses" in asked and nth % 2) else None

    world.server.faults = Faults(when=trouble)
    once = {role: {"attempts": 1} for role in ("syllabus", "question")}
    run = RUN.model_copy(update={"models": RunConfig(models=once).models})
    assert bare_run(run) == "Completed"
    assert len(world.load("syllabi")) == 2
    check_whole(world.store)
    world.server.faults = Faults()
    assert bare_run(run, Scope(mode="retry")) == "Completed"
    assert len(world.load("quarantine")) == 0
    assert Counter(world.load("questions")["strategy"])["cross_subject"] == 4
    check_whole(world.store)


def test_a_refresh_draws_them_anew_even_where_the_configuration_asks_for_none(made: World) -> None:
    before = made.load("questions")
    plain = RUN.model_copy(update={"cross_subject_questions": 0})
    assert bare_run(plain, Scope(stage="questions", mode="refresh")) == "Completed"
    after = made.load("questions")
    assert set(after["edition"]) == {1} and len(after) == len(before)
    assert Counter(after["strategy"])["cross_subject"] == 4
    check_whole(made.store)


def test_other_syllabi_make_the_rounds_on_two_of_them_anew(made: World) -> None:
    changed = RUN.model_copy(update={"min_sessions": 5})
    assert bare_run(changed) == "Completed"
    check_whole(made.store)
    syllabi = set(made.load("syllabi")["syllabus_id"])
    assert set(made.load("questions")["other_syllabus_id"].dropna()) <= syllabi
    assert len(made.load("instructions")) == ASKED


def test_they_are_continued_as_other_conversations_are(made: World) -> None:
    assert bare_run(RUN.model_copy(update={"follow_ups": 1})) == "Completed"
    found = rows(made.store_url, "instructions")
    assert len(found) == ASKED and all(len(row["turns"]) == 1 for row in found if row["turns"] is not None)
    assert {row["strategy"] for row in found if row["turns"]} >= {"cross_subject"}
    check_whole(made.store)


def test_verify_finds_a_round_whose_other_syllabus_is_not_shown(made: World) -> None:
    files, shown = made.store.files, snapshots.latest(made.store.files)
    marks = [pairs.syllabi_of(receipt.unit)[1] for receipt in made.receipts("questions")]
    partner = next(one.unit for one in made.receipts("syllabi") if pairs.mark(one.unit) in marks)
    less = manifests.publish(files, "syllabi", "physics", add=[], drop=[partner], run_id="hand", clock=now)
    assert shown is not None
    generations = {"physics": {**shown.generations["physics"], "syllabi": less.generation}}
    snapshots.publish(files, generations, run_id="hand", clock=now)
    orphaned = {finding.path for finding in verify(made.store) if finding.kind == "orphan"}
    across = {one.object for one in made.receipts("questions") if pairs.syllabi_of(one.unit)[1] == pairs.mark(partner)}
    assert across and across <= orphaned


def test_releases_hold_them_under_the_subject_they_belong_to_and_keep_sessions_apart(made: World) -> None:
    options = ReleaseOptions(test=2, validation=0.0, apart="session", formats=["parquet"])
    publish(made.store, "one", options=options, run_id="run", clock=now)
    of = {row["question_id"]: row for row in rows(made.store_url, "instructions")}
    held: dict[str, set[tuple[str, int]]] = {}
    for split in ("train", "test"):
        path = f"releases/one/data/{split}-00000.parquet"
        held[split] = set()
        for row in pq.read_table(made.store.files.open_input(path)).to_pylist():
            whole = of[row["question_id"]]
            assert (row["subject"], row["other_subject"]) == (whole["subject"], whole["other_subject"] or "")
            held[split] |= {(whole["syllabus_id"], one) for one in whole["session_indexes"]}
            held[split] |= {(whole["other_syllabus_id"], one) for one in whole["other_session_indexes"] or ()}
    assert held["train"].isdisjoint(held["test"]) and all(held.values())
    card = made.store.files.read("releases/one/README.md").decode()
    assert "cross\\_subject" in card or "cross_subject" in card


def test_the_report_counts_what_they_reach_and_leads_back_to_both_subjects(made: World) -> None:
    view = View.open(made.store, "latest")
    found = figures(view)
    total = found.instructions.texts.nodes
    physics = next(reach for path, reach in total.items() if path.discipline and not path.subject)
    pairs_possible = sum(one.capacity or 0 for one in view.receipts("questions"))
    assert physics.rows == physics.sets == ASKED and physics.subjects == 3
    assert physics.sets_possible == pairs_possible + sum(one.capacity or 0 for one in view.receipts("syllabi"))
    assert physics.concepts_reached <= physics.concepts and physics.sessions_reached <= physics.sessions
    across = [
        (sample, origin)
        for sample, origin in zip(found.samples, found.origins, strict=True)
        if sample.row["other_subject_id"]
    ]
    assert len(across) == 4
    for sample, origin in across:
        assert origin.other_syllabus["syllabus_id"] == sample.row["other_syllabus_id"]
        [asked] = origin.question
        assert f"Course: {sample.row['other_subject']} (" in asked.messages[-1]["content"]
    assert "Together with: " in page(found, now(), "run")
