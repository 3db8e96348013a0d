"""Duplicates by meaning: what says the same in other words goes, what only looks like it stays, no order matters."""

import os
import random
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from embedding_world import hub, model
from msgspec import structs
from tiny_store import clock, commit, instruction, new_store, unit

from glan.config import Curation
from glan.curation import cosine
from glan.curation.curate import Verdicts, curate_store
from glan.curation.embedding import SCALE, Embedding
from glan.curation.signatures import signature
from glan.curation.verdicts import verdict
from glan.errors import InputError
from glan.store import manifests
from glan.store.store import Store
from glan.units import Receipt

CONCEPTS = [
    "reasons causes",
    "bread loaves",
    "cost price",
    "grow rise",
    "dry arid",
    "year season",
    "war conflict",
    "poems verses",
    "wheat",
    "law",
    "binds",
]
ASKED = "What are the reasons the cost of bread does grow in a dry year?"
PARAPHRASE = "Why does the price of loaves rise in an arid season: what are the causes?"
OTHER = "Why are poems of war law?"
QUESTIONS = {"a": ASKED, "b": PARAPHRASE, "c": OTHER}


@pytest.fixture(scope="module")
def embedding(tmp_path_factory: pytest.TempPathFactory) -> str:
    return model(tmp_path_factory.mktemp("model") / "small", *CONCEPTS)


@pytest.fixture
def by_meaning(embedding: str) -> Curation:
    return Curation(embedding_model=embedding)


def judged(
    store: Store, discipline_id: str, address: str, questions: Mapping[str, str], **given: Mapping[str, Any]
) -> Receipt:
    """An instructions unit as its stage leaves it; `given`: further columns by id."""
    above = commit(store, unit("answers", discipline_id, address), [{"question_id": address, "text": address}])
    manifests.publish(store.files, "answers", discipline_id, add=[above], run_id="run", clock=clock)
    one = structs.replace(unit("instructions", discipline_id, address), parent_digest=above.content_digest)
    return commit(
        store,
        one,
        [
            instruction(name, one, question=text, signature=signature(text), **verdict([], None), **given.get(name, {}))
            for name, text in questions.items()
        ],
    )


def curate(store: Store, settings: Curation, *receipts: Receipt) -> Verdicts:
    by_discipline: dict[str, list[Receipt]] = {}
    for receipt in receipts:
        by_discipline.setdefault(receipt.discipline_id, []).append(receipt)
    return curate_store(store, by_discipline, (), settings, "run", clock)


def rows(store: Store) -> dict[str, dict[str, Any]]:
    """All published rows by id."""
    found = manifests.all_current(store.files, "instructions").values()
    tables = [store.read(receipt) for manifest in found for receipt in manifest.units]
    return {row["question_id"]: row for table in tables for row in table.to_pylist()}


def kept(store: Store) -> set[str]:
    return {name for name, row in rows(store).items() if row["kept"]}


def stays(tmp_path: Path, settings: Curation, questions: Mapping[str, str], **given: Mapping[str, Any]) -> set[str]:
    """Which of these questions of one discipline are kept."""
    store = new_store(str(tmp_path))
    curate(store, settings, judged(store, "economics", "e", questions, **given))
    return kept(store)


def test_what_asks_the_same_in_other_words_is_rejected_with_reason_and_similarity(
    tmp_path: Path, by_meaning: Curation
) -> None:
    store = new_store(str(tmp_path))
    verdicts = curate(store, by_meaning, judged(store, "economics", "e", QUESTIONS))
    found = rows(store)["b"]
    assert kept(store) == {"a", "c"}
    assert (found["reasons"], found["duplicate_of"]) == (["same_meaning"], "a")
    [(name, similarity)] = found["scores"]
    assert name == "similarity" and 0.9 <= similarity <= 1 and round(similarity, 3) == similarity
    assert (verdicts.kept, verdicts.rejected, verdicts.reasons) == ({"economics": 2}, 1, {"same_meaning": 1})


def test_without_a_model_words_alone_decide(tmp_path: Path) -> None:
    assert stays(tmp_path, Curation(), QUESTIONS) == {"a", "b", "c"}


def test_the_threshold_says_how_near_is_the_same(tmp_path: Path, embedding: str) -> None:
    near = {"a": ASKED, "d": "What are the reasons the cost of wheat does grow in a dry year?"}
    assert stays(tmp_path / "0.9", Curation(embedding_model=embedding), near) == {"a", "d"}
    loose = Curation(embedding_model=embedding, near_duplicate_cosine=0.6)
    assert stays(tmp_path / "0.6", loose, near) == {"a"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Why does the price of 3 loaves rise?", "Why does the cost of 5 loaves rise?"),
        ("What is the cost: 7 - 4 loaves?", "What is the price: 7 + 4 loaves?"),
        ("What is the cost: 7 - 4 loaves?", "What is the price: 4 - 7 loaves?"),
        ("Why does the price of bread rise?", "Why does the cost of bread not rise?"),
        ("Why does the price of bread rise?", "Why doesn't the cost of bread rise?"),
    ],
)
def test_other_numbers_signs_and_negations_ask_something_else(
    tmp_path: Path, by_meaning: Curation, one: str, other: str
) -> None:
    assert stays(tmp_path, by_meaning, {"a": one, "b": other}) == {"a", "b"}


def test_the_same_numbers_and_negations_are_no_hindrance(tmp_path: Path, by_meaning: Curation) -> None:
    same = {"a": "Why does the price of 3 loaves not rise?", "b": "Why is the cost of 3 loaves not to grow?"}
    assert stays(tmp_path, by_meaning, same) == {"a"}


def test_the_order_of_words_is_not_seen_at_any_threshold(tmp_path: Path, embedding: str) -> None:
    strict = Curation(embedding_model=embedding, near_duplicate_cosine=0.99)
    turned = {"a": "How does the price of wheat rise in war?", "b": "How does war rise in the price of wheat?"}
    assert stays(tmp_path, strict, turned) == {"a"}


def test_a_question_in_another_language_is_another(tmp_path: Path, by_meaning: Curation) -> None:
    assert stays(tmp_path, by_meaning, {"a": ASKED, "b": PARAPHRASE}, b={"language": "de"}) == {"a", "b"}


def test_words_that_the_model_does_not_know_are_near_nothing(tmp_path: Path, by_meaning: Curation) -> None:
    assert stays(tmp_path, by_meaning, {"a": "Zyx wvu tsr?", "b": "Qpo nml kji?"}) == {"a", "b"}


def test_disciplines_are_not_compared_with_each_other(tmp_path: Path, by_meaning: Curation) -> None:
    store = new_store(str(tmp_path))
    curate(
        store, by_meaning, judged(store, "economics", "e", {"a": ASKED}), judged(store, "law", "l", {"b": PARAPHRASE})
    )
    assert kept(store) == {"a", "b"}


def test_a_row_repeated_word_for_word_names_what_stays_in_the_end(tmp_path: Path, by_meaning: Curation) -> None:
    store = new_store(str(tmp_path))
    first = judged(store, "economics", "e", {"a": ASKED, "b": PARAPHRASE})
    curate(store, by_meaning, first, judged(store, "law", "l", {"c": PARAPHRASE.upper()}))
    found = rows(store)
    assert (found["b"]["reasons"], found["b"]["duplicate_of"]) == (["same_meaning"], "a")
    assert (found["c"]["reasons"], found["c"]["duplicate_of"]) == (["duplicate"], "a")


def test_what_was_accepted_before_stays_when_more_comes(tmp_path: Path, by_meaning: Curation) -> None:
    store = new_store(str(tmp_path))
    curate(store, by_meaning, judged(store, "economics", "e", {"z": PARAPHRASE, "y": OTHER}))
    curate(store, by_meaning, judged(store, "economics", "f", {"a": ASKED}))
    assert kept(store) == {"y", "z"}
    assert rows(store)["a"]["duplicate_of"] == "z"


def test_the_best_judged_stays(tmp_path: Path, by_meaning: Curation) -> None:
    def marks(quality: int) -> dict[str, Any]:
        return {"scores": [("question_quality", quality), ("correctness", 5)]}

    store = new_store(str(tmp_path))
    curate(store, by_meaning, judged(store, "economics", "e", {"a": ASKED, "b": PARAPHRASE}, a=marks(3), b=marks(5)))
    assert kept(store) == {"b"}
    assert [name for name, _ in rows(store)["a"]["scores"]] == ["question_quality", "correctness", "similarity"]


def test_order_and_portions_do_not_matter(tmp_path: Path, by_meaning: Curation) -> None:
    chance = random.Random(3)
    words = [concept.split() for concept in CONCEPTS]
    texts = {
        f"q{number:02d}": " ".join(chance.choice(one) for one in chance.sample(words[:6], 4)) for number in range(40)
    }
    outcomes = []
    for number, portion in enumerate((40, 7, 1)):
        names = chance.sample(sorted(texts), len(texts))
        store = new_store(str(tmp_path / str(number)))
        units = [
            judged(store, "law", f"u{start}", {name: texts[name] for name in names[start : start + portion]})
            for start in range(0, len(names), portion)
        ]
        curate(store, by_meaning, *chance.sample(units, len(units)))
        outcomes.append({name: (row["duplicate_of"], row["scores"]) for name, row in sorted(rows(store).items())})
    assert outcomes[0] == outcomes[1] == outcomes[2]
    assert 5 < sum(of is not None for of, _ in outcomes[0].values()) < 35


def test_curating_again_writes_nothing_and_switched_off_nothing_is_left_of_it(
    tmp_path: Path, by_meaning: Curation
) -> None:
    def objects(store: Store) -> dict[str, bytes]:
        found = manifests.all_current(store.files, "instructions").values()
        return {one.object: store.files.read(one.object) for manifest in found for one in manifest.units}

    def files(store: Store) -> set[str]:
        return {entry.path for folder in ("_manifests", "instructions") for entry in store.files.list(folder)}

    never, once = new_store(str(tmp_path / "never")), new_store(str(tmp_path / "once"))
    curate(never, Curation(), judged(never, "law", "l", QUESTIONS))
    assert not never.files.list("_notes")
    receipt = judged(once, "law", "l", QUESTIONS)
    first = curate(once, by_meaning, receipt)
    before = files(once)
    assert curate(once, by_meaning, receipt) == replace(first, changed=())
    assert files(once) == before
    curate(once, Curation(), receipt)
    assert objects(once) == objects(never)


def test_a_discipline_in_which_nothing_changed_is_taken_from_its_note(tmp_path: Path, by_meaning: Curation) -> None:
    store = new_store(str(tmp_path))
    receipt = judged(store, "law", "l", QUESTIONS)
    curate(store, by_meaning, receipt)
    note = orjson.loads(store.files.read("_notes/meaning/law.json"))
    store.files.replace("_notes/meaning/law.json", orjson.dumps({**note, "found": {"b": ["c", 0.95]}}))
    curate(store, by_meaning, receipt)
    assert rows(store)["b"]["duplicate_of"] == "c"  # nothing was compared
    curate(store, by_meaning, receipt, judged(store, "law", "m", {"d": "Why is law?"}))
    assert rows(store)["b"]["duplicate_of"] == "a"
    curate(store, by_meaning.model_copy(update={"near_duplicate_cosine": 0.99}), receipt)
    assert kept(store) == {"a", "b", "c", "d"}


def test_many_vectors_come_out_as_compared_one_by_one() -> None:
    chance = np.random.default_rng(1)
    centres = chance.normal(size=(400, 16))
    made = centres[chance.integers(400, size=2_600)] + 0.25 * chance.normal(size=(2_600, 16))
    vectors = np.rint(SCALE * made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.int16)
    classes, worth = chance.integers(2, size=2_600), chance.permutation(2_600)
    found = cosine.near(vectors, classes, worth, 0.9)
    alike = (vectors.astype(np.int64) @ vectors.T.astype(np.int64) >= 0.9 * SCALE**2) & (classes[:, None] == classes)
    stay: list[int] = []
    for row in range(2_600):
        if not alike[row, stay].any():
            stay.append(row)
    expected = {row: min((one for one in stay if alike[row, one]), key=lambda one: worth[one]) for row in range(2_600)}
    assert 500 < len(stay) < 2_000
    assert dict(zip(found.gone.tolist(), found.instead.tolist(), strict=True)) == {
        row: of for row, of in expected.items() if row not in stay
    }


def test_vectors_do_not_depend_on_what_is_embedded_with_them(by_meaning: Curation) -> None:
    texts = [ASKED, "", OTHER, PARAPHRASE * 400]
    together = Embedding(by_meaning).vectors(texts)
    alone = [Embedding(by_meaning).vectors([text])[0] for text in texts]
    assert all(np.array_equal(one, other) for one, other in zip(together, alone, strict=True))
    assert not together[1].any()
    assert np.array_equal(together[3], Embedding(by_meaning).vectors([PARAPHRASE])[0])  # no text is cut off


def test_a_model_is_known_by_its_files(tmp_path: Path, embedding: str) -> None:
    digest = Embedding(Curation(embedding_model=embedding)).digest
    copy = model(tmp_path / "copy", *CONCEPTS)
    assert Embedding(Curation(embedding_model=copy, embedding_digest=digest)).digest == digest
    other = model(tmp_path / "other", *CONCEPTS, apart=0.2)
    with pytest.raises(InputError, match="`embedding_digest`"):
        Embedding(Curation(embedding_model=other, embedding_digest=digest))


def test_a_name_on_the_hub_is_downloaded_once_and_then_known_without_it(tmp_path: Path, embedding: str) -> None:
    script = "from glan.config import Curation; from glan.curation.embedding import Embedding; "
    script += "print(Embedding(Curation(embedding_model='me/small')).digest)"

    def digest(address: str) -> str:
        environment = {**os.environ, "HF_HOME": str(tmp_path), "HF_ENDPOINT": address, "PYTHONPATH": os.getcwd()}
        command = [sys.executable, "-c", script]
        return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout.strip()

    with hub("me/small", embedding) as (address, asked):
        first = digest(address)
        downloaded = sum("me/small" in path for path in asked)
        again = digest(address)
    assert first == again == digest(address) == Embedding(Curation(embedding_model=embedding)).digest
    of_the_model = [path for path in asked if "me/small" in path]
    assert len(of_the_model) == downloaded > 0 and not any(path.endswith("README.md") for path in of_the_model)


@pytest.mark.parametrize("damage", ["tokenizer.json", "model.safetensors", "config.json"])
def test_a_model_that_cannot_be_loaded_is_one_sentence(tmp_path: Path, damage: str) -> None:
    folder = Path(model(tmp_path / "model", *CONCEPTS))
    (folder / damage).write_text("{")
    with pytest.raises(InputError, match=r"curation.embedding_model: .* cannot be loaded") as error:
        Embedding(Curation(embedding_model=str(folder)))
    assert "\n" not in str(error.value)


def test_an_interrupted_pass_ends_as_one_that_was_not(tmp_path: Path, by_meaning: Curation) -> None:
    def outcome(store: Store, *portions: Sequence[tuple[str, dict[str, str]]]) -> dict[str, str | None]:
        for portion in portions:
            curate(store, by_meaning, *(judged(store, "law", name, some) for name, some in portion))
        return {name: row["duplicate_of"] for name, row in sorted(rows(store).items())}

    first, second = ("l", {"a": ASKED, "b": OTHER}), ("m", {"c": PARAPHRASE, "d": OTHER.upper()})
    whole = outcome(new_store(str(tmp_path / "whole")), [first, second])
    assert outcome(new_store(str(tmp_path / "parts")), [first], [first, second]) == whole
    assert whole == {"a": None, "b": None, "c": "a", "d": "b"}
