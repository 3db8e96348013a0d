"""Other languages beside English, end to end: made on demand, told apart by every reader, and paid for once."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from bare_runs import bare_run
from flow_world import World, config, copied
from model_server import ModelServer
from model_texts import Author
from stage_world import UNJUDGED
from terminal_world import typed

from flows.backfill import backfill
from flows.parameters import BackfillConfig
from glan.care.verify import verify
from glan.clock import now
from glan.curation.identification import likeliest
from glan.dataset import View
from glan.errors import InputError
from glan.release.publish import publish
from glan.release.releases import ReleaseOptions
from glan.replay.replay import Replay
from glan.report.figures import figures
from glan.report.page import page
from glan.store.store import Store
from glan.units import Scope

ALL = ["en", "de", "zh", "ar", "th"]
BELOW = UNJUDGED[1:]


def spoken(world: World, stage: str) -> Counter[str]:
    """Rows by language, where none is English."""
    return Counter(world.load(stage)["language"].fillna("en"))


def test_a_language_is_added_to_a_store_and_taken_away_again_without_a_call_for_the_others(made: World) -> None:
    before = {stage: made.objects(stage) for stage in UNJUDGED}
    assert made.asked(languages=["en", "de", "zh"]) == {"syllabi": 8, "questions": 12, "answers": 12}
    for stage in UNJUDGED:
        assert before[stage].items() <= made.objects(stage).items()
    for stage in BELOW:
        each = 2 if stage == "syllabi" else 6
        assert spoken(made, stage) == dict.fromkeys(["en", "de", "zh"], each)
    whole = made.tables()
    assert whole["instructions"]["kept"].all()
    assert made.sent(languages=["de"]) == made.sent() == 0
    for stage in UNJUDGED:
        pd.testing.assert_frame_equal(whole[stage], made.load(stage))
    assert list(verify(made.store, deep=True)) == []


def test_a_refresh_draws_anew_in_the_languages_that_are_there(made: World) -> None:
    made.run(subjects=1, languages=["en", "de"])
    form = BackfillConfig(disciplines=["physics"], stage="answers", mode="refresh", recipe=config())
    before = made.load("answers").set_index("question_id")["text"]
    assert backfill(form, return_state=True).name == "Completed"
    assert spoken(made, "answers") == {"en": 6, "de": 3}
    assert not before.eq(made.load("answers").set_index("question_id")["text"].reindex(before.index)).any()


def test_the_terminal_plans_and_publishes_languages(made: World) -> None:
    given = ["--discipline", "physics", "--subjects", "1", "--questions", "2", "--lists", "2", "--language", "de"]
    wrong = typed("plan", *given, "--language", "xx")
    assert wrong.code == 2 and "'xx' is no language that can be told apart" in wrong.stderr
    run = Path("run.toml")
    run.write_text("min_sessions = 4\nmax_sessions = 6\nconcepts_per_session = 3\n", encoding="utf-8")
    planned = json.loads(typed("plan", str(run), *given, "--json").stdout)
    assert {line["stage"]: line["calls"] for line in planned if line["calls"]} == {
        "syllabi": 2,
        "questions": 2,
        "answers": 2,
    }
    nothing = typed("publish", "first", "--language", "de")
    assert nothing.code == 2 and "name other languages" in nothing.stderr
    assert typed("publish", "first", "--language", "en", "--test", "0").code == 0


@pytest.fixture(scope="module")
def many_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with five languages, one subject and three questions each."""
    folder = tmp_path_factory.mktemp("many")
    with ModelServer(seed=1) as server, pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        World(server, str(folder / "store"), patch)
        assert bare_run(config(subjects=1, languages=ALL)) == "Completed"
    return folder / "store"


@pytest.fixture
def many(many_once: Path, server: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.chdir(tmp_path)
    return World(server, copied(many_once, tmp_path / "store"), monkeypatch)


def test_every_row_is_written_in_its_language_and_kept(many: World) -> None:
    rows = many.load("instructions")
    assert rows["kept"].all()
    assert rows["subject_id"].nunique() == 1 and rows["syllabus_id"].nunique() == 5
    for language, some in rows.groupby(rows["language"].fillna("en")):
        assert {code for code, _ in likeliest([*some["question"], *some["answer"]])} == {language}


def test_what_was_wiped_comes_back_byte_for_byte(many: World, tmp_path: Path) -> None:
    before = {stage: many.objects(stage) for stage in UNJUDGED}
    for some in before.values():
        for path in some:
            many.store.files.delete(path)
    found = list(Replay(many.store, many.store, Store.open(str(tmp_path / "scratch"))).all(["physics"]))
    assert {one.result for one in found} == {"rebuilt"}
    assert {stage: many.objects(stage) for stage in UNJUDGED} == before
    assert many.server.count == 0


def test_the_report_shows_each_language_and_leads_back_to_its_prompts(many: World) -> None:
    found = figures(View.open(many.store, "latest"))
    assert {name: one.kept for name, one in found.coverage.languages.items()} == dict.fromkeys(ALL, 3)
    for sample, origin in zip(found.samples, found.origins, strict=True):
        asked = [one.messages[-1]["content"] for one in (*origin.question, *origin.answer, *origin.syllabus_calls)]
        assert len(asked) == 4
        assert all(("Write everything in" in prompt) == (sample.row["language"] is not None) for prompt in asked)
    text = page(found, now())
    assert "Chinese" in text and "Languages" in text
    [node] = [one for path, one in found.instructions.texts.nodes.items() if path.subject]
    assert node.rows == 15 and 0 < node.sessions_reached <= node.sessions >= 20


def released(world: World, name: str, **options: Any) -> pd.DataFrame:
    """The rows of a release of all that is kept."""
    chosen = ReleaseOptions(**{"test": 0, "validation": 0, "formats": ("jsonl",), **options})
    manifest = publish(world.store, name, options=chosen, run_id="run", clock=now)
    paths = [f"v1/releases/{name}/{file.path}" for file in manifest.files if file.rows]
    return pd.concat([pd.read_json(Path(world.store_url) / path, lines=True) for path in paths])


def card(world: World, name: str) -> tuple[dict[str, Any], str]:
    """Its header and its text."""
    whole = world.store.files.read(f"releases/{name}/README.md").decode()
    _, header, text = whole.split("---\n", 2)
    return yaml.safe_load(header), text


def test_a_release_holds_the_languages_it_is_asked_for_and_says_so(many: World) -> None:
    assert Counter(released(many, "all")["language"]) == dict.fromkeys(ALL, 3)
    header, text = card(many, "all")
    assert sorted(header["language"]) == sorted(ALL)
    assert "| language | rows |" in text
    some = released(many, "some", languages=("de", "zh"), test=1)
    assert set(some["language"]) == {"de", "zh"} and len(some) == 6
    assert card(many, "some")[0]["language"] == ["de", "zh"]
    with pytest.raises(InputError, match=r"no row .* would be in the release"):
        released(many, "none", languages=("fr",))
    assert many.store.files.list("releases/none") == []


def test_languages_are_balanced_and_held_out_each_by_itself(many: World) -> None:
    assert bare_run(config(subjects=1, questions=9, languages=["de"])) == "Completed"
    assert Counter(released(many, "uneven")["language"])["de"] == 9
    assert Counter(released(many, "even", balance="language")["language"]) == dict.fromkeys(ALL, 3)
    weighed = Counter(released(many, "weighed", balance="language", weights={"de": 3})["language"])
    assert weighed == {**dict.fromkeys(ALL, 3), "de": 9}
    manifest = publish(many.store, "held", options=ReleaseOptions(test=1, validation=0), run_id="run", clock=now)
    assert manifest.splits["test"] == len(ALL)


def in_english(asked: Callable[[dict[str, Any]], bool]) -> Callable[[dict[str, Any]], str | None]:
    """A model that does not listen: it answers these payloads in English."""
    return lambda payload: Author(f"{payload['seed']}").prose() if asked(payload) else None


def test_a_syllabus_in_the_wrong_language_is_asked_for_again_and_recovered_by_a_retry(world: World) -> None:
    small = config(subjects=1, languages=["de", "en"], models={"syllabus": {"attempts": 2}})
    world.server.says = in_english(lambda payload: "German" in payload["messages"][1]["content"])
    assert bare_run(small) == "Completed"
    assert list(world.load("quarantine")["error_kind"]) == ["other_language"]
    assert spoken(world, "questions") == {"en": 3}
    world.server.says = None
    assert bare_run(small, Scope(mode="retry")) == "Completed"
    assert spoken(world, "instructions") == {"en": 3, "de": 3}
    assert list(verify(world.store, deep=True)) == []
    assert bare_run(config(subjects=1, questions=5, languages=["de", "en"])) == "Completed"
    assert spoken(world, "instructions") == {"en": 5, "de": 5}


def test_answers_in_the_wrong_language_are_rejected_and_stay_as_rows(world: World) -> None:
    def is_answer(payload: dict[str, Any]) -> bool:
        return "answers the questions of students" in payload["messages"][0]["content"]

    world.server.says = in_english(is_answer)
    assert bare_run(config(subjects=1, languages=["zh", "en"])) == "Completed"
    rows = world.load("instructions")
    rows["language"] = rows["language"].fillna("en")
    verdicts = Counter((row["language"], row["kept"], *row["reasons"]) for row in rows.to_dict("records"))
    assert verdicts == {("en", True): 3, ("zh", False, "other_language"): 3}


def test_second_answers_are_drawn_in_the_language_of_the_first(world: World) -> None:
    world.server.says = lambda payload: (
        "$x = 3$" if "answers the questions of students" in payload["messages"][0]["content"] else None
    )
    pytest.importorskip("math_verify")
    assert bare_run(config(subjects=1, questions=1, languages=["de"], checking={"math": True})) == "Completed"
    assert list(world.load("judgements")["verdict"]) == ["agree"]
    answers = [call.payload for call in world.server.calls if call.reply_text == "$x = 3$"]
    assert len(answers) == 2
    assert all("Write everything in German" in one["messages"][-1]["content"] for one in answers)
