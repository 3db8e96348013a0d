"""Snapshots: merged over the latest, never back in time."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from store_world import clock

from glan.errors import StoreError
from glan.store import snapshots
from glan.store.files import Files


def publish(files: Files, **generations: dict[str, int]) -> snapshots.Snapshot:
    """Publish generations by discipline."""
    return snapshots.publish(files, generations, "run", clock)


def test_a_snapshot_is_merged_over_the_latest(store_url: str) -> None:
    files = Files.open(store_url)
    assert snapshots.latest(files) is None
    first = publish(files, physics={"subjects": 1, "syllabi": 2})
    second = publish(files, law={"subjects": 1}, physics={"syllabi": 3})
    assert (first.number, second.number) == (1, 2)
    assert second.generations == {"law": {"subjects": 1}, "physics": {"subjects": 1, "syllabi": 3}}
    assert snapshots.latest(files) == second
    assert snapshots.at(files, 1) == first


def test_a_generation_is_never_replaced_by_a_lower_one(store_url: str) -> None:
    files = Files.open(store_url)
    publish(files, physics={"subjects": 5})
    assert publish(files, physics={"subjects": 4, "syllabi": 1}).generations == {
        "physics": {"subjects": 5, "syllabi": 1}
    }


def test_a_snapshot_that_changes_nothing_is_not_written(store_url: str) -> None:
    files = Files.open(store_url)
    assert publish(files, physics={"subjects": 0}).number == 0
    first = publish(files, physics={"subjects": 2})
    assert publish(files, physics={"subjects": 1}) == first
    assert len(files.list("_snapshots")) == 1


def test_snapshots_published_at_once_are_all_in_the_last_one(store_url: str) -> None:
    files = Files.open(store_url)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: publish(files, **{f"d{number}": {"subjects": number + 1}}), range(6)))
    last = snapshots.latest(files)
    assert last
    assert last.number == 6
    assert last.generations == {f"d{number}": {"subjects": number + 1} for number in range(6)}


def test_a_snapshot_that_is_not_there_or_damaged_is_named(store_url: str) -> None:
    files = Files.open(store_url)
    with pytest.raises(StoreError, match=r"_snapshots/00000007.json is not in"):
        snapshots.at(files, 7)
    files.create("_snapshots/00000007.json", b"[]")
    with pytest.raises(StoreError, match=r"_snapshots/00000007.json is damaged"):
        snapshots.latest(files)
