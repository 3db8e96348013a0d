"""Which of many vectors are near one that stays before them: exactly, block by block, so that memory is bounded.

Every vector is compared with every earlier one of its class that stays: time grows with the square of a class.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glan.curation.embedding import SCALE, Vectors

_BLOCK = 1 << 10  # vectors that are compared together with
_CHUNK = 1 << 13  # so many others: 32 MB of products, and 8 MB of vectors of 256 numbers

_Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Near:
    """Rows that go, in no order: each with the row that stays in its place, and the cosine of the two."""

    gone: _Numbers
    instead: _Numbers
    cosines: NDArray[np.float64]


def near(vectors: Vectors, classes: NDArray[Any], worth: _Numbers, cosine: float) -> Near:
    """Of rows in the order in which they stay, those that are near an earlier one of their class that stays.

    `vectors` may be mapped from a file. In the place of a row stands the one of best `worth` (the lowest) of all that
    stay and that it is near to, whether before or after it.
    """
    least = np.float32(math.ceil(cosine * SCALE**2))
    parts = [Near(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float64))]
    for rows in _of_one_class(classes):
        stays = _stay(vectors, rows, least)
        kept = rows[stays]
        parts.append(_named(vectors, rows[~stays], kept[np.argsort(worth[kept])], least))
    return Near(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("gone", "instead", "cosines")))


def _of_one_class(classes: NDArray[Any]) -> Iterator[_Numbers]:
    """The rows of each class that has several, in order."""
    order = np.argsort(classes, kind="stable")
    ends = np.flatnonzero(classes[order][1:] != classes[order][:-1]) + 1
    return (rows for rows in np.split(order, ends) if len(rows) > 1)


def _stay(vectors: Vectors, rows: _Numbers, least: np.float32) -> NDArray[np.bool_]:
    """Which of the rows are near to none that stays before them."""
    stays = np.ones(len(rows), np.bool_)
    for start in range(0, len(rows), _BLOCK):
        places = start + np.flatnonzero(stays[start : start + _BLOCK])
        block = _floats(vectors, rows[places])
        alike = block @ block.T >= least
        left = stays[places]
        for place in range(len(places)):
            if left[place]:
                left[place + 1 :] &= ~alike[place, place + 1 :]
        stays[places] = left
        later = start + _BLOCK + np.flatnonzero(stays[start + _BLOCK :])
        for chunk in _chunks(later):
            products = block[left] @ _floats(vectors, rows[chunk]).T
            stays[chunk] = ~np.any(products >= least, axis=0)
    return stays


def _named(vectors: Vectors, gone: _Numbers, kept: _Numbers, least: np.float32) -> Near:
    """For each that goes the first of those kept that it is near to."""
    instead, products = np.full(len(gone), -1), np.zeros(len(gone))
    for start in range(0, len(gone), _BLOCK):
        places = np.arange(start, min(start + _BLOCK, len(gone)))
        for chunk in _chunks(kept):
            places = places[instead[places] < 0]
            if not len(places):
                break
            found = _floats(vectors, gone[places]) @ _floats(vectors, chunk).T
            first = np.argmax(found >= least, axis=1)
            first_products = found[np.arange(len(places)), first]
            hit = first_products >= least
            instead[places[hit]] = chunk[first[hit]]
            products[places[hit]] = first_products[hit]
    return Near(gone, instead, products / SCALE**2)


def _chunks(rows: _Numbers) -> Iterator[_Numbers]:
    return (rows[start : start + _CHUNK] for start in range(0, len(rows), _CHUNK))


def _floats(vectors: Vectors, rows: _Numbers) -> NDArray[np.float32]:
    return np.asarray(vectors[rows], np.float32)
