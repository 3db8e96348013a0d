"""Difficulties and question types through everything that a store goes through: runs, plans, verdicts, reports, releases."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from bare_runs import bare_run, bare_store
from flow_world import World, config, copied
from model_faults import Faults, Payload
from proof_checks import check_whole, tables
from stage_world import UNJUDGED
from terminal_world import typed

from glan.clock import now
from glan.config import Budget, RunConfig
from glan.curation.choices import chosen, options_of
from glan.dataset import View
from glan.release.publish import publish
from glan.release.releases import ReleaseOptions
from glan.replay.replay import Replay
from glan.report.figures import figures
from glan.report.page import page
from glan.stages.questions import span_of
from glan.stages.sampling.kinds import Kind, kinds
from glan.store.store import Store
from glan.units import Scope

TYPES = {"open": 1, "multiple_choice": 2, "coding": 1, "essay": 1}
LEVELS = {"easy": 1, "medium": 1, "hard": 2}
KINDS: dict[str, Any] = {"question_types": TYPES, "difficulties": LEVELS}
RUN = config(subjects=2, questions=10, **KINDS)
COLUMNS = ["difficulty", "question_type", "correct_option"]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    return bare_store(tmp_path_factory.mktemp("kinds"), RUN)


@pytest.fixture
def world(bare_world: World) -> World:
    return bare_world


@pytest.fixture
def made(whole: tuple[Path, int], world: World, tmp_path: Path) -> World:
    """A store that holds the run, and a model server that has not been asked yet."""
    copied(whole[0], tmp_path / "store")
    return world


def dealt(world: World, run: RunConfig) -> dict[tuple[str, int], Kind]:
    """What each sample of the rounds that are there was to be, by round and index."""
    found = {}
    for receipt in world.receipts("questions"):
        node, (start, stop) = span_of(receipt.unit)
        for index, kind in enumerate(kinds(run, f"physics/{node}", start, stop), start):
            found[node, index] = kind
    return found


def of_rows(world: World, stage: str = "questions") -> Counter[Kind]:
    rows = world.load(stage)[["difficulty", "question_type"]]
    rows = rows.astype(object).where(rows.notna(), None)
    return Counter(Kind(*pair) for pair in zip(rows["difficulty"], rows["question_type"], strict=True))


def test_every_row_is_of_the_kind_that_was_dealt_and_is_kept(made: World, whole: tuple[Path, int]) -> None:
    assert of_rows(made) == Counter(dealt(made, RUN).values()) and of_rows(made).total() == 20
    assert {kind.question_type for kind in of_rows(made)} == TYPES.keys()
    judged = made.load("instructions").set_index("question_id")
    assert judged["kept"].all(), Counter(judged["reasons"].explode())
    pd.testing.assert_frame_equal(
        judged[COLUMNS], made.load("questions").set_index("question_id").loc[judged.index, COLUMNS]
    )
    for row in judged[judged["question_type"] == "multiple_choice"].to_dict("records"):
        options = options_of(row["question"])
        assert len(options) == 4 and chosen(row["answer"], options) == row["correct_option"]
        assert "Key" not in row["question"]
    assert judged[judged["question_type"] != "multiple_choice"]["correct_option"].isna().all()
    assert judged[judged["question_type"] == "coding"]["answer"].str.contains("```python").all()
    check_whole(made.store)
    assert made.server.count == 0 and bare_run(RUN) == "Completed" and made.server.count == 0
    plain = config(subjects=2, questions=10)
    assert whole[1] == sum(CALLS.values()) and bare_run(plain) == "Completed"  # as many calls as without kinds
    assert made.server.count == 40 and of_rows(made) == {Kind(): 20}


CALLS = {"subjects": 4, "syllabi": 4, "questions": 20, "answers": 20}


def run_file(folder: Path, text: str) -> str:
    common = "lists = 2\nmin_sessions = 4\nmax_sessions = 6\nconcepts_per_session = 3\nsubjects = 2\n"
    (folder / "run.toml").write_text(f'disciplines = ["physics"]\n{common}{text}')
    return "run.toml"


TABLES = """
[difficulties]
easy = 1
medium = 1
hard = 2
[question_types]
open = 1
multiple_choice = 2
coding = 1
essay = 1
"""


def planned(*arguments: str) -> dict[str, int]:
    return {line["stage"]: line["calls"] for line in json.loads(typed("plan", *arguments, "--json").stdout)}


def test_more_questions_leave_those_that_are_there_and_go_on_with_the_same_hand(made: World, tmp_path: Path) -> None:
    file = run_file(tmp_path, f"questions = 14\n{TABLES}")
    assert planned(file) == {"subjects": 0, "syllabi": 0, "questions": 8, "answers": 8, "instructions": 0}
    told = typed("plan", file).stdout
    assert "Of 8 questions about 2 easy, 2 medium, 4 hard." in told
    assert "Of 8 questions about 2 open, 3 multiple choice, 2 coding, 2 essay." in told
    before = made.objects("questions")
    more = RUN.model_copy(update={"questions": 14})
    assert bare_run(more) == "Completed" and made.server.count == 16
    assert before.items() <= made.objects("questions").items()
    assert of_rows(made) == Counter(dealt(made, more).values()) and of_rows(made).total() == 28
    check_whole(made.store)


def test_other_weights_pay_for_what_they_change_and_for_nothing_else(made: World) -> None:
    other = config(subjects=2, questions=10, difficulties=LEVELS, question_types={**TYPES, "multiple_choice": 1})
    one, two = dealt(made, RUN), dealt(made, other)
    changed = sum(one[place] != two[place] for place in one)
    assert 0 < changed < 10
    assert bare_run(other) == "Completed"
    paid = made.load("calls").sort_values("finished_at").iloc[-made.server.count :]
    assert Counter(paid["stage"]) == {"questions": changed, "answers": changed}
    assert of_rows(made) == Counter(two.values())
    check_whole(made.store)


def test_a_round_that_other_weights_deal_the_same_is_not_stale(made: World, tmp_path: Path) -> None:
    same = TABLES.replace("open = 1", "open = 2").replace("choice = 2", "choice = 4").replace("essay = 1", "essay = 2")
    file = run_file(tmp_path, f"questions = 10\n{same.replace('coding = 1', 'coding = 2')}")
    assert set(planned(file).values()) == {0}


def test_a_run_that_was_cut_off_goes_on_to_the_same_tables(whole: tuple[Path, int], world: World) -> None:
    assert bare_run(RUN.model_copy(update={"budget": Budget(calls=whole[1] - 15)})) == "BudgetSpent"
    assert bare_run(RUN) == "Completed"
    assert world.server.count == whole[1]
    assert tables(world.store_url) == tables(str(whole[0]))


def test_all_that_was_wiped_comes_back_byte_for_byte(made: World, tmp_path: Path) -> None:
    before = {stage: made.objects(stage) for stage in UNJUDGED}
    for path in (path for some in before.values() for path in some):
        made.store.files.delete(path)
    store, scratch = made.store, Store.open(str(tmp_path / "scratch"))
    assert {one.result for one in Replay(store, store, scratch).all(["physics"])} == {"rebuilt"}
    assert {stage: made.objects(stage) for stage in UNJUDGED} == before
    assert made.server.count == 0


def answers_with(text: Callable[[str], str | None]) -> Callable[[Payload], str | None]:
    """A model that answers some prompts otherwise."""
    return lambda payload: text(payload["messages"][-1]["content"])


def test_what_an_answer_gets_wrong_is_a_reason_on_a_row_that_stays(world: World) -> None:
    def says(prompt: str) -> str | None:
        if "The last line names the right option" in prompt:
            return "It is hard to say."
        if "Give the whole program" in prompt:
            return "One would write a loop over all of them and sum up what it finds on the way."
        return "An essay takes a position, and this one does not." if "Write an essay of" in prompt else None

    world.server.says = answers_with(says)
    assert bare_run(RUN) == "Completed"
    rows = world.load("instructions")
    reasons = {(row["question_type"], *row["reasons"]) for row in rows.to_dict("records")}
    assert {("open",), ("multiple_choice", "no_choice"), ("coding", "no_code"), ("essay", "short_essay")} <= reasons
    assert len(rows) == 20 and not rows[rows["question_type"] != "open"]["kept"].any()
    assert rows[rows["question_type"] == "open"]["kept"].all()
    check_whole(world.store)


def test_an_answer_that_comes_to_another_option_than_the_key_is_rejected_and_curate_agrees(made: World) -> None:
    def says(prompt: str) -> str | None:
        if "The last line names the right option" not in prompt:
            return None
        return "I hold the first one for right, whatever the others say of it.\n\nAnswer: A"

    made.server.says = answers_with(says)
    assert bare_run(RUN, Scope(stage="answers", mode="refresh")) == "Completed"
    rows = made.load("instructions")
    choices = rows[rows["question_type"] == "multiple_choice"]
    told = {(row["correct_option"] == "A", "key_disagrees" in row["reasons"]) for row in choices.to_dict("records")}
    assert told == {(True, False), (False, True)}
    assert typed("curate").code == 0
    pd.testing.assert_frame_equal(made.load("instructions"), rows)
    check_whole(made.store)


def test_questions_without_options_go_to_quarantine_and_a_retry_brings_their_kind(world: World) -> None:
    world.server.faults = Faults(
        when=lambda payload, nth: "refusal" if "coding, " in payload["messages"][-1]["content"] else None
    )
    world.server.says = answers_with(lambda prompt: "Which one is it?" if "multiple choice, " in prompt else None)
    once = RunConfig(models={"question": {"attempts": 1}}).models
    run = RUN.model_copy(update={"models": once})
    assert bare_run(run) == "Completed"
    lost = Counter(world.load("quarantine")["error_kind"])
    expected = Counter(kind.question_type for kind in dealt(world, RUN).values())
    assert lost == {"no_options": expected["multiple_choice"], "refused": expected["coding"]}
    found = figures(View.open(world.store, "latest")).coverage.kinds["question_type"]
    assert {name: cover.planned for name, cover in found.items()} == expected
    assert found["coding"].kept == 0 and found["coding"].coming == expected["coding"]
    world.server.faults, world.server.says = Faults(), None
    assert bare_run(run, Scope(mode="retry")) == "Completed"
    assert of_rows(world) == Counter(dealt(world, RUN).values())
    found = figures(View.open(world.store, "latest")).coverage.kinds["question_type"]
    assert {name: cover.planned for name, cover in found.items()} == expected
    check_whole(world.store)


def test_programs_of_coding_questions_are_run_and_options_need_no_second_answer(made: World) -> None:
    pytest.importorskip("math_verify")
    checked = RUN.model_copy(update={"checking": RunConfig(checking={"math": True, "code": True}).checking})
    assert bare_run(checked) == "Completed"
    rows = made.load("instructions").set_index("question_id")
    judged = made.load("judgements").set_index("question_id")
    programs = judged[judged["method"] == "code"]
    assert set(programs.index) == set(rows[rows["question_type"] == "coding"].index)
    assert set(programs["verdict"]) == {"runs"}
    assert not set(judged[judged["method"] == "math"].index) & set(
        rows[rows["question_type"] == "multiple_choice"].index
    )
    check_whole(made.store)


def test_they_go_with_other_languages_two_subjects_follow_ups_and_several_in_a_call(world: World) -> None:
    run = config(
        subjects=2,
        questions=6,
        languages=["en", "de"],
        cross_subject_questions=5,
        follow_ups=1,
        questions_per_call=3,
        **KINDS,
    )
    assert bare_run(run) == "Completed"
    assert of_rows(world) == Counter(dealt(world, run).values()) and of_rows(world).total() == 34
    rows = world.load("instructions")
    assert Counter(rows["language"].fillna("en")) == {"en": 17, "de": 17}
    assert rows[rows["strategy"] == "cross_subject"]["question_type"].notna().all()
    german = rows[(rows["language"] == "de") & (rows["question_type"] == "multiple_choice")]
    assert len(german) and german["correct_option"].notna().all()
    assert rows["turns"].notna().all()
    assert not rows["reasons"].explode().isin(["key_disagrees", "no_choice", "no_code", "short_essay"]).any()
    check_whole(world.store)


def test_a_night_tops_up_with_the_same_kinds(prefect_server: None, made: World) -> None:
    done = typed("expand", "--target", "26", "--discipline", "physics")
    assert done.code == 0, done.stderr
    rows = made.load("instructions")
    assert len(rows[rows["kept"]]) >= 26
    assert of_rows(made) == Counter(dealt(made, RUN).values())


def test_the_report_holds_what_was_asked_for_against_what_was_reached(made: World) -> None:
    found = figures(View.open(made.store, "latest"))
    asked = of_rows(made)
    for place, (name, covers) in enumerate(found.coverage.kinds.items()):
        each = Counter[str]()
        for kind, number in asked.items():
            each[kind[place] or ""] += number
        assert name == Kind._fields[place]
        assert {one: (cover.planned, cover.kept) for one, cover in covers.items()} == {
            one: (n, n) for one, n in each.items()
        }
    text = page(found, now())
    assert "By question type" in text and "By difficulty" in text and '"question_type":"multiple_choice"' in text
    for sample, origin in zip(found.samples, found.origins, strict=True):
        assert origin.question[0].messages and origin.answer[0].messages  # the very prompts, kinds and all
        assert f"{sample.row['difficulty']}\n" in origin.question[0].messages[-1]["content"]


def test_a_release_says_the_kind_of_each_row_and_balances_them(made: World) -> None:
    def released(name: str, **options: Any) -> tuple[pd.DataFrame, str]:
        chosen_ = ReleaseOptions(**{"test": 0, "validation": 0, "formats": ("jsonl",), **options})
        publish(made.store, name, options=chosen_, run_id="run", clock=now)
        whole = Path(made.store_url) / f"v1/releases/{name}"
        return pd.read_json(whole / "data/train-00000.jsonl", lines=True), (whole / "README.md").read_text()

    rows, card = released("all")
    of = made.load("instructions").set_index("question_id")
    assert rows.set_index("question_id")[COLUMNS].to_dict() == of.loc[rows["question_id"], COLUMNS].fillna("").to_dict()
    assert "| question type | rows |" in card and "| difficulty | rows |" in card and "`correct_option`" in card
    even, _ = released("even", balance="question_type")
    each = Counter(even["question_type"])
    assert len(each) == 4 and len(set(each.values())) == 1
    weighed, _ = released("weighed", balance="difficulty", weights={"hard": 0})
    assert set(weighed["difficulty"]) == {"easy", "medium"}
