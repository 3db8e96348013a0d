"""`verify` says nothing of a store that is whole, and finds whatever happened to one."""

import io
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from care_world import grow_and_publish, whole_store
from stage_world import PHYSICS, clock, recipe
from store_weather import PassingWeather

from glan.care.findings import Finding
from glan.care.verify import verify
from glan.errors import InputError, StoreError, StoreWeather
from glan.release import publish as releases
from glan.release.releases import ReleaseOptions
from glan.store import manifests, snapshots
from glan.store.store import Store
from glan.units import Receipt, Stage

Harm = Callable[[Store], str]


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole store with a release; copy it before you touch it."""
    folder = tmp_path_factory.mktemp("whole") / "store"
    store = whole_store(str(folder))
    releases.publish(store, "first", options=ReleaseOptions(test=0), run_id="publish", clock=clock)
    return folder


@pytest.fixture
def store(made: Path, tmp_path: Path) -> Store:
    shutil.copytree(made, tmp_path / "store")
    return Store.open(str(tmp_path / "store"))


def a_unit(store: Store, stage: Stage = "questions") -> Receipt:
    manifest = manifests.current(store.files, stage, "physics")
    assert manifest
    return manifest.units[0]


def edited(store: Store, receipt: Receipt, change: Callable[[pa.Table], pa.Table]) -> str:
    """The object with other rows and its footer as it was."""
    table = pq.read_table(io.BytesIO(store.files.read(receipt.object)))
    sink = io.BytesIO()
    pq.write_table(change(table).replace_schema_metadata(table.schema.metadata), sink)
    store.files.replace(receipt.object, sink.getvalue())
    return receipt.object


def renamed(store: Store, receipt: Receipt, change: Callable[[pa.Table], pa.Table]) -> str:
    """The same, with a generation and a snapshot that name what is there now, as if glan itself had written it."""
    edited(store, receipt, change)
    now = store.receipt(receipt.object)
    manifest = manifests.publish(store.files, receipt.stage, "physics", add=[now], run_id="run", clock=clock)
    snapshots.publish(store.files, {"physics": {receipt.stage: manifest.generation}}, run_id="run", clock=clock)
    return receipt.object


def with_column(name: str, value: Any) -> Callable[[pa.Table], pa.Table]:
    def change(table: pa.Table) -> pa.Table:
        values = pa.array([value] * table.num_rows, table.schema.field(name).type)
        return table.set_column(table.schema.get_field_index(name), name, values)

    return change


def truncated(store: Store) -> str:
    path = a_unit(store).object
    store.files.replace(path, store.files.read(path)[:-50])
    return path


def foreign(store: Store) -> str:
    path = a_unit(store).object
    store.files.replace(path, store.files.read(a_unit(store, "answers").object))
    return path


def of_another_unit(store: Store) -> str:
    manifest = manifests.current(store.files, "questions", "physics")
    assert manifest
    first, second = manifest.units[:2]
    store.files.replace(first.object, store.files.read(second.object))
    return first.object


def gone(store: Store) -> str:
    path = a_unit(store, "syllabi").object
    store.files.delete(path)
    return path


def edited_row(store: Store) -> str:
    return edited(store, a_unit(store, "answers"), with_column("text", "It depends."))


def other_schema(store: Store) -> str:
    return edited(store, a_unit(store), lambda table: table.append_column("extra", pa.nulls(table.num_rows)))


def generation_of_no_text(store: Store) -> str:
    path = store.files.list("_manifests/answers/physics")[-1].path
    store.files.replace(path, store.files.read(path).replace(b"answers", b"answer\x95", 1))
    return path


def damaged_edition(store: Store) -> str:
    store.files.create("_editions/physics/00000001.json", b"{")
    return "_editions/physics"


def damaged_retry(store: Store) -> str:
    store.files.create("_retries/physics/00000001.json", b"{")
    return "_retries/physics"


def column_of_another_type(store: Store) -> str:
    def change(table: pa.Table) -> pa.Table:
        place = table.schema.get_field_index("edition")
        return table.set_column(place, "edition", pa.array([1.5] * table.num_rows))

    path = edited(store, a_unit(store), change)
    with pytest.raises(StoreError, match=r"questions/.*damaged"):
        store.read(a_unit(store))
    return path


def duplicated(store: Store) -> str:
    return renamed(
        store, a_unit(store), lambda table: pa.concat_tables([table.slice(0, 1), table.slice(0, 1), table.slice(2)])
    )


def orphaned_row(store: Store) -> str:
    return renamed(store, a_unit(store), with_column("syllabus_id", "physics.nothing"))


def another_answer(store: Store) -> str:
    return renamed(store, a_unit(store, "instructions"), with_column("answer", "It depends."))


def other_key(store: Store) -> str:
    return renamed(store, a_unit(store, "subjects"), with_column("unit_key", "0" * 64))


def lost_calls(store: Store) -> str:
    parts = [entry.path for entry in store.files.list("_calls/disc=physics")]
    store.files.delete(parts[4])
    return "_calls"


def last_calls_lost(store: Store) -> str:
    """The last part of a writer: only the rows that rest on it can tell."""
    store.files.delete(store.files.list("_calls/disc=physics")[-1].path)
    return next(receipt.object for receipt in _named(store, "answers") if "heat" in receipt.unit)


def damaged_calls(store: Store) -> str:
    path = store.files.list("_calls/disc=physics")[0].path
    store.files.replace(path, b"PAR1 and then nothing")
    return path


def lost_prompt(store: Store) -> str:
    for entry in store.files.list("_inputs/prompts"):
        store.files.delete(entry.path)
    return a_unit(store, "subjects").object


def lost_manifest(store: Store) -> str:
    latest = snapshots.latest(store.files)
    assert latest
    path = f"_manifests/answers/physics/{latest.generations['physics']['answers']:08d}.json"
    store.files.delete(path)
    return path


def lost_version(store: Store) -> str:
    store.files.replace("taxonomy/00000003.parquet", store.files.read("taxonomy/00000001.parquet"))
    return "taxonomy"


def edited_release(store: Store) -> str:
    path = next(entry.path for entry in store.files.list("releases/first") if entry.path.endswith(".jsonl"))
    store.files.replace(path, store.files.read(path).replace(b"works", b"fails"))
    return path


def foreign_and_unnamed(store: Store) -> str:
    """What a run would take for a finished unit."""
    path = "answers/disc=physics/optics.000003-000006-0123456789abcdef.parquet"
    store.files.create(path, b"not Parquet")
    return path


def misplaced_and_unnamed(store: Store) -> str:
    path = "answers/disc=physics/optics.000003-000006-0123456789abcdef.parquet"
    store.files.create(path, store.files.read(a_unit(store, "answers").object))
    return path


def _named(store: Store, stage: Stage) -> list[Receipt]:
    manifest = manifests.current(store.files, stage, "physics")
    return manifest.units if manifest else []


HARM: dict[Harm, str] = {
    truncated: "damaged",
    foreign: "damaged",
    of_another_unit: "foreign",
    gone: "missing",
    edited_row: "altered",
    other_schema: "schema",
    duplicated: "duplicate",
    orphaned_row: "orphan",
    another_answer: "mixed",
    other_key: "foreign",
    lost_calls: "lost",
    last_calls_lost: "lost",
    damaged_calls: "damaged",
    lost_prompt: "lost",
    lost_manifest: "damaged",
    lost_version: "missing",
    edited_release: "altered",
    generation_of_no_text: "damaged",
    damaged_edition: "damaged",
    damaged_retry: "damaged",
    column_of_another_type: "damaged",
    foreign_and_unnamed: "damaged",
    misplaced_and_unnamed: "foreign",
}


def test_a_whole_store_has_no_findings(store: Store) -> None:
    assert list(verify(store)) == []
    assert list(verify(store, deep=True)) == []


def test_a_store_on_s3_is_verified_too(s3_url: str) -> None:
    store = whole_store(s3_url, disciplines=(PHYSICS,))
    assert list(verify(store, deep=True)) == []
    path = gone(store)
    assert ("missing", path) in places(verify(store))


@pytest.mark.parametrize("harm", HARM, ids=lambda harm: harm.__name__)
def test_what_happened_to_a_store_is_found_where_it_happened(store: Store, harm: Harm) -> None:
    path = harm(store)
    found = list(verify(store))
    assert (HARM[harm], path) in places(found)
    assert all(finding.problem and finding.remedy for finding in found)


def test_only_the_disciplines_named_are_looked_at(store: Store) -> None:
    gone(store)
    assert list(verify(store, ["law"])) == []
    assert list(verify(store, ["Physics"]))
    with pytest.raises(InputError, match="no discipline"):
        list(verify(store, ["alchemy"]))


def test_what_was_made_anew_and_what_is_left_of_before_are_both_in_order(store: Store) -> None:
    grow_and_publish(store, recipe(seed=5), title="Another part", writer="w2")
    assert list(verify(store, deep=True)) == []


def test_older_generations_are_read_by_a_deep_look(store: Store) -> None:
    path = store.files.list("_manifests/answers/physics")[0].path
    store.files.replace(path, b"{}")
    assert list(verify(store)) == []
    assert ("damaged", path) in places(verify(store, deep=True))


def places(found: Any) -> set[tuple[str, str]]:
    return {(finding.kind, finding.path) for finding in found if isinstance(finding, Finding)}


def test_somebodys_copy_beside_an_object_is_passed_over(store: Store) -> None:
    place = Path(store.files.url, "v1", a_unit(store).object)
    shutil.copy(place, place.with_name(f"copy of {place.name}"))
    assert list(verify(store)) == []


def test_a_store_that_does_not_answer_is_not_called_damaged(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    weather = PassingWeather(monkeypatch)
    found: list[Finding] = []
    while True:
        before = weather.strike()
        try:
            found.extend(verify(store, deep=True))
        except StoreWeather:
            assert len(weather.failed) == before + 1
        else:
            break
    assert found == []
    assert len(weather.failed) == before > 20
