"""Kept rows -> train, validation and a held-out test set that shares with train nothing that could give it away.

The test set is GLAN-Test's like (paper, section 3.4): so many rows of each discipline. What was held out once stays so:
the rows that an earlier release held out come first, and nothing that shares with them is trained on.
"""

from typing import NamedTuple

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
Hashes = NDArray[np.uint64]
Chosen = NDArray[np.bool_]


class Before(NamedTuple):
    """Hashes of what earlier releases hold out: ids, concept sets, and the sessions or subjects that are kept apart too."""

    ids: Hashes
    sets: Hashes
    atoms: Hashes


def split(sheet: Sheet, offered: Chosen, test: int | None, validation: float, before: Before) -> Places:
    """Where each row of a sheet goes.

    Args:
        offered: rows that may be held out.
        test: rows of each discipline that are held out; None: 50, but at most a tenth of the discipline.
        validation: share of the other concept sets, in [0, 1).
    """
    places = np.full(len(sheet), TRAIN, np.int8)
    known = np.isin(sheet.order, before.ids)
    held = _held(sheet, offered, test, known)
    places[held] = TEST
    apart, owners = held | known, sheet.owners
    shared = np.isin(sheet.sets, np.concatenate([sheet.sets[apart], before.sets]))
    shared[owners[np.isin(sheet.atoms, np.concatenate([sheet.atoms[apart[owners]], before.atoms]))]] = True
    places[(shared | known) & ~held] = LEFT_OUT
    drawn = _mixed(sheet.sets).astype(np.float64) / 2.0**64 < validation
    places[drawn & (places == TRAIN)] = VALIDATION
    return places


def _mixed(hashes: Hashes) -> Hashes:
    """Other hashes of the same: the smallest of the old ones are in the test set (the finaliser of splitmix64)."""
    mixed = (hashes ^ (hashes >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def _held(sheet: Sheet, offered: Chosen, test: int | None, known: Chosen) -> Chosen:
    """The rows of the test set: of each discipline the known ones, then those whose atoms come first, so that few are spent."""
    held = np.zeros(len(sheet), np.bool_)
    if test == 0 or not offered.any():
        return held
    order, disciplines = sheet.order, sheet.disciplines
    last = np.zeros(len(sheet), np.uint64)
    np.maximum.at(last, sheet.owners, sheet.atoms)  # the row is wholly held once its last atom is
    ranked = np.lexsort((order, last, ~known, disciplines))
    ranked = ranked[offered[ranked]]
    sizes = np.bincount(disciplines[offered])
    starts = np.cumsum(sizes) - sizes
    for start, size in zip(starts.tolist(), sizes.tolist(), strict=True):
        wanted = min(USUAL_TEST, int(MOST_OF_A_DISCIPLINE * size)) if test is None else min(test, size)
        held[ranked[start : start + wanted]] = True
    return held
