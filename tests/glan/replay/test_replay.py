"""What lies in a store is made again from its calls and inputs, byte for byte, and nobody is asked."""

import hashlib
import io
import itertools
import json
import secrets
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from bare_runs import bare_run
from flow_world import World, asks_for, config, replaced_prompt
from model_faults import Faults, Payload
from model_server import ModelServer
from stage_world import UNJUDGED
from store_weather import PassingWeather
from terminal_world import typed

from glan.care.compact import compact
from glan.care.unit_parts import Tools
from glan.clock import now
from glan.errors import StoreWeather
from glan.records import OTHER
from glan.replay.replay import Replay, Replayed, disciplines_of
from glan.replay.wanted import has_verdicts
from glan.store import taxonomies
from glan.store.parts import is_part
from glan.store.store import Store
from glan.units import Scope

MADE = (*UNJUDGED, "quarantine")


@pytest.fixture
def world(server: ModelServer, store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """An empty store, once in a folder and once on S3."""
    monkeypatch.chdir(tmp_path)
    return World(server, store_url, monkeypatch)


@pytest.fixture
def made(server: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A store in a folder that holds one small run."""
    monkeypatch.chdir(tmp_path)
    world = World(server, str(tmp_path / "store"), monkeypatch)
    assert bare_run(config()) == "Completed"
    return world


def digests(store: Store) -> dict[str, str]:
    """SHA-256 of every object of every stage, current or not."""
    paths = [entry.path for stage in MADE for entry in store.files.list(stage)]
    return {path: hashlib.sha256(store.files.read(path)).hexdigest() for path in paths}


def wipe(store: Store) -> None:
    for path in digests(store):
        store.files.delete(path)


def replay(world: World, folder: Path, into: Store | None = None, disciplines: Iterable[str] = ()) -> list[Replayed]:
    """Replay without anybody to ask."""
    store = world.store
    chosen = list(disciplines) or disciplines_of(store)
    return list(Replay(store, into or store, Store.open(str(folder))).all(chosen))


class Trouble:
    """Every kind of trouble that a reply can be, at one call in five, and a question that comes again and again."""

    KINDS = ("refusal", "empty", "length", "error_500", "wrong_schema", "truncated_json", "bad_request")

    def __init__(self) -> None:
        self._calls = 0

    def kind(self, payload: Payload, nth: int) -> str | None:
        self._calls += 1
        if asks_for(payload) == "question" and payload["seed"] % 3:
            return "duplicate"
        return self.KINDS[self._calls // 5 % len(self.KINDS)] if self._calls % 5 == 0 else None


def grown(world: World, folder: Path) -> None:
    """A store with a history: trouble, a retry, a further round, a changed prompt, a refresh, a taxonomy with a new place."""
    one_try = {role: {"attempts": 1} for role in ("syllabus", "question", "answer")}
    world.server.faults = Faults(when=Trouble().kind)
    run = config(disciplines=["physics", "law"], subjects=3, models=one_try)
    assert bare_run(run) == "Completed"
    assert bare_run(run, Scope(mode="retry")) == "Completed"
    world.server.faults = Faults()
    assert bare_run(run, Scope(mode="retry")) == "Completed"
    assert bare_run(run.model_copy(update={"questions": 5})) == "Completed"
    world.set(GLAN_PROMPTS=str(replaced_prompt(folder, "answer", "Be brief.")))
    assert bare_run(run.model_copy(update={"disciplines": ["law"]})) == "Completed"
    assert bare_run(run.model_copy(update={"disciplines": ["physics"]}), Scope(stage="questions", mode="refresh"))
    elsewhere = {"law": {"field": "Sciences of people", "sub_field": ""}}
    tree = [{**row, **elsewhere.get(row["discipline_id"], {})} for row in taxonomies.current(world.store).rows(1)]
    taxonomies.publish(world.store.files, tree, taxonomies.versions(world.store.files)[-1], clock=now)
    assert bare_run(run.model_copy(update={"disciplines": ["law"], "subjects": 1})) == "Completed"


@pytest.mark.parametrize("store_url", ["local", pytest.param("s3", marks=pytest.mark.soak)], indirect=True)
def test_all_that_was_wiped_comes_back_byte_for_byte_and_nobody_is_asked(world: World, tmp_path: Path) -> None:
    grown(world, tmp_path / "prompts")
    before, asked = digests(world.store), world.server.count
    judged = [world.store.receipt(path) for path in before if path.startswith("instructions/")]
    assert any(has_verdicts(receipt) for receipt in judged), "no pass of curation has changed a verdict"
    found = replay(world, tmp_path / "first")
    assert [one for one in found if one.result != "identical"] == []
    assert {one.path for one in found} == before.keys()
    stages = Counter(one.stage for one in found)
    assert all(stages[stage] for stage in MADE)

    wipe(world.store)
    back = replay(world, tmp_path / "second")
    assert {one.result for one in back} == {"rebuilt"}
    assert digests(world.store) == before
    assert world.server.count == asked


def test_merged_calls_and_merged_units_are_replayed_too(made: World, tmp_path: Path) -> None:
    apart = digests(made.store)
    calls = {entry.path for entry in made.store.files.list("_calls")}
    assert list(compact(made.store, None, Tools(now, lambda: secrets.token_hex(8))))
    for path in calls & {entry.path for entry in made.store.files.list("_calls")}:
        if "merged" not in path:
            made.store.files.delete(path)
    parts = {receipt.object for stage in UNJUDGED for receipt in made.receipts(stage) if is_part(receipt.object)}
    assert parts
    found = replay(made, tmp_path / "all")
    assert {one.result for one in found} == {"identical"}
    assert {one.path for one in found} == apart.keys() | parts

    for path in apart:
        made.store.files.delete(path)
    found = replay(made, tmp_path / "parts")
    assert parts <= {one.path for one in found if one.result == "identical"}
    assert {one.result for one in found} <= {"identical", "rebuilt"}
    wipe(made.store)
    replay(made, tmp_path / "none")
    assert digests(made.store) == apart
    assert bare_run(config()) == "Completed"
    assert len(made.load("instructions")) == 6


def test_units_at_which_two_processes_were_are_replayed_as_the_one_that_came_first_made_them(
    server: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    world = World(server, str(tmp_path / "store"), monkeypatch)
    server.latency, server.faults = 0.05, Faults(when=Trouble().kind)
    together = Barrier(2)

    def run() -> str:
        together.wait()
        return bare_run(config(models={"question": {"attempts": 1}}))

    with ThreadPoolExecutor(2) as pool:
        assert [one.result() for one in (pool.submit(run), pool.submit(run))] == ["Completed", "Completed"]
    understood = world.load("calls").query("understood")["request_key"]
    assert not understood.is_unique, "they were not at the same units"
    assert {one.result for one in replay(world, tmp_path / "scratch")} == {"identical"}


def test_another_store_takes_it_and_what_is_there_is_left_alone(made: World, tmp_path: Path) -> None:
    gone, changed = made.receipts("answers")
    body = made.store.files.read(gone.object)
    made.store.files.delete(gone.object)
    made.store.files.replace(changed.object, body)
    into = Store.open(str(tmp_path / "other"))
    into.start()
    found = {one.path: one for one in replay(made, tmp_path / "scratch", into)}
    assert {one.result for one in found.values()} == {"rebuilt"}
    assert into.files.read(gone.object) == body
    assert not made.store.files.exists(gone.object)
    here = {one.path: one for one in replay(made, tmp_path / "scratch-2")}
    assert (here[gone.object].result, here[changed.object].result) == ("rebuilt", "differing")
    assert here[changed.object].reason.startswith("other rows")
    assert made.store.files.read(changed.object) == body


def test_what_an_older_version_wrote_is_compared_by_the_columns_it_had(made: World, tmp_path: Path) -> None:
    old, spoiled = made.receipts("questions")
    for receipt, text in ((old, None), (spoiled, "Something else?")):
        rows = pq.read_table(pa.BufferReader(made.store.files.read(receipt.object))).drop_columns(list(OTHER))
        if text:
            rows = rows.set_column(rows.schema.get_field_index("text"), "text", [[text] * rows.num_rows])
        body = io.BytesIO()
        pq.write_table(rows, body, compression="zstd")
        made.store.files.replace(receipt.object, body.getvalue())
    found = {one.path: one for one in replay(made, tmp_path / "scratch")}
    assert (found[old.object].result, found[spoiled.object].result) == ("identical", "differing")


def test_the_terminal_counts_by_stage_and_says_what_is_not_as_it_was(made: World) -> None:
    said = typed("replay", "--json")
    assert said.code == 0
    counts = {line["stage"]: line for line in json.loads(said.stdout)["stages"]}
    assert {stage: line["identical"] for stage, line in counts.items()} == {
        "subjects": 1, "syllabi": 2, "questions": 2, "answers": 2, "instructions": 2,
    }  # fmt: skip
    [gone, spoiled] = made.receipts("answers")
    made.store.files.delete(gone.object)
    made.store.files.replace(spoiled.object, b"nonsense")
    said = typed("replay", "--stage", "answers")
    assert said.code == 1
    assert spoiled.object in said.stdout.replace("\n", "") and "damaged" in said.stdout
    assert made.store.files.exists(gone.object)
    for wrong in (("--stage", "anwsers"), ("--discipline", "alchemy"), ("--into", made.store_url)):
        assert typed("replay", *wrong).code == 2


def test_what_is_not_on_record_cannot_be_made_again_and_says_why(made: World, tmp_path: Path) -> None:
    for entry in made.store.files.list("_inputs/prompts"):
        if "answers the questions" in made.store.files.read(entry.path).decode():
            made.store.files.delete(entry.path)
    found = replay(made, tmp_path / "scratch")
    assert {one.result for one in found} == {"impossible"}
    assert all("nothing on record gives its key" in one.reason for one in found)


def test_a_lost_reply_is_named(made: World, tmp_path: Path) -> None:
    for entry in made.store.files.list("_calls"):
        made.store.files.delete(entry.path)
    found = {one.stage: one for one in replay(made, tmp_path / "scratch", disciplines=["physics"])}
    assert "is not on record" in found["subjects"].reason
    assert {one.result for one in found.values()} == {"impossible"}


def test_a_store_that_does_not_answer_ends_the_replay_and_tells_nothing_of_its_objects(
    made: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weather = PassingWeather(monkeypatch)
    for number in itertools.count():
        before = weather.strike()
        try:
            found = replay(made, tmp_path / f"scratch-{number}")
        except StoreWeather:
            assert len(weather.failed) == before + 1
        else:
            break
    assert {one.result for one in found} == {"identical"}
    assert len(weather.failed) == before > 10
