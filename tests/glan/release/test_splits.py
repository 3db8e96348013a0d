"""What a release promises of its splits: so many rows held out, which share nothing with train, and stay held out."""

from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from tiny_store import clock, commit, instruction, new_store, publish, unit

from glan.errors import InputError
from glan.release.publish import publish as release
from glan.release.releases import ReleaseManifest, ReleaseOptions
from glan.store.store import Store

Row = dict[str, Any]


def rows_of(discipline_id: str, subjects: int, rows: int, start: int = 0) -> list[Row]:
    """Questions on one or two of the ten sessions of each subject, each of its own concepts."""
    one = unit("instructions", discipline_id, "basics.0-20")
    return [
        instruction(
            f"{discipline_id}-{subject}-{number}",
            one,
            subject=f"subject {subject}",
            subject_id=f"{discipline_id}-{subject}",
            syllabus_id=f"syllabus-{discipline_id}-{subject}",
            session_indexes=[number % 10] if number % 2 else sorted({number % 10, (number // 10) % 10}),
            key_concepts=[f"concept {number}", f"of {discipline_id} {subject}"],
            strategy="single_session" if number % 2 else "cross_session",
        )
        for subject in range(subjects)
        for number in range(start, start + rows)
    ]


def store_of(url: str, **by_discipline: list[Row]) -> Store:
    store = new_store(url)
    publish(
        store,
        *(commit(store, unit("instructions", name, "basics.0-20"), rows) for name, rows in by_discipline.items()),
    )
    return store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """600 rows of physics, 200 of economics, 20 of law."""
    return store_of(
        str(tmp_path / "store"),
        physics=rows_of("physics", 6, 100),
        economics=rows_of("economics", 4, 50),
        law=rows_of("law", 2, 10),
    )


def make(store: Store, name: str = "first", **options: Any) -> ReleaseManifest:
    return release(store, name, options=ReleaseOptions(**options), run_id="run", clock=clock)


def split(store: Store, manifest: ReleaseManifest, name: str) -> list[Row]:
    names = [file.path for file in manifest.files if file.path.startswith(f"data/{name}-") and "parquet" in file.path]
    columns = ["question_id", "discipline_id", "field", "subject", "key_concepts"]
    tables = [
        pq.read_table(store.files.open_input(f"releases/{manifest.release}/{path}"), columns=columns) for path in names
    ]
    return [row for table in tables for row in table.to_pylist()]


def ids(rows: list[Row]) -> set[str]:
    return {row["question_id"] for row in rows}


def test_by_default_a_tenth_of_small_disciplines_is_held_out_and_fifty_of_large_ones(store: Store) -> None:
    manifest = make(store)
    counts = Counter(row["discipline_id"] for row in split(store, manifest, "test"))
    assert counts == {"physics": 50, "economics": 20, "law": 2}
    assert manifest.splits["train"] + manifest.splits["validation"] == 820 - 72 and manifest.left_out == 0
    assert 0 < manifest.splits["validation"] < 30


def test_as_many_rows_as_asked_for_are_held_out_of_each_discipline(store: Store) -> None:
    counts = Counter(row["discipline_id"] for row in split(store, make(store, test=7), "test"))
    assert counts == {"physics": 7, "economics": 7, "law": 7}
    assert "test" not in make(store, "none", test=0).splits


def test_no_row_is_in_two_splits_and_every_kept_row_is_accounted_for(store: Store) -> None:
    manifest = make(store, test=20, apart="session", validation=0.1)
    found = [row["question_id"] for name in ("train", "validation", "test") for row in split(store, manifest, name)]
    assert len(found) == len(set(found)) == manifest.rows
    assert manifest.rows + manifest.left_out == 820


def test_held_out_rows_share_no_concept_set_with_the_others(tmp_path: Path) -> None:
    same = [{**row, "question_id": f"again-{row['question_id']}"} for row in rows_of("physics", 2, 30)]
    store = store_of(str(tmp_path), physics=[*rows_of("physics", 2, 30), *same])
    manifest = make(store, test=20)

    def sets(name: str) -> set[frozenset[str]]:
        return {frozenset(row["key_concepts"]) for row in split(store, manifest, name)}

    assert manifest.splits["test"] == 20 and manifest.left_out == 0  # those of one set go together
    assert not sets("test") & (sets("train") | sets("validation"))


def sessions_of(rows: list[Row], all_rows: dict[str, Row]) -> set[tuple[str, int]]:
    return {
        (all_rows[row["question_id"]]["syllabus_id"], session)
        for row in rows
        for session in all_rows[row["question_id"]]["session_indexes"]
    }


def test_by_choice_they_share_no_session(store: Store) -> None:
    every = {
        row["question_id"]: row
        for row in [*rows_of("physics", 6, 100), *rows_of("economics", 4, 50), *rows_of("law", 2, 10)]
    }
    manifest = make(store, apart="session", test=5)
    others = [*split(store, manifest, "train"), *split(store, manifest, "validation")]
    assert manifest.splits["test"] == 15 and manifest.left_out
    assert not sessions_of(split(store, manifest, "test"), every) & sessions_of(others, every)


def test_by_choice_they_share_no_subject(store: Store) -> None:
    manifest = make(store, apart="subject", test=5)
    others = [*split(store, manifest, "train"), *split(store, manifest, "validation")]
    subjects = {(row["discipline_id"], row["subject"]) for row in split(store, manifest, "test")}
    assert len(subjects) == 3  # one of each discipline is enough
    assert not subjects & {(row["discipline_id"], row["subject"]) for row in others}


def repeating(number: int, at: str = "") -> list[Row]:
    """600 questions on 40 subjects of ten sessions each, whose 117 concept sets repeat over all of them."""
    one = unit("instructions", "physics", "basics.0-20")
    return [
        instruction(
            f"q{at}{place}",
            one,
            subject=f"subject {place % 40}",
            subject_id=f"physics-{place % 40}",
            syllabus_id=f"syllabus-{place % 40}",
            session_indexes=[place // 40 % 10],
            key_concepts=[f"concept {place % 117}", "common"],
        )
        for place in range(number)
    ]


def sets_of(rows: list[Row]) -> set[frozenset[str]]:
    return {frozenset(row["key_concepts"]) for row in rows}


def learned(store: Store, manifest: ReleaseManifest) -> list[Row]:
    return [*split(store, manifest, "train"), *split(store, manifest, "validation")]


@pytest.mark.parametrize("apart", ["session", "subject"])
def test_held_out_by_more_than_concept_sets_they_share_none_of_these_either(tmp_path: Path, apart: str) -> None:
    store = store_of(str(tmp_path), physics=repeating(600))
    manifest = make(store, test=20, apart=apart, validation=0.1)
    held = split(store, manifest, "test")
    assert len(held) == 20 and manifest.splits["train"] > 200
    assert not sets_of(held) & sets_of(learned(store, manifest))
    if apart == "subject":
        assert len({row["subject"] for row in held}) == 2  # no more of them are spent than 20 rows need


def test_a_concept_set_is_in_train_or_in_validation(tmp_path: Path) -> None:
    store = store_of(str(tmp_path), physics=repeating(600))
    manifest = make(store, test=0, validation=0.2)
    train, validation = (sets_of(split(store, manifest, name)) for name in ("train", "validation"))
    assert 10 < len(validation) < 40 and len(train | validation) == 117
    assert not train & validation


def marks(rows: list[Row], apart: str, all_rows: list[Row]) -> set[Any]:
    if apart == "session":
        return set(sessions_of(rows, {row["question_id"]: row for row in all_rows}))
    return {row["subject"] for row in rows} if apart == "subject" else set(sets_of(rows))


@pytest.mark.parametrize("apart", ["concepts", "session", "subject"])
def test_nothing_is_learned_later_of_what_an_earlier_release_held_out(tmp_path: Path, apart: str) -> None:
    """Of the rows it held out, one in three was rejected since and one in three has left the store."""
    before, more = repeating(200), repeating(600, "-new-")
    store = store_of(str(tmp_path), physics=before)
    held = split(store, make(store, test=12, apart=apart), "test")
    fate = {name: place % 3 for place, name in enumerate(sorted(ids(held)))}
    left = [row for row in before if fate.get(row["question_id"]) != 2]
    now = [{**row, "kept": fate.get(row["question_id"]) != 1} for row in left]
    publish(store, commit(store, unit("instructions", "physics", "basics.0-20", "new"), [*now, *more]))
    for name, test in (("second", 5), ("third", 0)):
        rows = learned(store, make(store, name, test=test, apart=apart))
        assert len(rows) > 100
        assert not sets_of(rows) & sets_of(held)
        assert not marks(rows, apart, [*before, *more]) & marks(held, apart, before)


def test_what_was_held_out_stays_held_out_as_the_data_grows(tmp_path: Path) -> None:
    store = store_of(str(tmp_path), physics=rows_of("physics", 2, 40))
    first = ids(split(store, make(store, test=10), "test"))
    publish(store, commit(store, unit("instructions", "physics", "basics.20-90"), rows_of("physics", 2, 60, start=40)))
    second = make(store, "second", test=10)
    assert ids(split(store, second, "test")) == first
    smaller = make(store, "smaller", test=4)
    assert not first & ids([*split(store, smaller, "train"), *split(store, smaller, "validation")])


def test_the_split_of_a_row_depends_on_no_order(tmp_path: Path) -> None:
    one = store_of(str(tmp_path / "one"), physics=rows_of("physics", 3, 50))
    other = store_of(str(tmp_path / "other"), physics=rows_of("physics", 3, 50)[::-1])
    for name in ("train", "validation", "test"):
        assert ids(split(one, make(one, test=9), name)) == ids(split(other, make(other, test=9), name))


def test_every_node_gives_the_same_number_of_rows_when_balanced(store: Store) -> None:
    manifest = make(store, test=0, validation=0, balance="discipline")
    counts = Counter(row["discipline_id"] for row in split(store, manifest, "train"))
    assert counts == {"physics": 20, "economics": 20, "law": 20}
    assert manifest.not_sampled == 820 - 60


def test_what_a_scarce_node_lacks_the_others_give(store: Store) -> None:
    manifest = make(store, test=0, validation=0, balance="discipline", rows=220)
    counts = Counter(row["discipline_id"] for row in split(store, manifest, "train"))
    assert counts == {"physics": 100, "economics": 100, "law": 20}


def test_weights_are_obeyed_at_any_level_of_the_tree(store: Store) -> None:
    manifest = make(store, test=0, validation=0, balance="discipline", rows=60, weights={"physics": 3, "law": 0})
    counts = Counter(row["discipline_id"] for row in split(store, manifest, "train"))
    assert counts == {"physics": 45, "economics": 15}
    field = split(store, manifest, "train")[0]["field"]
    manifest = make(store, "second", test=0, validation=0, rows=50, weights={field: 0})
    assert field not in {row["field"] for row in split(store, manifest, "train")}
    assert manifest.rows == 50


def test_what_is_to_give_nothing_gives_nothing_to_the_test_set_either(store: Store) -> None:
    manifest = make(store, test=5, balance="discipline", rows=60, weights={"physics": 3, "law": 0})
    assert Counter(row["discipline_id"] for row in split(store, manifest, "test")) == {"physics": 5, "economics": 5}
    field = split(store, manifest, "train")[0]["field"]
    manifest = make(store, "second", test=5, validation=0.1, rows=50, weights={field: 0})
    assert manifest.splits["test"] and manifest.splits["validation"]
    assert field not in {row["field"] for name in manifest.splits for row in split(store, manifest, name)}


def test_a_smaller_sample_is_part_of_a_larger_one(store: Store) -> None:
    small = ids(split(store, make(store, test=0, validation=0, rows=100), "train"))
    large = ids(split(store, make(store, "second", test=0, validation=0, rows=300), "train"))
    assert (len(small), len(large)) == (100, 300) and small < large


def test_a_weight_of_a_node_that_is_not_there_is_refused_before_the_name_is_taken(store: Store) -> None:
    with pytest.raises(InputError, match="alchemy"):
        make(store, weights={"alchemy": 2})
    assert store.files.list("releases") == []


def test_all_formats_hold_the_same_rows_and_name_their_splits(store: Store, tmp_path: Path) -> None:
    manifest = make(store, formats=["parquet", "jsonl", "alpaca", "sharegpt"], test=5)
    by_format = Counter(file.path.split("/")[0] + file.path.rpartition(".")[2] for file in manifest.files if file.rows)
    assert by_format == {f"{shape}{end}": 3 for shape in ("data", "alpaca", "sharegpt") for end in ("parquet", "jsonl")}
    rows = {file.path.split("/")[-1].rpartition(".")[0]: file.rows for file in manifest.files if file.rows}
    assert sum(count or 0 for count in rows.values()) == manifest.rows
