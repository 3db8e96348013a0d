"""A question as a short signature, by which equal and similar questions are found without their texts.

Layout: scheme and version (2 bytes), digest of the words (16 bytes), then the low 16 bits of 128 MinHash values of the
word 3-grams (little endian). Half of each value is enough, since candidates are verified on their texts. The values are
rensa's own (R-MinHash), not comparable with those of other libraries: hence the version in front.
"""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rensa import RMinHash

from glan.curation.words import grams_of, words
from glan.errors import StoreError

SCHEME = "rensa-r-minhash/words-3/128x16/2"
"""Names everything a signature depends on; whoever changes it, changes the header too."""

PERMUTATIONS = 128
_SEED = 20_240_220
_HEADER = b"R\x02"
_LAYOUT = np.dtype([("header", "S2"), ("exact", "<u8", (2,)), ("values", "<u2", (PERMUTATIONS,))])
_RECALL = 0.995  # of pairs exactly at the threshold; those above it are found more surely
_MULTIPLIERS = np.random.default_rng(_SEED).integers(1, 2**63, PERMUTATIONS, dtype=np.uint64) * 2 + 1

Values = NDArray[np.uint16]
Hashes = NDArray[np.uint64]


def signature(text: str) -> bytes:
    """The signature of one text: the same in every process and on every machine."""
    return signature_of(words(text))


def signature_of(found: Sequence[str]) -> bytes:
    """The signature of a text of these words."""
    exact = hashlib.blake2b(" ".join(found).encode(), digest_size=16).digest()
    minima = RMinHash(PERMUTATIONS, _SEED)
    minima.update(list(grams_of(found)))
    return _HEADER + exact + np.array(minima.digest(), np.uint32).astype("<u2").tobytes()


def is_current(packed: bytes) -> bool:
    """Whether a signature can be compared with those that are made now."""
    return len(packed) == _LAYOUT.itemsize and packed.startswith(_HEADER)


def unpacked(packed: Sequence[bytes]) -> tuple[Hashes, Values]:
    """Signatures as two matrices: the digest of the words in two columns, and the MinHash values.

    Raises:
        StoreError: one of them was made by another scheme or is damaged.
    """
    if not all(map(is_current, packed)):
        raise StoreError("a signature is damaged, or was made by another version of glan; curate again")
    rows: NDArray[Any] = np.frombuffer(b"".join(packed), _LAYOUT)
    return rows["exact"], rows["values"]


def banding(threshold: float) -> tuple[int, int]:
    """Bands and values per band: as many values as leave a pair at the threshold its chance to share a band."""
    for rows in range(PERMUTATIONS, 1, -1):
        bands = PERMUTATIONS // rows
        if 1 - (1 - threshold**rows) ** bands >= _RECALL:
            return bands, rows
    return PERMUTATIONS, 1


def band_hashes(values: Values, threshold: float) -> Iterator[Hashes]:
    """For each band one hash per signature; similar texts have an equal one in at least one band."""
    bands, rows = banding(threshold)
    for band in range(bands):
        hashes = np.zeros(len(values), np.uint64)
        for row in range(rows):
            hashes += values[:, band * rows + row].astype(np.uint64) * _MULTIPLIERS[row]
        yield hashes ^ (hashes >> np.uint64(32))
