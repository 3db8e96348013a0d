"""Signatures: equal for equal words, alike for alike texts, and known by their version."""

import pytest

from glan.curation.signatures import PERMUTATIONS, band_hashes, banding, signature, unpacked
from glan.errors import StoreError

QUESTION = "A hive weighs 28 kg in September. How much food is missing until April, if 18 kg are needed?"


def test_the_same_words_have_the_same_signature() -> None:
    assert signature(QUESTION) == signature(f"**{QUESTION.upper()}**")


def test_another_number_or_operator_is_another_signature() -> None:
    assert signature(QUESTION) != signature(QUESTION.replace("28", "29"))
    assert signature("Compute 5 + 3.") != signature("Compute 5 - 3.")


def test_a_signature_is_the_same_in_every_process_and_version() -> None:
    """Signatures are stored for years: if this fails, `SCHEME` and the header need another version."""
    assert signature(QUESTION)[:26].hex() == "5202e45df9beba5f028d963412468b4f135de6b9e45ecc6e9c7b"
    assert len(signature(QUESTION)) == 18 + 2 * PERMUTATIONS


@pytest.mark.parametrize("text", ["", "?", "Why?", "Define entropy."])
def test_short_texts_are_signed_too(text: str) -> None:
    exact, values = unpacked([signature(text)])
    assert exact.shape == (1, 2)
    assert values.shape == (1, PERMUTATIONS)


@pytest.mark.parametrize("packed", [b"", b"X\x01" + bytes(272), b"R\x01" + bytes(272), signature("a")[:-1]])
def test_a_signature_of_another_scheme_is_refused(packed: bytes) -> None:
    with pytest.raises(StoreError, match="curate again"):
        unpacked([signature(QUESTION), packed])


@pytest.mark.parametrize("threshold", [0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0])
def test_a_pair_at_the_threshold_shares_a_band_almost_surely(threshold: float) -> None:
    bands, rows = banding(threshold)
    assert bands * rows <= PERMUTATIONS
    assert 1 - (1 - threshold**rows) ** bands >= 0.99


def test_there_is_one_hash_a_band_and_signature() -> None:
    _, values = unpacked([signature(text) for text in (QUESTION, QUESTION, "Define entropy.")])
    hashes = list(band_hashes(values, 0.8))
    assert len(hashes) == banding(0.8)[0]
    assert all(one[0] == one[1] != one[2] for one in hashes)
