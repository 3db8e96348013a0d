"""Readers see only what fits together: a snapshot never joins a row to a parent it was not made from."""

from pathlib import Path

from stage_world import LAW, PHYSICS, UNJUDGED, clock, grow, new_store, publish, recipe, teacher

from glan.curation.curate import curate_store
from glan.planning.publishing import drop_orphans, orphans, publish_done, publish_snapshot, publish_units
from glan.planning.scope import walks
from glan.planning.walk import named_units, survey
from glan.store import manifests, snapshots
from glan.store.manifests import Manifest
from glan.store.store import Store
from glan.units import Receipt, Stage

SAY = teacher("Optics", "Heat")


def current(store: Store, discipline_id: str = "physics") -> dict[Stage, Manifest | None]:
    return {stage: manifests.current(store.files, stage, discipline_id) for stage in UNJUDGED}


def gone(store: Store) -> dict[Stage, set[str]]:
    return {stage: units for stage, units in orphans(store, named_units(current(store))).items() if units}


def named(store: Store, stage: Stage) -> list[str]:
    manifest = manifests.current(store.files, stage, "physics")
    return [receipt.unit for receipt in manifest.units] if manifest else []


def snapshot(store: Store) -> int:
    publish_snapshot(store, ["physics"], "run", clock)
    latest = snapshots.latest(store.files)
    return latest.number if latest else 0


def addresses(receipts: list[Receipt]) -> set[str]:
    return {receipt.unit for receipt in receipts}


def test_what_was_made_from_what_is_named_is_no_orphan(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    for stage in UNJUDGED:
        publish(store, grow(store, recipe(), SAY, until=stage))
        assert gone(store) == {}


def test_units_below_a_subject_that_left_the_list_are_orphans_and_the_rest_is_not(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    before = grow(store, recipe(), SAY)
    publish(store, before)
    publish(store, grow(store, recipe(seed=1), teacher("Optics"), until="subjects"))
    left = gone(store)
    assert set(left) == {"syllabi", "questions", "answers", "instructions"}
    assert all(unit.startswith("heat-") for units in left.values() for unit in units)


def test_a_syllabus_of_a_subject_that_now_reads_differently_does_not_fit_any_more(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    publish(store, grow(store, recipe(), SAY))
    assert snapshot(store) == 1
    publish(store, grow(store, recipe(seed=1), teacher("Optics", "Heat", introduction="other"), until="subjects"))
    assert len(gone(store)["syllabi"]) == 2
    assert snapshot(store) == 1


def test_a_list_made_anew_with_the_same_subjects_keeps_everything_below(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    publish(store, grow(store, recipe(), SAY))
    publish(store, grow(store, recipe(seed=1), SAY, until="subjects"))
    assert gone(store) == {}


def test_dropping_orphans_takes_them_out_of_the_generations_and_leaves_their_objects(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    before = grow(store, recipe(), SAY)
    publish(store, before)
    publish(store, grow(store, recipe(seed=1), teacher("Optics"), until="subjects"))
    drop_orphans(store, "physics", "run", clock)
    assert [len(named(store, stage)) for stage in ("syllabi", "questions", "answers")] == [1, 1, 1]
    assert all(store.files.exists(receipt.object) for some in before.values() for receipt in some)
    generations = {stage: manifest and manifest.generation for stage, manifest in current(store).items()}
    drop_orphans(store, "physics", "run", clock)
    assert generations == {stage: manifest and manifest.generation for stage, manifest in current(store).items()}


def test_dropping_orphans_in_an_empty_store_writes_nothing(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    drop_orphans(store, "physics", "run", clock)
    assert set(current(store).values()) == {None}


def test_readers_keep_the_old_rows_until_the_last_unit_of_a_renewal_is_named(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    publish(store, grow(store, recipe(), SAY))
    first = snapshot(store)
    renewed = grow(store, recipe(concepts_per_session=4), teacher("Optics", "Heat", title="Chapter"))
    for stage in ("syllabi", "questions", "answers"):
        for receipt in renewed[stage]:
            assert snapshot(store) == first
            publish_units(store, "physics", [receipt], "run", clock)
    assert snapshot(store) == first
    curate_store(store, {"physics": renewed["instructions"]}, (), recipe().config.curation, "run", clock)
    assert snapshot(store) == first + 1
    latest = snapshots.latest(store.files)
    assert latest is not None
    assert latest.generations["physics"] == {
        stage: manifest.generation for stage, manifest in current(store).items() if manifest
    }


def test_a_first_run_is_seen_as_it_grows(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    numbers = []
    for stage in UNJUDGED[:-1]:
        publish(store, grow(store, recipe(), SAY, until=stage))
        numbers.append(snapshot(store))
    assert numbers == [1, 2, 3, 4]


def test_a_discipline_that_does_not_fit_does_not_hold_back_another(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    publish(store, grow(store, recipe(), SAY))
    publish(store, grow(store, recipe(), SAY, LAW))
    publish(store, grow(store, recipe(seed=1), teacher("Optics"), until="subjects"))
    publish_snapshot(store, ["physics", "law"], "run", clock)
    latest = snapshots.latest(store.files)
    assert latest is not None and set(latest.generations) == {"law"}


def test_what_an_earlier_run_committed_is_published_by_the_next_and_then_nothing_is_written(tmp_path: Path) -> None:
    store, made = new_store(tmp_path), recipe()
    before = grow(store, made, SAY)

    def publish_found() -> None:
        [walk] = walks(store, [PHYSICS], made)
        receipts = [receipt for stage in survey(walk).done.values() for _, receipt in stage.values()]
        publish_done(store, walk.shelf, receipts, "later", clock)

    publish_found()
    for stage in ("subjects", "syllabi", "questions", "answers"):
        assert set(named(store, stage)) == addresses(before[stage])
    assert named(store, "instructions") == []
    files = {entry.path for folder in ("_manifests", "_snapshots") for entry in store.files.list(folder)}
    publish_found()
    assert {entry.path for folder in ("_manifests", "_snapshots") for entry in store.files.list(folder)} == files
