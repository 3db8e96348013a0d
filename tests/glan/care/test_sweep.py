"""`gc` removes what nothing needs any more, and nothing else."""

import datetime
import hashlib
import itertools
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from care_world import all_rows, grow_and_publish, whole_store
from msgspec.structs import replace
from stage_world import LAW, PHYSICS, UNJUDGED, clock, grow, recipe, teacher
from tiny_store import publish as publish_again

import glan
from glan.batches import BatchRecord
from glan.care.compact import compact
from glan.care.sweep import Found, Swept, find, sweep
from glan.care.unit_parts import Tools
from glan.care.verify import verify
from glan.planning.scope import walks
from glan.planning.walk import survey
from glan.release import publish as releases
from glan.release.releases import ReleaseOptions
from glan.store import editions, inputs, manifests, runs, snapshots
from glan.store.batches import BatchBook
from glan.store.leases import Holder, Leases
from glan.store.runs import RunRecord
from glan.store.store import Store
from glan.units import Receipt, Stage

AGE = datetime.timedelta(hours=48)


def now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def next_month() -> datetime.datetime:
    return now() + datetime.timedelta(days=30)


def held_as(store: Store, name: str, at: Callable[[], datetime.datetime] = next_month) -> Leases:
    return Leases(store.files, Holder(run_id=name, host="here", process=1), at, lambda process: True)


def compacted(store: Store) -> None:
    numbers = itertools.count(int(now().timestamp() * 1e6))
    list(compact(store, None, Tools(clock, lambda: f"{next(numbers):016x}")))


def found(store: Store, at: Callable[[], datetime.datetime] = next_month) -> Found:
    return find(store, AGE, at)


def swept(store: Store, shown: Found | None = None) -> Swept:
    return sweep(store, shown or found(store), held_as(store, "gc"), AGE, next_month)


def paths(store: Store, folder: str = "") -> set[str]:
    return {entry.path for entry in store.files.list(folder)}


def named(store: Store, stage: Stage, discipline_id: str = "physics") -> list[Receipt]:
    manifest = manifests.current(store.files, stage, discipline_id)
    return manifest.units if manifest else []


def begun(store: Store, run_id: str, at: datetime.datetime) -> None:
    config = hashlib.sha256(b"{}").hexdigest()
    inputs.keep(store.files, "config", config, "json", "{}")
    runs.keep(store.files, RunRecord(run_id=run_id, started_at=at, config=config))


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store in which one discipline was made anew, and all were merged; copy it before you touch it."""
    folder = tmp_path_factory.mktemp("used") / "store"
    store = whole_store(str(folder))
    grow_and_publish(store, recipe(seed=3), title="Another part", writer="w2")
    compacted(store)
    return folder


@pytest.fixture
def store(made: Path, tmp_path: Path) -> Store:
    shutil.copytree(made, tmp_path / "store")
    return Store.open(str(tmp_path / "store"))


def check_swept(store: Store) -> None:
    """What is left is what is current, and it is whole."""
    for stage in UNJUDGED:
        for discipline in (PHYSICS, LAW):
            current = {receipt.object for receipt in named(store, stage, discipline.discipline_id)}
            assert store.objects(stage, discipline.discipline_id) == current
            assert len(paths(store, f"_manifests/{stage}/{discipline.discipline_id}")) == 1
    assert len(paths(store, "_calls")) == 2
    assert len(paths(store, "_snapshots")) == 1
    assert list(verify(store, deep=True)) == []


def test_what_is_current_is_left_and_it_is_all_there(store: Store) -> None:
    before = all_rows(store)
    assert swept(store).left == {}
    check_swept(store)
    assert all_rows(store) == before
    [walk] = walks(store, [PHYSICS], recipe(seed=3))
    assert survey(walk).complete
    assert found(store).waste == {}


def test_a_store_on_s3_too(s3_url: str) -> None:
    store = whole_store(s3_url, disciplines=(PHYSICS,))
    compacted(store)
    before = all_rows(store)
    assert swept(store).removed
    assert all_rows(store) == before
    assert list(verify(store)) == []


def test_somebodys_copy_among_generations_is_named_and_its_discipline_left_alone(store: Store) -> None:
    path = store.files.list("_manifests/answers/physics")[-1].path
    store.files.create("_manifests/answers/physics/old.json", store.files.read(path))
    left = swept(store).left
    assert "_manifests/answers/physics/old.json" in left["physics"] and set(left) == {"physics"}


def test_looking_changes_nothing_and_what_is_young_stays(store: Store) -> None:
    before = paths(store)
    assert found(store).everything
    assert found(store, now).everything == []
    assert paths(store) == before


def test_work_that_is_done_and_not_yet_published_stays(store: Store) -> None:
    grow(store, recipe(seed=4), teacher("Optics", "Heat", "Waves", title="Third"))
    unpublished = paths(store, "questions") - {receipt.object for receipt in named(store, "questions")}
    swept(store)
    [walk] = walks(store, [PHYSICS], recipe(seed=4))
    seen = survey(walk)
    assert seen.complete and len(seen.done["questions"]) == 3
    assert {receipt.object for _, receipt in seen.done["questions"].values()} <= unpublished


def test_only_an_edition_that_was_set_aside_goes(store: Store) -> None:
    edition = editions.opened(store.files, "physics", "answers", "r", now)
    [receipt, *_] = named(store, "answers")
    rows = store.read(receipt)
    [walk] = walks(store, [PHYSICS], recipe(seed=3))
    unit = next(unit for unit, _ in survey(walk).done["answers"].values() if unit.address == receipt.unit)
    drawn = replace(unit, key="e" * 64, edition=edition.number)
    keys = rows.set_column(rows.schema.get_field_index("unit_key"), "unit_key", [["e" * 64] * rows.num_rows])
    store.commit(drawn, keys, planned=rows.num_rows, content_digest=receipt.content_digest)
    assert drawn.object not in {one.path for one in found(store).everything}
    editions.close(store.files, edition, "abandoned", "r")
    assert drawn.object in {one.path for one in swept(store).removed}


def test_the_snapshot_of_a_release_stays(made: Path, tmp_path: Path) -> None:
    store = whole_store(str(tmp_path / "released"), disciplines=(PHYSICS,))
    releases.publish(store, "first", options=ReleaseOptions(test=0), run_id="publish", clock=clock)
    latest = snapshots.latest(store.files)
    assert latest
    before = glan.scan("instructions", store.files.url).read_all()
    grow_and_publish(store, recipe(seed=3), title="Another part", writer="w2")
    swept(store)
    assert glan.scan("instructions", store.files.url, snapshot=latest.number).read_all().equals(before)
    assert list(verify(store, deep=True)) == []


def test_what_a_run_could_take_up_again_stays_while_it_may_live(store: Store) -> None:
    begun(store, "later", next_month() - datetime.timedelta(hours=3))
    reasons = {one.why for one in swept(store).removed}
    assert "merged into a part" in reasons and "made anew, or its parent is gone" not in reasons
    [walk] = walks(store, [PHYSICS], recipe())
    assert survey(walk).complete
    runs.end(store.files, "later", "Completed", next_month())
    swept(store)
    check_swept(store)


def test_nothing_goes_that_was_needed_when_a_living_run_began(store: Store) -> None:
    begun(store, "earlier", now() - datetime.timedelta(days=1))
    held_as(store, "earlier").take("law")
    shown = found(store)
    assert (shown.everything, shown.living) == ([], ("earlier",))


def test_what_is_on_record_of_a_batch_goes_once_it_has_ended(store: Store) -> None:
    book = BatchBook(store.files, now)
    common = {"endpoint": "http://127.0.0.1:9/v1", "model": "teacher", "run_id": "run", "disciplines": ["law"]}
    for name in ("ended", "open"):
        book.keep(BatchRecord(name=name, created_at=now(), requests=["r1-0"], **common))
        book.keep_id(name, f"batch-{name}")
    book.end("ended", "completed")
    assert not [one for one in found(store, now).everything if one.path.startswith("_batches/")]
    swept(store)
    assert paths(store, "_batches") == {"_batches/open.json", "_batches/open.id.json"}
    assert [one.record.name for one in book.unfinished()] == ["open"]


def test_a_discipline_that_a_run_works_on_is_left_for_another_time(store: Store) -> None:
    shown = found(store)
    begun(store, "busy", next_month())
    held_as(store, "busy").take("physics")
    done = swept(store, shown)
    assert list(done.left) == ["physics"]
    assert not [one for one in done.removed if "physics" in one.path]


def test_what_was_taken_up_again_since_it_was_shown_stays(store: Store) -> None:
    shown = found(store)
    old = next(one.path for one in shown.waste["law"] if one.path.startswith("answers/"))
    publish_again(store, store.receipt(old))
    assert old not in {one.path for one in swept(store, shown).removed}
    assert store.files.exists(old)


def test_what_was_merged_into_a_part_that_is_damaged_stays(store: Store) -> None:
    part = named(store, "answers", "law")[0].object
    store.files.replace(part, store.files.read(part)[:-30])
    calls = next(path for path in paths(store, "_calls/disc=physics") if "merged" in path)
    store.files.replace(calls, store.files.read(calls)[:5000])
    before = paths(store)
    done = swept(store)
    assert set(done.left) == {"law", "physics"}
    assert paths(store, "_calls") == {path for path in before if path.startswith("_calls")}
    assert paths(store, "answers/disc=law") == {path for path in before if path.startswith("answers/disc=law")}


def test_one_that_is_cut_off_anywhere_harms_nothing_and_the_next_one_goes_on(store: Store) -> None:
    before = all_rows(store)
    delete, left = store.files.delete, itertools.count(-25)

    def failing(path: str) -> None:
        if next(left) >= 0:
            raise KeyboardInterrupt
        delete(path)

    store.files.delete = failing  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        swept(store)
    again = Store.open(store.files.url)
    assert all_rows(again) == before
    assert list(verify(again)) == []
    swept(again)
    check_swept(again)
    assert all_rows(again) == before


def test_compaction_and_gc_beside_a_run_and_a_reader_lose_nothing(store: Store, tmp_path: Path) -> None:
    """The run goes on from what it has read before; readers see what fits together at any moment."""
    swept(store)
    undisturbed = Store.open(shutil.copytree(store.files.url, tmp_path / "undisturbed").as_posix())
    begun(store, "run", now())
    held_as(store, "run").take("law")

    def work(where: Store) -> None:
        for questions in (6, 9, 12):
            made = recipe(seed=3, questions=questions)
            grow_and_publish(where, made, title="Another part", writer=f"q{questions}")

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(work, store)
        while not running.done():
            compacted(store)
            assert set(swept(store).left) <= {"law"}
            assert list(verify(store)) == []
        running.result()
    work(undisturbed)
    seen, expected = all_rows(store), all_rows(undisturbed)
    assert {table: len(rows) for table, rows in seen.items()} == {table: len(rows) for table, rows in expected.items()}
    assert seen == expected
    assert list(verify(store, deep=True)) == []


def test_files_that_were_never_written_to_their_end_go_once_nobody_can_be_writing_them(tmp_path: Path) -> None:
    store = whole_store(str(tmp_path / "store"))
    folder = tmp_path / "store/v1/answers/disc=physics"
    cut_off = folder / ".tmp-0123456789abcdef"
    cut_off.write_bytes(b"half")
    foreign = folder / ".DS_Store"
    foreign.write_bytes(b"of the file manager")
    assert find(store, AGE, now).everything == []
    shown = found(store)
    assert [(one.why, one.size) for one in shown.waste[""] if one.path.endswith(cut_off.name)] == [("half-written", 4)]
    swept(store, shown)
    assert not cut_off.exists() and foreign.exists()
    assert list(verify(store)) == []
