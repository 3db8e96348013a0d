"""Kept rows -> train, validation and a held-out test set that shares with train nothing that could give it away.

The test set is GLAN-Test's like (paper, section 3.4): so many rows of each discipline. What was held out once stays so:
the rows that an earlier release held out come first.
"""

from collections.abc import Set

import numpy as np
from numpy.typing import NDArray

from glan.release.sheet import Sheet

TRAIN, VALIDATION, TEST, LEFT_OUT = range(4)
"""Where a row goes; `LEFT_OUT`: it shares something with the test set, or would make it larger than asked."""

SPLITS = ("train", "validation", "test")

USUAL_TEST = 50
"""Rows a discipline, as in GLAN-Test (paper, section 3.4) …"""
MOST_OF_A_DISCIPLINE = 0.1
"""… but, unless asked for, no more than this share of it."""

Places = NDArray[np.int8]


def split(sheet: Sheet, test: int | None, validation: float, before: Set[int] = frozenset()) -> Places:
    """Where each row of a sheet goes.

    Args:
        test: rows of each discipline that are held out; None: 50, but at most a tenth of the discipline.
        validation: share of the rest, drawn by concept set, in [0, 1).
        before: hashes of the ids of rows that an earlier release held out.
    """
    places = np.full(len(sheet), TRAIN, np.int8)
    known = np.isin(sheet.order, np.array(sorted(before), np.uint64))
    held = _held(sheet, test, known)
    places[held] = TEST
    shared = np.zeros(len(sheet), np.bool_)
    shared[sheet.owners[np.isin(sheet.atoms, sheet.atoms[held[sheet.owners]])]] = True
    places[(shared | known) & ~held] = LEFT_OUT
    drawn = sheet.order.astype(np.float64) / 2.0**64 < validation
    places[drawn & (places == TRAIN)] = VALIDATION
    return places


def _held(sheet: Sheet, test: int | None, known: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The rows of the test set: of each discipline the known ones, then those whose atoms come first, so that few are spent."""
    held = np.zeros(len(sheet), np.bool_)
    if test == 0 or not len(sheet):
        return held
    order, disciplines = sheet.order, sheet.disciplines
    last = np.zeros(len(sheet), np.uint64)
    np.maximum.at(last, sheet.owners, sheet.atoms)  # the row is wholly held once its last atom is
    ranked = np.lexsort((order, last, ~known, disciplines))
    sizes = np.bincount(disciplines)
    starts = np.cumsum(sizes) - sizes
    for start, size in zip(starts.tolist(), sizes.tolist(), strict=True):
        wanted = min(USUAL_TEST, int(MOST_OF_A_DISCIPLINE * size)) if test is None else min(test, size)
        held[ranked[start : start + wanted]] = True
    return held
