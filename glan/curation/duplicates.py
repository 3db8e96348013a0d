"""Duplicate and near-duplicate questions over all nodes, from signatures alone; texts are fetched to verify candidates.

Rows stand in one order: those that a release holds, then those accepted before, then by score, then by id. In that
order each row stays unless it is verified to be similar to one that stays before it, and is then a duplicate of the
first such row. So the outcome does not depend on the order or the portions in which rows come; what was accepted stays
accepted; and in a chain where a is like b and b like c, but a not like c, both ends stay. Every duplicate names a row
that stays: that row's id is the id of the cluster.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from glan.curation.signatures import Hashes, Values, band_hashes, unpacked
from glan.curation.words import grams, jaccard
from glan.errors import StoreError

Texts = Callable[[Sequence[str]], Mapping[str, str]]
"""The texts of the questions of these ids, by id."""

_PORTION = 20_000  # candidates unpacked at a time
_MOST_PAIRS = 1 << 19  # looked at together: 30 MB, and the texts of those that are verified
_COMPARED = 1 << 16  # pairs whose signatures are compared together: 33 MB
_MARGIN = 0.12  # below the threshold, by the estimate of 128 values: more than three standard deviations at 0.8
_KEPT_TEXTS = 100_000  # fetched ones kept for the next portion
_KEPT_GRAMS = 10_000  # texts whose grams are kept: 60 MB

_Numbers = NDArray[np.int64]


class Candidate(NamedTuple):
    """A question as the pass sees it.

    `held`: a release holds it. `accepted`: kept by an earlier pass. `eligible`: its own rules have nothing against it;
    one that is not takes no part, neither as a duplicate nor as what others are duplicates of.
    """

    question_id: str
    signature: bytes
    held: bool = False
    accepted: bool = False
    score: float | None = None
    eligible: bool = True


def duplicates_of(candidates: Iterable[Candidate], texts: Texts, threshold: float) -> dict[str, str]:
    """The duplicates: question_id -> the id of the question that stays in its place.

    `threshold` is the Jaccard similarity of word 3-grams from which two questions are near-duplicates. An id that
    comes twice is one question.

    Raises:
        StoreError: a signature is of another scheme, or `texts` lacks an id that it was asked for.
    """
    ids, exact, values = _ranked(candidates)
    first = _first_of_equal(exact)
    heads = np.flatnonzero(first == np.arange(len(first)))
    near = _first_of_similar(ids.take(pa.array(heads)), values[heads], texts, threshold)
    stays = np.empty(len(first), np.int64)
    stays[heads] = heads[near]
    stays = stays[first]
    gone = np.flatnonzero(stays != np.arange(len(stays)))
    names = ids.take(pa.array(gone)).to_pylist(), ids.take(pa.array(stays[gone])).to_pylist()
    return {name: survivor for name, survivor in zip(*names, strict=True) if name != survivor}


def _ranked(candidates: Iterable[Candidate]) -> tuple[Any, Hashes, Values]:
    """Ids, digests and MinHash values of the eligible ones in the order in which they stay."""
    eligible = (candidate for candidate in candidates if candidate.eligible)
    exact: list[Hashes] = [np.empty((0, 2), np.uint64)]
    values: list[Values] = [unpacked([])[1]]
    ranks = [_ranks([])]
    while portion := list(islice(eligible, _PORTION)):
        digests, minima = unpacked([candidate.signature for candidate in portion])
        exact.append(digests)
        values.append(minima)
        ranks.append(_ranks(portion))
    table = pa.concat_tables(ranks)
    order = pc.sort_indices(
        table,
        sort_keys=[("held", "descending"), ("accepted", "descending"), ("score", "descending"), ("id", "ascending")],
    ).to_numpy()
    return (
        table["id"].take(pa.array(order)).combine_chunks(),
        np.concatenate(exact)[order],
        np.concatenate(values)[order],
    )


def _ranks(portion: Sequence[Candidate]) -> pa.Table:
    return pa.table(
        {
            "id": pa.array([one.question_id for one in portion], pa.large_string()),
            "held": pa.array([one.held for one in portion], pa.bool_()),
            "accepted": pa.array([one.accepted for one in portion], pa.bool_()),
            "score": pa.array([-np.inf if one.score is None else one.score for one in portion], pa.float64()),
        }
    )


def _first_of_equal(exact: Hashes) -> _Numbers:
    """For each row the first with the same words."""
    order = np.lexsort((exact[:, 1], exact[:, 0]))
    sizes, starts = _runs(np.any(exact[order[1:]] != exact[order[:-1]], axis=1), len(order))
    first = np.empty(len(order), np.int64)
    first[order] = np.repeat(order[starts], sizes)
    return first


def _runs(differs: NDArray[np.bool_], length: int) -> tuple[_Numbers, _Numbers]:
    """Sizes and starts of the runs of equal neighbours among so many sorted values."""
    starts = np.concatenate(([0], np.flatnonzero(differs) + 1)) if length else np.empty(0, np.int64)
    return np.diff(starts, append=length) if length else starts, starts


def _first_of_similar(ids: Any, values: Values, texts: Texts, threshold: float) -> _Numbers:
    """For each row the one that stays in its place: itself, or the first that stays and is verified similar."""
    stays = np.arange(len(values))
    known: dict[int, str] = {}
    grams_of = lru_cache(_KEPT_GRAMS)(grams)
    for owners, mates in _pairs(values, stays, threshold):
        _fetch(known, np.union1d(owners, mates).tolist(), ids, texts)
        for owner, mate in zip(owners.tolist(), mates.tolist(), strict=True):
            if stays[owner] != owner or stays[mate] != mate:
                continue
            if jaccard(grams_of(known[owner]), grams_of(known[mate])) >= threshold:
                stays[mate] = owner
    return stays


def _fetch(known: dict[int, str], rows: Sequence[int], ids: Any, texts: Texts) -> None:
    """Make the texts of these rows known."""
    if len(known) > _KEPT_TEXTS:
        known.clear()
    missing = [row for row in rows if row not in known]
    names = ids.take(pa.array(missing, pa.int64())).to_pylist()
    found = texts(names) if names else {}
    for row, name in zip(missing, names, strict=True):
        if name not in found:
            raise StoreError(f"the text of question {name} is missing, though the store names its row")
        known[row] = found[name]


def _pairs(values: Values, stays: _Numbers, threshold: float) -> Iterator[tuple[_Numbers, _Numbers]]:
    """Pairs that may be similar, earlier row first, sorted, each once in a portion.

    `stays` is read anew for every portion: what is decided on one spares the pairs of all that went since, so the
    work follows the number of questions that stay, not the square of the copies of one.
    """
    members, stops = _buckets(values, threshold)
    turns = np.argsort(members, kind="stable")
    done = 0
    while done < len(turns):
        turn = turns[done : done + _MOST_PAIRS]
        here = stays[members[turn]] == members[turn]
        sizes = np.where(here, stops[turn] - turn - 1, 0)
        taken = max(1, int(np.searchsorted(np.cumsum(sizes), _MOST_PAIRS, side="right")))
        done += taken
        yield _likely(*_unrolled(members, turn[:taken], sizes[:taken], stays), values, threshold)


def _buckets(values: Values, threshold: float) -> tuple[_Numbers, _Numbers]:
    """Rows that share a band with another, bucket by bucket and in order, and where the bucket of each ends."""
    members, stops = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    filled = 0
    for hashes in band_hashes(values, threshold):
        order = np.argsort(hashes, kind="stable")
        ordered = hashes[order]
        sizes, _ = _runs(ordered[1:] != ordered[:-1], len(ordered))
        members.append(order[np.repeat(sizes > 1, sizes)])
        shared = sizes[sizes > 1]
        stops.append(np.repeat(filled + np.cumsum(shared), shared))
        filled += len(members[-1])
    return np.concatenate(members), np.concatenate(stops)


def _unrolled(members: _Numbers, turn: _Numbers, sizes: _Numbers, stays: _Numbers) -> tuple[_Numbers, _Numbers]:
    """Each member with all later ones of its bucket that still stay; a pair of several buckets once."""
    owners = np.repeat(members[turn], sizes)
    steps = np.arange(len(owners)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    mates = members[np.repeat(turn + 1, sizes) + steps]
    still = stays[mates] == mates
    return np.divmod(np.unique(owners[still] * len(stays) + mates[still]), len(stays))


def _likely(owners: _Numbers, mates: _Numbers, values: Values, threshold: float) -> tuple[_Numbers, _Numbers]:
    """The pairs whose signatures do not rule out that they are similar."""
    likely = np.zeros(len(owners), np.bool_)
    for start in range(0, len(owners), _COMPARED):
        part = slice(start, start + _COMPARED)
        likely[part] = np.mean(values[owners[part]] == values[mates[part]], axis=1) >= threshold - _MARGIN
    return owners[likely], mates[likely]
