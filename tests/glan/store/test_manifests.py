"""Generations: consecutive, complete, and no published unit is ever lost."""

import subprocess
import sys

import pytest
from msgspec.structs import replace
from store_world import a_unit, child_environment, clock, commit

from glan.errors import StoreError
from glan.store import manifests
from glan.store.files import Files
from glan.store.store import Store
from glan.units import Receipt

_PUBLISHER = """
import sys
from store_world import a_unit, clock, commit
from glan.store import manifests
from glan.store.store import Store
url, name, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
store = Store.open(url)
for number in range(count):
    receipt = commit(store, a_unit(f"physics-{name}-{number}"), "Optics")
    manifests.publish(store.files, "subjects", "physics", add=[receipt], run_id=name, clock=clock)
"""


def a_receipt(store: Store, address: str = "physics", prompt: str = "first") -> Receipt:
    """A committed unit."""
    return commit(store, a_unit(address, prompt), "Optics")


def publish(store: Store, *add: Receipt, drop: tuple[str, ...] = ()) -> manifests.Manifest:
    """Publish subjects of physics."""
    return manifests.publish(store.files, "subjects", "physics", add=add, drop=drop, run_id="run", clock=clock)


def test_nothing_is_current_before_the_first_generation(store_url: str) -> None:
    files = Files.open(store_url)
    assert manifests.current(files, "subjects", "physics") is None
    assert manifests.all_current(files, "subjects") == {}


def test_published_units_are_named_by_the_manifest(store_url: str) -> None:
    store = Store.open(store_url)
    one, two = a_receipt(store, "one"), a_receipt(store, "two")
    first = publish(store, one)
    second = publish(store, two)
    assert (first.generation, first.parent, first.units) == (1, None, [one])
    assert (second.generation, second.parent, second.units) == (2, 1, [one, two])
    assert manifests.current(store.files, "subjects", "physics") == second
    assert manifests.at(store.files, "subjects", "physics", 1) == first


def test_a_unit_takes_the_place_of_the_one_at_its_address(store_url: str) -> None:
    store = Store.open(store_url)
    old, new = a_receipt(store, prompt="first"), a_receipt(store, prompt="second")
    publish(store, old)
    assert publish(store, new).units == [new]


def test_dropped_addresses_leave_the_next_generation(store_url: str) -> None:
    store = Store.open(store_url)
    one, two = a_receipt(store, "one"), a_receipt(store, "two")
    publish(store, one, two)
    assert publish(store, drop=("one", "never-there")).units == [two]
    assert publish(store, one, drop=("one", "two")).units == [one]


def test_publishing_what_is_published_writes_nothing(store_url: str) -> None:
    store = Store.open(store_url)
    assert publish(store).generation == 0
    one = a_receipt(store)
    first = publish(store, one)
    assert publish(store, one, drop=("never-there",)) == first
    assert len(store.files.list("_manifests")) == 1


def test_all_current_has_the_highest_generation_of_every_discipline(store_url: str) -> None:
    store = Store.open(store_url)
    for discipline_id, generations in {"physics": 11, "law": 1}.items():
        for number in range(generations):
            manifests.publish(
                store.files,
                "subjects",
                discipline_id,
                add=[replace(a_receipt(store), unit=f"u{number}")],
                run_id="run",
                clock=clock,
            )
    found = manifests.all_current(store.files, "subjects")
    assert {name: manifest.generation for name, manifest in found.items()} == {"physics": 11, "law": 1}
    assert len(found["physics"].units) == 11
    assert manifests.all_current(store.files, "answers") == {}


def test_a_generation_that_is_not_there_or_damaged_is_named(store_url: str) -> None:
    files = Files.open(store_url)
    with pytest.raises(StoreError, match=r"_manifests/subjects/physics/00000003.json is not in"):
        manifests.at(files, "subjects", "physics", 3)
    files.create("_manifests/subjects/physics/00000001.json", b'{"stage": "subj')
    with pytest.raises(StoreError, match=r"_manifests/subjects/physics/00000001.json is damaged"):
        manifests.current(files, "subjects", "physics")


def test_publishers_in_many_processes_lose_no_receipt_and_leave_no_gap(store_url: str) -> None:
    publishers, each = 3, 4
    commands = [[sys.executable, "-c", _PUBLISHER, store_url, f"p{number}", str(each)] for number in range(publishers)]
    running = [subprocess.Popen(command, env=child_environment()) for command in commands]
    assert [process.wait() for process in running] == [0] * publishers
    files = Files.open(store_url)
    published = manifests.current(files, "subjects", "physics")
    assert published
    expected = {f"physics-p{number}-{unit}" for number in range(publishers) for unit in range(each)}
    assert {receipt.unit for receipt in published.units} == expected
    names = [entry.path.rpartition("/")[2] for entry in files.list("_manifests/subjects/physics")]
    assert names == [f"{generation:08d}.json" for generation in range(1, publishers * each + 1)]
    for generation in range(2, published.generation + 1):
        before, after = (manifests.at(files, "subjects", "physics", number) for number in (generation - 1, generation))
        assert {receipt.unit for receipt in before.units} < {receipt.unit for receipt in after.units}
