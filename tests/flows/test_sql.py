"""`glan sql`: a SELECT over what the latest snapshot shows, and nothing else."""

import csv
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from terminal_world import listing, settle_in, typed
from tiny_store import commit, instruction, new_store, publish, unit

from glan.records import SCHEMAS
from glan.store.store import Store


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """Two disciplines with instructions, one of them hostile; a unit that is not published, and one in quarantine."""
    settle_in(tmp_path, monkeypatch)
    made = new_store("store")
    physics, law = (
        unit("instructions", "physics", "optics.000000-000002"),
        unit("instructions", "law", "torts.000000-000001"),
    )
    hostile = "\x1b]0;owned\x07 '; drop table instructions; --\u202e"
    rows = [instruction("p1", physics), instruction("p2", physics, kept=False, reasons=["refusal"], answer=hostile)]
    asked = unit("questions", "law", "torts.000000-000001")
    failed = {"error_kind": "refused", "node": "law/torts #0", "message": "no"}
    publish(
        made,
        commit(made, physics, rows),
        commit(made, law, [instruction("l1", law)]),
        commit(made, asked, [], [failed]),
    )
    unpublished = unit("instructions", "law", "torts.000001-000002")
    commit(made, unpublished, [instruction("l2", unpublished)])
    return made


def asked(query: str) -> list[dict[str, Any]]:
    said = typed("sql", query, "--json")
    assert said.code == 0, said.stderr
    found: list[dict[str, Any]] = json.loads(said.stdout)
    return found


def test_each_table_is_a_view_of_what_readers_see(store: Store) -> None:
    counts = asked(
        "select discipline_id, count(*) as n, sum(kept::int) as kept from instructions group by 1 order by 1"
    )
    assert counts == [{"discipline_id": "law", "n": 1, "kept": 1}, {"discipline_id": "physics", "n": 2, "kept": 1}]
    assert asked("select error_kind from quarantine") == [{"error_kind": "refused"}]
    assert asked("select count(*) n from calls") == [{"n": 0}]
    assert sorted(row["discipline_id"] for row in asked("from taxonomy")) == ["economics", "law", "physics"]
    assert asked("select count(*) n from instructions a join instructions b using (question_id)") == [{"n": 3}]
    whole = asked("from instructions where question_id = 'p2'")
    assert whole[0]["key_concepts"] == ["scarcity", "choice"] and len(whole[0]) == len(SCHEMAS["instructions"])
    assert asked("select a.question_id from instructions a where a is null") == []
    assert asked("select unnest(reasons) r from instructions") == [{"r": "refusal"}]


def test_columns_of_one_name_are_all_there(store: Store) -> None:
    query = "select a.question_id, b.question_id from instructions a, instructions b order by all limit 2"
    assert asked(query)[1] == {"question_id": "l1", "question_id_1": "p1"}
    assert typed("sql", query, "--csv").stdout == "question_id,question_id_1\nl1,l1\nl1,p1\n"
    assert "question id 1" in typed("sql", query).stdout


def test_what_is_no_number_is_null_to_machines(store: Store) -> None:
    query = "select 'nan'::double n, ['inf'::double, 1] l, {'x': -'inf'::double} s, 0.5::double d"
    assert asked(query) == [{"n": None, "l": [None, 1], "s": {"x": None}, "d": 0.5}]


def test_an_earlier_snapshot_is_read_as_it_was(store: Store) -> None:
    law = unit("instructions", "law", "torts.000001-000002")
    publish(store, commit(store, law, [instruction("l2", law)]))
    query = "select count(*) n from instructions"
    assert asked(query) == [{"n": 4}]
    assert json.loads(typed("sql", query, "--snapshot", "1", "--json").stdout) == [{"n": 3}]


def test_csv_gives_all_rows_and_the_table_shows_nothing_that_a_terminal_obeys(store: Store) -> None:
    query = "select question_id, answer, reasons, null as nothing from instructions order by 1"
    rows = list(csv.reader(io.StringIO(typed("sql", query, "--csv").stdout)))
    assert [row[0] for row in rows] == ["question_id", "l1", "p1", "p2"]
    assert rows[3][2:] == ['["refusal"]', ""]
    shown = typed("sql", query).stdout
    assert "\\u001b]0;owned\\u0007" in shown.replace("\n", "").replace(" ", "")
    assert not {"\x1b", "\x07", "\u202e"} & set(shown)
    assert "and more" in typed("sql", query, "--rows", "2").stdout


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("selec 1", "syntax error"),
        ("select nothing from instructions", "nothing"),
        ("select * from nowhere", "nowhere"),
        ("copy instructions to 'out.csv'", "only a SELECT"),
        ("select 1; drop view instructions", "only a SELECT"),
        ("set memory_limit = '1TB'", "only a SELECT"),
        ("attach 'x.db'", "only a SELECT"),
        ("select * from read_text('/etc/hostname')", "disabled"),
        ("select * from 'store/v1/README.txt'", ""),
        ("select error('\x1b[31m')", ""),
    ],
)
def test_anything_but_a_select_of_these_tables_is_refused_in_one_sentence(store: Store, query: str, said: str) -> None:
    before = listing(Path())
    answer = typed("sql", query)
    assert answer.code == 2, answer
    assert len(answer.stderr.strip().splitlines()) == 1 and said in answer.stderr
    assert "\x1b[31m" not in answer.stderr
    assert answer.stdout == ""
    assert listing(Path()) == before


def test_a_reader_that_has_seen_enough_is_no_fault_of_the_query(store: Store) -> None:
    query = "select i, question from instructions, range(200000) t(i)"
    command = [Path(sys.executable).with_name("glan"), "sql", query, "--csv"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        assert process.stdout.readline() == b"i,question\n"
        process.stdout.close()
        assert process.stderr.read() == b""


@pytest.mark.parametrize("rows", [1, 200_000])
def test_output_that_finds_no_room_is_told_in_one_sentence(store: Store, rows: int) -> None:
    command = [Path(sys.executable).with_name("glan"), "sql", f"select i from range({rows}) t(i)", "--csv"]
    with Path("/dev/full").open("wb") as full:
        ended = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert ended.returncode == 1
    assert ended.stderr == "glan: the output cannot be written: No space left on device; make room\n"


def test_without_duckdb_it_says_what_to_install(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)
    answer = typed("sql", "select 1")
    assert (answer.code, "pip install 'glan[sql]'" in answer.stderr) == (2, True)


def test_a_damaged_object_is_no_fault_of_the_query(store: Store) -> None:
    [path] = [entry.path for entry in store.files.list("instructions/disc=physics")]
    store.files.replace(path, b"nonsense")
    answer = typed("sql", "select question from instructions")
    assert answer.code == 1
    assert path in answer.stderr and "damaged" in answer.stderr
