"""Duplicates are decided over all disciplines; acceptance is stable; what did not change is not written again."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from tiny_store import Interrupted, clock, commit, instruction, new_store, publish, unit

from glan.config import Curation
from glan.curation.curate import Verdicts, curate_store
from glan.curation.signatures import signature
from glan.curation.verdicts import verdict
from glan.release.publish import publish as release
from glan.release.releases import held_by_release
from glan.store import manifests
from glan.store.store import Store
from glan.units import Receipt

SETTINGS = Curation()
LONG = "Why does the price of bread rise in a dry year when the harvest of wheat is smaller than the year before?"
NEAR = LONG.replace("before?", "earlier?")
OTHER = "How does a court decide whether a contract that nobody ever signed binds those who acted on it for years?"


def answers(store: Store, discipline_id: str, address: str, version: str = "") -> Receipt:
    """The answers unit that instructions rest on, published."""
    receipt = commit(
        store,
        unit("answers", discipline_id, address, version),
        [{"question_id": address, "text": f"{address}{version}"}],
    )
    manifests.publish(store.files, "answers", discipline_id, add=[receipt], run_id="run", clock=clock)
    return receipt


def judged(
    store: Store,
    discipline_id: str,
    address: str,
    questions: Mapping[str, str],
    version: str = "",
    rules: Sequence[str] = (),
    sign: Callable[[str], bytes] = signature,
) -> Receipt:
    """An instructions unit as its stage leaves it: judged by itself, not yet curated or published."""
    above = answers(store, discipline_id, address, version)
    one = replace(unit("instructions", discipline_id, address, version), parent_digest=above.content_digest)
    rows = [
        instruction(question_id, one, question=text, subject_id=address, signature=sign(text), **verdict(rules, None))
        for question_id, text in questions.items()
    ]
    return commit(store, one, rows)


def curate(store: Store, *receipts: Receipt) -> Verdicts:
    """Curate these units of a run."""
    by_discipline: dict[str, list[Receipt]] = {}
    for receipt in receipts:
        by_discipline.setdefault(receipt.discipline_id, []).append(receipt)
    return curate_store(store, by_discipline, held_by_release(store.files), SETTINGS, "run", clock)


def named(store: Store, discipline_id: str) -> list[Receipt]:
    manifest = manifests.current(store.files, "instructions", discipline_id)
    return manifest.units if manifest else []


def rows(store: Store) -> dict[str, dict[str, Any]]:
    """All published rows by id."""
    return {
        row["question_id"]: row
        for discipline_id in ("economics", "law", "physics")
        for receipt in named(store, discipline_id)
        for row in store.read(receipt).to_pylist()
    }


def kept(store: Store) -> set[str]:
    return {question_id for question_id, row in rows(store).items() if row["kept"]}


def generations(store: Store) -> dict[str, int]:
    return {name: found.generation for name, found in manifests.all_current(store.files, "instructions").items()}


def files(store: Store) -> set[str]:
    return {entry.path for folder in ("_manifests", "instructions") for entry in store.files.list(folder)}


def test_a_duplicate_in_another_discipline_is_found_and_named(tmp_path: Path) -> None:
    store = new_store(str(tmp_path))
    verdicts = curate(
        store,
        judged(store, "economics", "e", {"b": LONG, "c": OTHER}),
        judged(store, "law", "l", {"a": NEAR, "d": "What is a tort, and which three elements must be shown in court?"}),
    )
    found = rows(store)
    assert kept(store) == {"a", "c", "d"}
    assert (found["b"]["duplicate_of"], found["b"]["reasons"]) == ("a", ["duplicate"])
    assert (verdicts.kept, verdicts.rejected, verdicts.reasons) == ({"economics": 1, "law": 2}, 1, {"duplicate": 1})


def test_rows_that_an_earlier_version_has_signed_are_compared_with_those_of_today(tmp_path: Path) -> None:
    store = new_store(str(tmp_path))
    curate(store, judged(store, "economics", "e", {"b": LONG, "c": OTHER}, sign=lambda text: b"R\x01" + bytes(272)))
    assert kept(store) == {"b", "c"}
    curate(store, judged(store, "law", "l", {"a": NEAR}))
    assert kept(store) == {"b", "c"}
    assert rows(store)["a"]["duplicate_of"] == "b"


def test_rejected_rows_stay_with_their_reasons(tmp_path: Path) -> None:
    store = new_store(str(tmp_path))
    verdicts = curate(
        store, judged(store, "law", "l", {"a": LONG}, rules=["refusal"]), judged(store, "law", "m", {"b": LONG})
    )
    assert rows(store)["a"]["reasons"] == ["refusal"]
    assert rows(store)["a"]["duplicate_of"] is None
    assert kept(store) == {"b"}
    assert verdicts.reasons == {"refusal": 1}


def test_curating_again_writes_nothing(tmp_path: Path) -> None:
    store = new_store(str(tmp_path))
    units = [judged(store, "economics", "e", {"b": LONG}), judged(store, "law", "l", {"a": LONG})]
    first = dataclasses.replace(curate(store, *units), changed=())
    before = files(store)
    assert curate(store, *units) == first
    assert curate(store, *named(store, "economics"), *named(store, "law")) == first
    assert curate(store) == Verdicts()
    assert files(store) == before


def test_only_a_discipline_whose_verdicts_changed_gets_a_new_generation(tmp_path: Path) -> None:
    store = new_store(str(tmp_path))
    curate(store, judged(store, "economics", "e", {"b": LONG}), judged(store, "law", "l", {"c": OTHER}))
    curate(store, judged(store, "physics", "p", {"a": LONG}))
    assert generations(store) == {"economics": 1, "law": 1, "physics": 1}
    assert rows(store)["a"]["duplicate_of"] == "b"


def test_a_unit_that_another_run_has_made_anew_meanwhile_stays_so(tmp_path: Path) -> None:
    new_store(str(tmp_path))
    plain = Store.open(str(tmp_path))
    curate(plain, judged(plain, "law", "l", {"c": OTHER}))
    anew = judged(plain, "law", "l", {"c": OTHER}, version="2")
    manifests.publish(plain.files, "answers", "law", add=[answers(plain, "law", "l")], run_id="run", clock=clock)
    late = judged(plain, "law", "m", {"a": LONG})

    def publish_first() -> None:
        manifests.publish(plain.files, "instructions", "law", add=[anew], run_id="other", clock=clock)

    curate(Store(Interrupted(str(tmp_path), "_manifests/instructions/law", publish_first)), late)
    assert {receipt.unit: receipt.key for receipt in named(plain, "law")} == {"l": anew.key, "m": late.key}


def test_a_row_accepted_before_survives_a_late_one_of_a_better_id(tmp_path: Path) -> None:
    store = new_store(str(tmp_path))
    curate(store, judged(store, "economics", "e", {"z": LONG}))
    curate(store, judged(store, "law", "l", {"a": NEAR}))
    assert kept(store) == {"z"}
    assert rows(store)["a"]["duplicate_of"] == "z"


def test_a_row_that_a_release_holds_survives_even_one_accepted_since(tmp_path: Path) -> None:
    store = new_store(str(tmp_path))
    held = judged(store, "economics", "e", {"z": LONG})
    curate(store, held)
    publish(store, *named(store, "economics"))
    release(store, "first", run_id="run", clock=clock)
    # The released unit is replaced by one without the row, another discipline's duplicate is accepted meanwhile.
    curate(store, judged(store, "economics", "e", {"y": OTHER}, version="2"))
    curate(store, judged(store, "law", "l", {"a": LONG}))
    assert kept(store) == {"y", "a"}
    curate(store, judged(store, "physics", "p", {"z": LONG}))
    assert kept(store) == {"y", "z"}
    assert rows(store)["a"]["duplicate_of"] == "z"


def test_a_duplicate_is_kept_once_the_row_it_repeats_has_left(tmp_path: Path) -> None:
    store = new_store(str(tmp_path))
    curate(store, judged(store, "economics", "e", {"a": LONG}), judged(store, "law", "l", {"b": LONG}))
    assert kept(store) == {"a"}
    curate(store, judged(store, "economics", "e", {"c": OTHER}, version="2"))
    assert kept(store) == {"b", "c"}
    assert generations(store) == {"economics": 2, "law": 2}


def test_a_curation_says_which_disciplines_it_changed(tmp_path: Path) -> None:
    store = new_store(str(tmp_path))
    first = curate(store, judged(store, "economics", "e", {"a": LONG}), judged(store, "law", "l", {"b": LONG}))
    assert first.changed == ("economics", "law")
    second = curate(store, judged(store, "economics", "e", {"c": OTHER}, version="2"))
    assert second.changed == ("economics", "law")
    assert curate(store).changed == ()


def test_rows_whose_answers_were_replaced_leave(tmp_path: Path) -> None:
    store = new_store(str(tmp_path))
    curate(store, judged(store, "economics", "e", {"a": LONG}), judged(store, "economics", "f", {"b": OTHER}))
    answers(store, "economics", "e", version="2")
    curate(store)
    assert set(rows(store)) == {"b"}
    curate(store, judged(store, "economics", "e", {"c": LONG}, version="2"))
    assert set(rows(store)) == {"b", "c"}


def test_units_beyond_this_runs_limits_stay_as_they_are(tmp_path: Path) -> None:
    store = new_store(str(tmp_path))
    one, other = judged(store, "law", "l", {"a": LONG}), judged(store, "law", "m", {"b": OTHER})
    curate(store, one, other)
    verdicts = curate(store, one)
    assert set(rows(store)) == {"a", "b"}
    assert verdicts.kept == {"law": 2}


def test_the_order_in_which_units_come_does_not_matter(tmp_path: Path) -> None:
    contents = [("economics", "e", {"c": LONG, "x": OTHER}), ("law", "l", {"b": NEAR}), ("physics", "p", {"a": OTHER})]
    outcomes = []
    for number, order in enumerate([contents, contents[::-1], contents[1:] + contents[:1]]):
        store = new_store(str(tmp_path / str(number)))
        curate(store, *(judged(store, *content) for content in order))
        outcomes.append({name: (row["kept"], row["duplicate_of"]) for name, row in rows(store).items()})
    assert outcomes[0] == outcomes[1] == outcomes[2]
    assert {name for name, (is_kept, _) in outcomes[0].items() if is_kept} == {"a", "b"}


@pytest.mark.parametrize("portions", [1, 2, 3])
def test_every_duplicate_names_a_row_that_is_kept(tmp_path: Path, portions: int) -> None:
    store = new_store(str(tmp_path))
    contents = [(f"u{n}", {f"q{n}{m}": text for m, text in enumerate([LONG, NEAR, OTHER])}) for n in range(3)]
    units = [judged(store, "law", address, questions) for address, questions in contents]
    for first in range(0, 3, portions):
        curate(store, *units[first : first + portions])
    found = rows(store)
    assert len(found) == 9
    assert len(kept(store)) == 2
    assert all(found[row["duplicate_of"]]["kept"] for row in found.values() if not row["kept"])


def test_an_empty_store_and_a_unit_without_rows_are_no_trouble(tmp_path: Path) -> None:
    store = new_store(str(tmp_path))
    assert curate(store) == Verdicts()
    verdicts = curate(store, judged(store, "law", "l", {}))
    assert verdicts.kept == {"law": 0}
    assert [receipt.rows for receipt in named(store, "law")] == [0]
