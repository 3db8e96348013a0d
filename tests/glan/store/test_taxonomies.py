"""Versions of the taxonomy: consecutive, and nobody's change is overwritten."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from store_world import clock

from glan.errors import InputError, StoreError
from glan.store import taxonomies
from glan.store.files import Files


def rows(*disciplines: str) -> list[dict[str, str]]:
    """Disciplines of one field."""
    return [
        {"field": "Science", "sub_field": "Nature", "discipline": name, "discipline_id": name.lower(), "origin": "user"}
        for name in disciplines
    ]


def test_the_highest_version_is_the_latest(store_url: str) -> None:
    files = Files.open(store_url)
    assert taxonomies.latest(files) is None
    assert taxonomies.publish(files, rows("Physics"), None, clock=clock) == 1
    assert taxonomies.publish(files, rows("Physics", "Biology"), 1, run_id="review", clock=clock) == 2
    assert taxonomies.versions(files) == [1, 2]
    found = taxonomies.latest(files)
    assert found
    version, table = found
    assert version == 2
    assert table["discipline_id"].to_pylist() == ["physics", "biology"]
    assert set(table["taxonomy_version"].to_pylist()) == {2}
    assert set(table["run_id"].to_pylist()) == {"review"}
    assert taxonomies.at(files, 1)["discipline"].to_pylist() == ["Physics"]
    assert taxonomies.objects(files) == ["taxonomy/00000001.parquet", "taxonomy/00000002.parquet"]


@pytest.mark.parametrize("expected_latest", [None, 1, 3])
def test_changes_made_to_another_version_than_the_latest_are_refused(
    store_url: str, expected_latest: int | None
) -> None:
    files = Files.open(store_url)
    for latest in (None, 1):
        taxonomies.publish(files, rows("Physics"), latest, clock=clock)
    with pytest.raises(InputError, match="version 2 is the latest"):
        taxonomies.publish(files, rows("Biology"), expected_latest, clock=clock)
    assert taxonomies.versions(files) == [1, 2]


def test_all_who_publish_the_same_rows_at_once_have_the_same_version(store_url: str) -> None:
    files = Files.open(store_url)
    with ThreadPoolExecutor(4) as pool:
        seeded = pool.map(lambda _: taxonomies.publish(files, rows("Physics"), None, clock=clock), range(4))
    assert list(seeded) == [1] * 4
    taxonomies.publish(files, rows("Physics", "Biology"), 1, clock=clock)
    assert taxonomies.publish(files, rows("Physics"), None, clock=clock) == 1  # as late as can be
    assert taxonomies.versions(files) == [1, 2]


def test_a_version_that_is_not_there_is_a_clear_error(store_url: str) -> None:
    with pytest.raises(StoreError, match="the taxonomy has no version 4 in"):
        taxonomies.at(Files.open(store_url), 4)
