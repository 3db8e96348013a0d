"""After compaction the same rows are there in few objects, whoever reads, writes or is killed meanwhile."""

import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from care_world import all_rows, grow_and_publish, whole_store
from msgspec.structs import replace
from stage_world import LAW, PHYSICS, UNJUDGED, clock, recipe

import glan
from glan.care.compact import compact
from glan.care.merging import Merged
from glan.care.unit_parts import Tools, merge_units
from glan.care.verify import verify
from glan.errors import StoreError
from glan.planning.publishing import publish_done, publish_snapshot, publish_units
from glan.planning.scope import walks
from glan.planning.walk import survey
from glan.release import publish as releases
from glan.release.releases import ReleaseOptions
from glan.store import calls, manifests, parts
from glan.store.calls import CallHistory
from glan.store.files import Files
from glan.store.store import Store
from glan.units import Receipt, Stage


def tools() -> Tools:
    numbers = itertools.count(1)
    return Tools(clock, lambda: f"{next(numbers):016x}")


def compacted(store: Store, **given: Any) -> list[Merged]:
    return list(compact(store, None, tools(), **given))


def named(store: Store, stage: Stage, discipline_id: str = "physics") -> list[Receipt]:
    manifest = manifests.current(store.files, stage, discipline_id)
    return manifest.units if manifest else []


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole store of two disciplines; copy it before you touch it."""
    folder = tmp_path_factory.mktemp("loose") / "store"
    whole_store(str(folder))
    return folder


@pytest.fixture
def store(made: Path, tmp_path: Path) -> Store:
    shutil.copytree(made, tmp_path / "store")
    return Store.open(str(tmp_path / "store"))


def test_the_same_rows_are_in_few_objects(store: Store) -> None:
    before = all_rows(store)
    merged = compacted(store)
    assert {(one.table, one.discipline_id) for one in merged} == {
        (table, one.discipline_id) for one in (PHYSICS, LAW) for table in (*UNJUDGED[1:], "calls")
    }
    assert all(one.rows and one.objects > 1 and not one.left for one in merged)
    assert all_rows(store) == before
    for stage in UNJUDGED[1:]:
        assert len(glan.files(stage, store.files.url)) == 2
    assert len(glan.files("calls", store.files.url)) == 2
    assert list(verify(store, deep=True)) == []
    assert compacted(store) == []


def test_a_store_on_s3_too(s3_url: str) -> None:
    store = whole_store(s3_url, disciplines=(PHYSICS,))
    before = all_rows(store)
    assert compacted(store)
    assert all_rows(store) == before
    assert list(verify(store, deep=True)) == []


def test_parts_are_as_large_as_asked(store: Store) -> None:
    before = all_rows(store)
    merged = [one for one in compacted(store, part_bytes=40_000) if one.table == "calls"]
    assert len(merged) > 2
    assert all_rows(store) == before
    assert list(verify(store)) == []


def test_one_unit_is_read_from_its_part_by_its_receipt(store: Store) -> None:
    before = {receipt.unit: store.read(receipt) for receipt in named(store, "questions")}
    compacted(store)
    receipts = named(store, "questions")
    assert {receipt.object for receipt in receipts} == {receipts[0].object}
    for receipt in receipts:
        assert store.read(receipt).equals(before[receipt.unit])
        assert store.read(receipt, ["text"])["text"].to_pylist() == before[receipt.unit]["text"].to_pylist()


def test_what_was_done_is_done_and_calls_on_record_are_found_without_the_small_objects(store: Store) -> None:
    keys = glan.load("calls", store.files.url, ["physics"])["request_key"]
    compacted(store)
    remove_small(store)
    [walk] = walks(store, [PHYSICS], recipe())
    seen = survey(walk)
    assert seen.complete and all(seen.done[stage] for stage in UNJUDGED)
    now = CallHistory(store.files, "physics")
    assert [len(now.attempts(key)) for key in keys] == [1] * len(keys)


def test_a_further_round_and_a_changed_prompt_go_on_from_parts(store: Store) -> None:
    """Units join those in parts, take their place, and are merged with them the next time."""
    compacted(store)
    remove_small(store)
    more = recipe(questions=6)
    grow_and_publish(store, more, writer="w2")
    assert list(verify(store)) == []
    assert set(glan.load("questions", store.files.url, ["physics"])["sample_index"]) == set(range(6))
    before = all_rows(store)
    merged = compacted(store)
    assert {one.discipline_id for one in merged} == {"physics"}
    assert all_rows(store) == before
    assert list(verify(store, deep=True)) == []


def test_a_part_with_rows_that_are_no_longer_current_is_written_again(store: Store) -> None:
    one = named(store, "questions")[0]
    compacted(store)
    publish_units(store, "physics", [one], "run", clock)  # as if it had been made anew
    publish_snapshot(store, ["physics"], "run", clock)
    before = all_rows(store)
    with pytest.raises(StoreError, match="glan compact"):
        glan.files("questions", store.files.url)
    compacted(store)
    assert len(glan.files("questions", store.files.url)) == 2
    assert all_rows(store) == before
    assert list(verify(store)) == []


def test_a_release_does_not_depend_on_where_rows_are(store: Store) -> None:
    def release(name: str) -> list[tuple[str, str]]:
        made = releases.publish(store, name, options=ReleaseOptions(test=0), run_id="publish", clock=clock)
        return [(file.path, file.sha256) for file in made.files if file.rows is not None]

    first = release("first")
    compacted(store)
    assert release("first") == first
    assert release("second") == first


def test_a_run_that_was_going_on_loses_nothing(store: Store) -> None:
    """It has read what is done before, publishes after, and what it made anew is not put back."""
    [walk] = walks(store, [PHYSICS], recipe())
    seen = survey(walk)
    receipts = [receipt for stage in seen.done.values() for _, receipt in stage.values()]
    later = merge_units(store, "physics", tools())
    assert next(later).table == "syllabi"
    grow_and_publish(store, recipe(seed=3), title="Another part", writer="w2")
    before = all_rows(store)
    assert list(later)
    assert all_rows(store) == before
    publish_done(store, walk.shelf, receipts, "run", clock)
    assert all_rows(store) == before
    assert list(verify(store)) == []


def test_a_unit_that_a_run_publishes_while_its_old_rows_are_copied_stays_new(store: Store) -> None:
    new: list[Receipt] = []
    numbers = itertools.count(1)

    def mark() -> str:
        """At the moment between copying and naming the answers, a run publishes another version of a unit."""
        number = next(numbers)
        if number == 3:
            new.append(replace(named(store, "answers")[0], edition=1))
            publish_units(store, "physics", new, "run", clock)
        return f"{number:016x}"

    assert [one.table for one in merge_units(store, "physics", Tools(clock, mark))][2] == "answers"
    current = {receipt.unit: receipt for receipt in named(store, "answers")}
    assert current[new[0].unit] == new[0]
    assert sum(parts.is_part(receipt.object) for receipt in current.values()) == len(current) - 1


def test_two_compactions_at_once_count_nothing_twice(store: Store) -> None:
    before = all_rows(store)
    second: Iterator[Merged] | None = None
    for _ in compact(store, None, tools()):
        if second is None:
            second = compact(store, None, Tools(clock, lambda: "f" * 16))
        next(second, None)
    assert second is not None
    list(second)
    assert all_rows(store) == before
    assert list(verify(store, deep=True)) == []


def test_a_race_for_a_number_is_lost_without_harm(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both have read the same parts; whoever comes second looks again and finds nothing to do."""
    before = all_rows(store)
    files = store.files
    create = type(files).create

    def late(self: Files, path: str, body: bytes) -> bool:
        if calls.is_merged(path) and not files.exists(path):
            monkeypatch.setattr(type(files), "create", create)
            list(compact(store, None, Tools(clock, lambda: "e" * 16)))
        return create(self, path, body)

    monkeypatch.setattr(type(files), "create", late)
    compacted(store)
    assert all_rows(store) == before
    assert list(verify(store)) == []


def test_what_is_not_what_its_receipt_says_is_not_copied(store: Store) -> None:
    one = named(store, "answers")[0]
    store.files.replace(one.object, store.files.read(named(store, "answers")[1].object))
    damaged = store.files.list("_calls/disc=physics")[0].path
    store.files.replace(damaged, b"PAR1 and then nothing")
    merged = {(each.table, each.discipline_id): each for each in compacted(store)}
    assert merged["calls", "physics"].left == (damaged,)
    assert ("answers", "physics") in merged
    assert one.object in {receipt.object for receipt in named(store, "answers")}
    assert ("foreign", one.object) in {(finding.kind, finding.path) for finding in verify(store)}


def test_a_damaged_part_is_found(store: Store) -> None:
    compacted(store)
    part = named(store, "answers")[0].object
    body = store.files.read(part)
    store.files.replace(part, body[:-40])
    assert ("damaged", part) in {(finding.kind, finding.path) for finding in verify(store)}
    store.files.replace(part, body[:2000] + bytes([body[2000] ^ 1]) + body[2001:])
    found = {(finding.kind, finding.path) for finding in verify(store)}
    assert found & {("altered", part), ("damaged", part)}


def test_only_the_disciplines_named(store: Store) -> None:
    assert {one.discipline_id for one in compact(store, ["Law"], tools())} == {"law"}


def remove_small(store: Store) -> None:
    """What `gc` would remove one day: units that are in parts now, and calls that are in merged parts."""
    for stage in UNJUDGED:
        for discipline in (PHYSICS, LAW):
            current = {receipt.object for receipt in named(store, stage, discipline.discipline_id)}
            for path in store.objects(stage, discipline.discipline_id) - current:
                store.files.delete(path)
    kept = calls.objects(store.files)
    for entry in store.files.list("_calls"):
        if entry.path not in kept:
            store.files.delete(entry.path)
