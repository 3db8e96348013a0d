"""Units: committed once, found by name, read back exactly."""

import io
from collections.abc import Callable

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from msgspec.structs import replace
from store_world import a_unit, commit, failed, subjects

from glan.errors import StoreError
from glan.records import SCHEMAS
from glan.store.store import Store, quarantine_paths
from glan.units import Receipt


@pytest.fixture
def store(store_url: str) -> Store:
    """An empty store, ready for work."""
    store = Store.open(store_url)
    store.start()
    return store


def test_a_committed_unit_is_found_with_the_very_same_receipt(store: Store) -> None:
    unit = a_unit()
    assert store.find(unit) is None
    receipt = store.commit(
        unit,
        subjects(unit, "Optics", "Heat"),
        planned=2,
        content_digest="c",
        capacity=7,
        calls=3,
        prompt_tokens=30,
        completion_tokens=60,
        cost_usd=0.5,
    )
    assert store.find(unit) == receipt == store.receipt(unit.object)
    assert receipt.object == unit.object
    assert store.objects("subjects", "physics") == {unit.object}
    assert store.objects("subjects", "physic") == set()


def test_rows_come_back_as_they_were_committed(store: Store) -> None:
    unit = a_unit()
    rows = subjects(unit, "Optics", "Heat")
    receipt = commit(store, unit, "Optics", "Heat")
    assert store.read(receipt).equals(rows)
    assert store.read(receipt, ["name", "subtopics"]).equals(rows.select(["name", "subtopics"]))


def test_a_unit_without_rows_is_committed_all_the_same(store: Store) -> None:
    receipt = commit(store, a_unit(), failing=("r1",))
    assert store.find(a_unit()) == receipt
    assert store.read(receipt).num_rows == 0


def test_who_commits_second_adopts_what_is_there(store: Store) -> None:
    first = commit(store, a_unit(), "Optics", "Heat")
    second = commit(store, a_unit(), "Waves", failing=("r1",))
    assert second == first
    assert store.read(second)["name"].to_pylist() == ["Optics", "Heat"]
    assert store.read_quarantine(second).num_rows == 0


def test_another_key_at_the_same_address_is_another_object(store: Store) -> None:
    old, new = (commit(store, a_unit(prompt=prompt), "Optics") for prompt in ("first", "second"))
    assert old.unit == new.unit
    assert store.objects("subjects", "physics") == {old.object, new.object}


def test_failed_requests_are_kept_beside_the_unit(store: Store) -> None:
    unit = a_unit()
    receipt = commit(store, unit, "Optics", failing=("r1", "r2"))
    assert (receipt.rows, receipt.quarantined, receipt.planned) == (1, 2, 3)
    assert store.read_quarantine(receipt).equals(failed(unit, "r1", "r2"))
    assert store.read_quarantine(unit).num_rows == 2
    assert store.quarantine_object(receipt) == quarantine_paths(receipt)[0]


def test_a_unit_without_failures_has_an_empty_quarantine(store: Store) -> None:
    assert store.read_quarantine(commit(store, a_unit(), "Optics")).num_rows == 0
    assert store.read_quarantine(a_unit("chemistry")).schema.equals(SCHEMAS["quarantine"])


def test_quarantine_rows_of_a_maker_that_died_are_not_taken_for_those_of_the_unit(
    store: Store, other_stores: Callable[[], Store]
) -> None:
    unit = a_unit()
    commit(store, unit, "Optics", failing=("r1", "r2"))
    store.files.delete(unit.object)  # as if it had died before the unit's own object
    receipt = commit(other_stores(), unit, "Optics", "Heat", failing=("r3",))
    assert store.read_quarantine(receipt)["request_key"].to_pylist() == ["r3"]


def test_the_same_failures_are_adopted(store: Store) -> None:
    unit = a_unit()
    commit(store, unit, "Optics", failing=("r1",))
    store.files.delete(unit.object)
    receipt = commit(store, unit, "Optics", failing=("r1",))
    assert store.quarantine_object(receipt) == quarantine_paths(receipt)[0]
    assert len(store.files.list("quarantine")) == 1


def test_rows_of_another_unit_are_never_committed(store: Store) -> None:
    with pytest.raises(StoreError, match="another unit_key"):
        store.commit(a_unit(), subjects(a_unit("chemistry"), "Acids"), planned=1, content_digest="c")
    assert store.find(a_unit()) is None


def test_rows_that_do_not_fit_the_schema_are_never_committed(store: Store) -> None:
    unit = a_unit()
    with pytest.raises(StoreError, match="do not fit the schema of subjects"):
        store.commit(unit, subjects(unit, "Optics").drop(["level"]), planned=1, content_digest="c")
    assert store.files.list("subjects") == []


def test_a_merged_part_gives_only_the_rows_of_the_unit(store: Store) -> None:
    units = [a_unit(f"physics-{number}") for number in range(3)]
    receipts = [commit(store, unit, f"Optics {unit.address}", f"Heat {unit.address}") for unit in units]
    merged = pa.concat_tables([store.read(receipt) for receipt in receipts])
    sink = io.BytesIO()
    pq.write_table(merged, sink, row_group_size=2)
    store.files.create("subjects/disc=physics/part-1.parquet", sink.getvalue())
    for number, (receipt, unit) in enumerate(zip(receipts, units, strict=True)):
        place = {"object": "subjects/disc=physics/part-1.parquet", "first_row": 2 * number}
        moved = replace(receipt, **place)
        assert store.read(moved).equals(store.read(receipt))
        assert store.read(moved, ["name"])["name"].to_pylist() == [f"Optics {unit.address}", f"Heat {unit.address}"]
    with pytest.raises(StoreError, match="carries no receipt"):
        store.receipt("subjects/disc=physics/part-1.parquet")


def test_a_column_added_since_is_null_in_older_objects(store: Store) -> None:
    unit = a_unit()
    receipt = commit(store, unit, "Optics")
    rewrite(store, receipt, store.read(receipt).drop(["introduction"]))
    older = store.read(receipt)
    assert older["introduction"].to_pylist() == [None]
    assert older.schema.equals(SCHEMAS["subjects"])


def test_an_object_that_is_gone_is_named(store: Store) -> None:
    receipt = commit(store, a_unit(), "Optics")
    store.files.delete(receipt.object)
    for use in (lambda: store.read(receipt), lambda: store.receipt(receipt.object)):
        with pytest.raises(StoreError, match=receipt.object):
            use()


@pytest.mark.parametrize("damage", [lambda body: body[:-20], lambda body: b"<html>busy</html>", lambda body: b""])
def test_a_damaged_object_is_named_and_never_read_as_rows(store: Store, damage: Callable[[bytes], bytes]) -> None:
    unit = a_unit()
    receipt = commit(store, unit, "Optics")
    store.files.replace(receipt.object, damage(store.files.read(receipt.object)))
    for use in (lambda: store.read(receipt), lambda: store.find(unit), lambda: commit(store, unit, "Optics")):
        with pytest.raises(StoreError, match=f"{receipt.object} is damaged or no Parquet file"):
            use()


def test_an_object_of_another_unit_under_this_name_is_refused(store: Store) -> None:
    unit, other = a_unit(), a_unit("chemistry")
    commit(store, other, "Acids")
    store.files.create(unit.object, store.files.read(other.object))
    with pytest.raises(StoreError, match="belongs to another unit"):
        store.find(unit)


def test_an_object_with_fewer_rows_than_committed_is_refused(store: Store) -> None:
    receipt = commit(store, a_unit(), "Optics", "Heat")
    rewrite(store, receipt, store.read(receipt).slice(0, 1))
    with pytest.raises(StoreError, match="holds 1 rows of physics instead of 2"):
        store.read(receipt)


@pytest.mark.parametrize(
    ("metadata", "complaint"),
    [
        ({"table": "syllabi", "schema_version": "1"}, "holds the table syllabi, not subjects"),
        ({"table": "subjects", "schema_version": "2"}, "has schema version 2, this glan reads 1"),
        ({}, "holds no table of glan, not subjects"),
    ],
)
def test_an_object_of_another_table_or_layout_is_refused(
    store: Store, metadata: dict[str, str], complaint: str
) -> None:
    receipt = commit(store, a_unit(), "Optics")
    rewrite(store, receipt, store.read(receipt), metadata)
    with pytest.raises(StoreError, match=complaint):
        store.read(receipt)


def test_a_store_explains_itself_once(store: Store) -> None:
    said = store.files.read("README.txt")
    assert said.startswith(b"glan store, layout v1\n")
    store.start()
    assert store.files.read("README.txt") == said


def test_a_place_that_holds_something_else_is_refused(store_url: str) -> None:
    store = Store.open(store_url)
    store.files.create("README.txt", b"Holiday pictures\n")
    with pytest.raises(StoreError, match="holds something else"):
        store.start()


@pytest.fixture
def other_stores(store_url: str) -> Callable[[], Store]:
    """Further clients of the same store."""
    return lambda: Store.open(store_url)


def rewrite(store: Store, receipt: Receipt, rows: pa.Table, metadata: dict[str, str] | None = None) -> None:
    """Put other rows under the name of a unit's object, as no part of glan would."""
    sink = io.BytesIO()
    pq.write_table(rows if metadata is None else rows.replace_schema_metadata(metadata), sink)
    store.files.replace(receipt.object, sink.getvalue())
