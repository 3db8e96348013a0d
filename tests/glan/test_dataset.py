"""What `glan.load`, `glan.scan` and `glan.files` promise."""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tiny_store import NOON, clock, commit, instruction, new_store, publish, unit

import glan
from glan.errors import InputError
from glan.records import SCHEMAS
from glan.store import manifests
from glan.store.calls import CallLog
from glan.store.store import Store
from glan.units import Receipt


def subject(name: str) -> dict[str, object]:
    return {"subject_id": name, "name": name.title(), "subtopics": ["one", "two"], "position": 0}


def commit_subjects(store: Store, discipline_id: str, *names: str, version: str = "") -> Receipt:
    one = unit("subjects", discipline_id, discipline_id, version)
    return commit(store, one, [subject(name) for name in names])


def names(frame: pd.DataFrame) -> list[str]:
    return list(frame["subject_id"])


def test_importing_glan_costs_nothing() -> None:
    code = "import sys, glan; assert glan.__version__; print({'pandas', 'pyarrow', 'pydantic'} & set(sys.modules))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "set()"


def test_rows_come_back_by_discipline_with_all_columns(store_url: str) -> None:
    store = new_store(store_url)
    publish(store, commit_subjects(store, "physics", "optics"), commit_subjects(store, "economics", "trade", "money"))
    frame = glan.load("subjects", store=store_url)
    assert names(frame) == ["trade", "money", "optics"]
    assert list(frame.columns) == SCHEMAS["subjects"].names
    assert list(frame["subtopics"][0]) == ["one", "two"]
    assert frame["created_at"][0] == pd.Timestamp(NOON)


def test_what_no_generation_of_the_snapshot_names_is_never_read(store_url: str) -> None:
    store = new_store(store_url)
    publish(store, commit_subjects(store, "physics", "optics"))
    orphan = commit(store, unit("subjects", "physics", "physics", "older"), [subject("alchemy")])
    later = commit_subjects(store, "physics", "heat", version="newer")
    manifests.publish(store.files, "subjects", "physics", add=[later], run_id="run", clock=clock)
    assert store.objects("subjects", "physics") > {orphan.object, later.object}
    assert names(glan.load("subjects", store=store_url)) == ["optics"]


def test_a_stream_keeps_its_snapshot_while_another_is_published(store_url: str) -> None:
    store = new_store(store_url)
    first = [commit(store, unit("subjects", "physics", f"part-{n:03d}"), [subject(f"s{n:03d}")]) for n in range(40)]
    publish(store, *first)
    reader = glan.scan("subjects", store=store_url, columns=["subject_id"])
    seen = reader.read_next_batch().num_rows
    publish(store, *(commit(store, unit("subjects", "physics", r.unit, "2"), [subject("new")]) for r in first))
    rest = reader.read_all()["subject_id"].to_pylist()
    assert [f"s{n:03d}" for n in range(seen, 40)] == rest
    assert set(names(glan.load("subjects", store=store_url))) == {"new"}
    assert names(glan.load("subjects", store=store_url, snapshot=1)) == [f"s{n:03d}" for n in range(40)]


def test_disciplines_are_chosen_by_id_or_name(store_url: str) -> None:
    store = new_store(store_url)
    publish(store, commit_subjects(store, "physics", "optics"), commit_subjects(store, "economics", "trade"))
    assert names(glan.load("subjects", store=store_url, disciplines=["Physics"])) == ["optics"]
    assert names(glan.load("subjects", store=store_url, disciplines="economics")) == ["trade"]
    assert names(glan.load("subjects", store=store_url, disciplines=["law"])) == []
    assert list(glan.load("taxonomy", store=store_url, disciplines=["law"])["discipline"]) == ["Law"]
    assert len(glan.load("taxonomy", store=store_url)) == 3


def test_signatures_are_read_only_if_named(tmp_path: Path) -> None:
    store = new_store(str(tmp_path))
    one = unit("instructions", "physics", "optics.0-20")
    scores = [("clear", 1.0)]
    publish(store, commit(store, one, [instruction("q1", one, signature=b"\x01", scores=scores)]))
    frame = glan.load("instructions", store=str(tmp_path))
    assert "signature" not in frame.columns
    assert frame["scores"][0] == {"clear": 1.0}
    named = glan.scan("instructions", store=str(tmp_path), columns=["signature", "question_id"])
    assert named.schema.names == ["signature", "question_id"]
    assert named.read_all().to_pylist() == [{"signature": b"\x01", "question_id": "q1"}]


def test_quarantine_shows_what_failed_in_the_units_of_the_snapshot(store_url: str) -> None:
    store = new_store(store_url)
    failed = {"request_key": "r1", "error_kind": "refused", "message": "no"}
    shown = commit(store, unit("subjects", "physics", "physics"), [subject("optics")], [failed])
    publish(store, shown)
    commit(store, unit("subjects", "physics", "physics", "older"), [], [{**failed, "request_key": "r0"}])
    frame = glan.load("quarantine", store=store_url, columns=["request_key", "stage"])
    assert frame.to_dict("records") == [{"request_key": "r1", "stage": "subjects"}]
    assert len(glan.files("quarantine", store=store_url)) == 1


def test_calls_are_those_on_record(store_url: str) -> None:
    store = new_store(store_url)
    log = CallLog(store.files, writer="w1", clock=clock)
    empty = {name: None for name in SCHEMAS["calls"].names if name != "writer"}
    for discipline_id in ("physics", "economics"):
        log.append({**empty, "request_key": f"r-{discipline_id}", "discipline_id": discipline_id, "reply": "yes"})
    log.close()
    chosen = glan.load("calls", store=store_url, disciplines=["physics"], columns=["request_key", "reply"])
    assert chosen.to_dict("records") == [{"request_key": "r-physics", "reply": "yes"}]
    assert len(glan.load("calls", store=store_url)) == len(glan.files("calls", store=store_url)) == 2


@pytest.mark.parametrize("stage", SCHEMAS)
def test_a_store_without_a_snapshot_has_no_rows_but_all_columns(tmp_path: Path, stage: str) -> None:
    Store.open(str(tmp_path)).start()
    frame = glan.load(stage, store=str(tmp_path))
    assert len(frame) == 0
    assert list(frame.columns) == [name for name in SCHEMAS[stage].names if name != "signature"]
    assert glan.files(stage, store=str(tmp_path)) == []


def test_files_are_what_any_parquet_reader_takes(tmp_path: Path) -> None:
    store = new_store(str(tmp_path))
    publish(store, commit_subjects(store, "physics", "optics"), commit_subjects(store, "economics", "trade"))
    paths = glan.files("subjects", store=str(tmp_path))
    assert [Path(path).is_absolute() for path in paths] == [True, True]
    assert pa.concat_tables(pq.read_table(path) for path in paths)["subject_id"].to_pylist() == ["trade", "optics"]
    assert len(glan.files("taxonomy", store=str(tmp_path))) == 1


def test_files_of_a_bucket_are_s3_addresses(s3_url: str) -> None:
    store = new_store(s3_url)
    receipt = commit_subjects(store, "physics", "optics")
    publish(store, receipt)
    assert glan.files("subjects", store=s3_url) == [f"{s3_url}/v1/{receipt.object}"]


def test_the_store_of_the_settings_is_read_if_none_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    new_store(str(tmp_path))
    monkeypatch.setenv("GLAN_STORE", str(tmp_path))
    assert len(glan.load("taxonomy")) == 3


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"stage": "subject"}, "no table 'subject'"),
        ({"stage": "subjects", "columns": ["nme"]}, "no column 'nme'"),
        ({"stage": "subjects", "disciplines": ["phyics"]}, "did you mean `Physics`"),
        ({"stage": "subjects", "snapshot": 7}, "no snapshot 7: its newest is 1"),
        ({"stage": "subjects", "snapshot": "newest"}, "no snapshot newest"),
    ],
)
def test_what_is_unknown_is_said_in_one_sentence(tmp_path: Path, arguments: dict[str, str], sentence: str) -> None:
    store = new_store(str(tmp_path))
    publish(store, commit_subjects(store, "physics", "optics"))
    with pytest.raises(InputError, match=sentence):
        glan.scan(store=str(tmp_path), **arguments)


def test_a_store_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no store at"):
        glan.load("subjects", store=str(tmp_path / "nowhere"))
    assert not (tmp_path / "nowhere").exists()


def test_a_snapshot_that_gc_has_taken_is_bad_input(store_url: str) -> None:
    store = new_store(store_url)
    publish(store, commit_subjects(store, "physics", "optics"))
    publish(store, commit_subjects(store, "economics", "trade"))
    store.files.delete("_snapshots/00000001.json")
    with pytest.raises(InputError, match="no snapshot 1: its newest is 2, and `glan gc` removes old ones"):
        glan.load("subjects", store=store_url, snapshot=1)
    assert names(glan.load("subjects", store=store_url, snapshot=2)) == ["trade", "optics"]
