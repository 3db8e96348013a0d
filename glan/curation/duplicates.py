"""Duplicate and near-duplicate questions over all nodes, from signatures alone; texts are fetched to verify candidates.

Rows stand in one order: those that a release holds, then those accepted before, then by score, then by id. In that
order each row stays unless it is verified to be similar to one that stays before it. A row that goes names the best by
score and id of those that stay and that it is similar to: the id of the cluster. So neither who stays nor what is named
depends on the order or the portions in which rows come, or on how much an interrupted pass had published; what was
accepted stays accepted; and in a chain where a is like b and b like c, but a not like c, both ends stay.

Signatures and what is computed from them go to files in a scratch folder as they come; in memory is what orders rows,
about 100 bytes of each.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from glan.curation.signatures import PERMUTATIONS, Hashes, Values, band_hashes, banding, unpacked
from glan.curation.words import grams, jaccard
from glan.errors import StoreError

Texts = Callable[[Sequence[str]], Mapping[str, str]]
"""The texts of the questions of these ids, by id."""

CANDIDATES = pa.schema(
    [
        ("question_id", pa.string()),
        ("signature", pa.binary()),
        ("held", pa.bool_()),
        ("accepted", pa.bool_()),
        ("score", pa.float64()),
    ]
)
"""Questions that nothing speaks against but perhaps another one. `held`: a release holds it. `accepted`: kept by an
earlier pass. `score`: of the judge, null if it has none."""

RANKS = pa.schema([("question_id", pa.large_string()), *(CANDIDATES.field(n) for n in ("held", "accepted", "score"))])
"""What orders candidates."""

WORTH = [("score", "descending"), ("question_id", "ascending")]
"""The order in which they are named."""

STANDING = [("held", "descending"), ("accepted", "descending"), *WORTH]
"""The order in which they stay."""

_MOST_PAIRS = 1 << 19  # looked at together: 30 MB, and the texts of those that are verified
_COMPARED = 1 << 16  # pairs whose signatures are compared together: 33 MB
_MARGIN = 0.12  # below the threshold, by the estimate of 128 values: more than three standard deviations at 0.8
_KEPT_TEXTS = 100_000  # fetched ones kept for the next portion
_KEPT_GRAMS = 10_000  # texts whose grams are kept: 60 MB

_Numbers = NDArray[np.int64]


def duplicates_of(candidates: Iterable[pa.Table], texts: Texts, threshold: float, scratch: Path) -> dict[str, str]:
    """The duplicates: question_id -> the id of the question that stays in its place.

    `candidates` come in portions of any size, with the columns of `CANDIDATES`; an id that comes twice is one
    question. `threshold` is the Jaccard similarity of word 3-grams from which two questions are near-duplicates.
    `scratch` is an empty folder for this pass, with room for 256 bytes a question and 8 more for each band.

    Raises:
        StoreError: a signature is of another scheme, or `texts` lacks an id that it was asked for.
    """
    ranked = _Ranked.read(candidates, threshold, scratch)
    heads = np.flatnonzero(ranked.first == np.arange(len(ranked.first)))
    near = _similar(ranked, heads, texts, threshold)
    instead = np.empty(len(ranked.first), np.int64)
    instead[heads] = heads[near]
    instead = instead[ranked.first]
    gone = np.flatnonzero(instead != np.arange(len(instead)))
    names = ranked.names(gone), ranked.names(instead[gone])
    return {name: survivor for name, survivor in zip(*names, strict=True) if name != survivor}


@dataclass(frozen=True)
class _Ranked:
    """All candidates in the order in which they stay; a row is its place in that order."""

    ids: Any
    """As they came."""
    order: _Numbers
    """The place among `ids` of each row."""
    worth: _Numbers
    """The place of each row by score and id alone."""
    first: _Numbers
    """For each row the first with the same words."""
    scratch: "_Scratch"

    @classmethod
    def read(cls, candidates: Iterable[pa.Table], threshold: float, folder: Path) -> "_Ranked":
        """Rank them as they come; their signatures go to the folder."""
        exact: list[Hashes] = [np.empty((0, 2), np.uint64)]
        ranks = [RANKS.empty_table()]
        with _Scratch(folder, threshold) as scratch:
            for portion in candidates:
                digests, values = unpacked(portion["signature"].to_pylist())
                exact.append(digests)
                scratch.append(values)
                ranks.append(portion.select(RANKS.names).cast(RANKS))
        table = pa.concat_tables(ranks)
        order, best = (pc.sort_indices(table, sort_keys=keys).to_numpy() for keys in (STANDING, WORTH))
        worth = np.empty(len(order), np.int64)
        worth[best] = np.arange(len(best))
        ids = table["question_id"].combine_chunks()
        return cls(ids, order.astype(np.int64), worth[order], _first_of_equal(np.concatenate(exact)[order]), scratch)

    def names(self, rows: _Numbers) -> list[str]:
        """The ids of these rows."""
        return list(self.ids.take(pa.array(self.order[rows])).to_pylist())


class _Scratch:
    """MinHash values and band hashes of the candidates, in files, in the order in which they came."""

    def __init__(self, folder: Path, threshold: float) -> None:
        self._threshold = threshold
        self._values = folder / "values"
        self._bands = [folder / f"band-{band}" for band in range(banding(threshold)[0])]

    def __enter__(self) -> "_Scratch":
        self._open = [path.open("wb") for path in (self._values, *self._bands)]
        return self

    def append(self, values: Values) -> None:
        """Add the next candidates."""
        parts = [values.tobytes(), *(hashes.tobytes() for hashes in band_hashes(values, self._threshold))]
        for file, part in zip(self._open, parts, strict=True):
            file.write(part)

    def __exit__(self, *_: object) -> None:
        for file in self._open:
            file.close()

    def values(self) -> Values:
        """All values, mapped from the file."""
        if not self._values.stat().st_size:
            return np.empty((0, PERMUTATIONS), np.uint16)
        return np.memmap(self._values, np.uint16, "r").reshape(-1, PERMUTATIONS)

    def hashes(self) -> Iterator[Hashes]:
        """All hashes of each band."""
        return (np.fromfile(path, np.uint64) for path in self._bands)


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


def _similar(ranked: _Ranked, heads: _Numbers, texts: Texts, threshold: float) -> _Numbers:
    """For each of the heads (those that are the first with their words) the one that is named in its place: itself if
    it stays, else the best of those that stay and are verified similar. Numbers are places among the heads."""
    pairs = _Pairs(ranked, heads, threshold)
    verified = _Verified(lambda rows: ranked.names(heads[rows]), texts, threshold)
    instead = pairs.instead
    for ones, others in chain(pairs.with_later(), pairs.with_later_that_stay()):
        verified.fetch(np.union1d(ones, others).tolist())
        for one, other in zip(ones.tolist(), others.tolist(), strict=True):
            if pairs.matters(one, other) and verified.similar(one, other):
                instead[other] = one
    return instead


class _Verified:
    """Which questions are similar by their texts."""

    def __init__(self, names: Callable[[_Numbers], list[str]], texts: Texts, threshold: float) -> None:
        self._names = names
        self._texts = texts
        self._threshold = threshold
        self._known: dict[int, str] = {}
        self._grams = lru_cache(_KEPT_GRAMS)(grams)

    def similar(self, one: int, other: int) -> bool:
        """Whether two rows are, whose texts have been fetched."""
        return jaccard(self._grams(self._known[one]), self._grams(self._known[other])) >= self._threshold

    def fetch(self, rows: Sequence[int]) -> None:
        """Make the texts of these rows known."""
        if len(self._known) > _KEPT_TEXTS:
            self._known.clear()
        missing = [row for row in rows if row not in self._known]
        wanted = self._names(np.array(missing, np.int64))
        found = self._texts(wanted) if wanted else {}
        for row, name in zip(missing, wanted, strict=True):
            if name not in found:
                raise StoreError(f"the text of question {name} is missing, though the store names its row")
            self._known[row] = found[name]


class _Pairs:
    """Pairs of which one stays and that may be similar, that one first; each once in a portion.

    `instead` is read anew for every portion: what is decided on one spares those pairs of all that went since which
    could not change a name, so the work follows the number of questions that stay, not the square of the copies of one.
    """

    def __init__(self, ranked: _Ranked, heads: _Numbers, threshold: float) -> None:
        self.instead = np.arange(len(heads))
        self._worth = ranked.worth[heads]
        self._places = ranked.order[heads]
        self._values = ranked.scratch.values()
        self._threshold = threshold
        self._members, self._stops = _buckets(hashes[self._places] for hashes in ranked.scratch.hashes())

    def matters(self, one: Any, other: Any) -> Any:
        """Whether the first stays, and so decides that the other goes or what is named in its place."""
        named = self.instead[other]
        return (self.instead[one] == one) & ((named == other) | (self._worth[one] < self._worth[named]))

    def with_later(self) -> Iterator[tuple[_Numbers, _Numbers]]:
        """Rows in order, each with those that stand behind it: when a row is reached, it is decided whether it stays."""
        yield from self._portions(
            self._members, np.arange(1, len(self._members) + 1), self._stops, self._members, first_stays=True
        )

    def with_later_that_stay(self) -> Iterator[tuple[_Numbers, _Numbers]]:
        """Once it is decided who stays: rows that are gone, with those that stand behind them but may be worth more."""
        stays = self.instead[self._members] == self._members
        before = np.concatenate(([0], np.cumsum(stays)))
        gone = np.flatnonzero(~stays)
        yield from self._portions(
            self._members[gone], before[gone], before[self._stops[gone]], self._members[stays], first_stays=False
        )

    def _portions(
        self, owners: _Numbers, starts: _Numbers, stops: _Numbers, mates: _Numbers, first_stays: bool
    ) -> Iterator[tuple[_Numbers, _Numbers]]:
        """Each owner with its mates, those from its start to its stop."""
        turns = np.argsort(owners, kind="stable")
        done = 0
        while done < len(turns):
            turn = turns[done : done + _MOST_PAIRS]
            here = (self.instead[owners[turn]] == owners[turn]) == first_stays
            sizes = np.where(here, stops[turn] - starts[turn], 0)
            taken = max(1, int(np.searchsorted(np.cumsum(sizes), _MOST_PAIRS, side="right")))
            done += taken
            turn, sizes = turn[:taken], sizes[:taken]
            steps = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
            one, other = np.repeat(owners[turn], sizes), mates[np.repeat(starts[turn], sizes) + steps]
            matters = self.matters(*((one, other) if first_stays else (other, one)))
            once = np.unique(one[matters] * len(self.instead) + other[matters])
            one, other = self._likely(*np.divmod(once, len(self.instead)))
            yield (one, other) if first_stays else (other, one)

    def _likely(self, owners: _Numbers, mates: _Numbers) -> tuple[_Numbers, _Numbers]:
        """The pairs whose signatures do not rule out that they are similar."""
        likely = np.zeros(len(owners), np.bool_)
        for start in range(0, len(owners), _COMPARED):
            part = slice(start, start + _COMPARED)
            one, other = self._values[self._places[owners[part]]], self._values[self._places[mates[part]]]
            likely[part] = np.mean(one == other, axis=1) >= self._threshold - _MARGIN
        return owners[likely], mates[likely]


def _buckets(bands: Iterable[Hashes]) -> tuple[_Numbers, _Numbers]:
    """Rows that share a band with another, bucket by bucket and in order, and where the bucket of each ends."""
    members, stops = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    filled = 0
    for hashes in bands:
        order = np.argsort(hashes, kind="stable")
        ordered = hashes[order]
        sizes, _ = _runs(ordered[1:] != ordered[:-1], len(ordered))
        members.append(order[np.repeat(sizes > 1, sizes)])
        shared = sizes[sizes > 1]
        stops.append(np.repeat(filled + np.cumsum(shared), shared))
        filled += len(members[-1])
    return np.concatenate(members), np.concatenate(stops)
