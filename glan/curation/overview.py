"""The rows of all units as the pass over duplicates needs them: streamed once, little of each kept in memory."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from glan.curation.duplicates import CANDIDATES
from glan.curation.scores import worth
from glan.curation.verdicts import own_reasons
from glan.release.releases import held_by_release
from glan.store.ahead import ahead
from glan.store.parts import Reader
from glan.store.store import Store
from glan.units import Receipt

_COLUMNS = ["question_id", "signature", "reasons", "duplicate_of", "kept", "scores"]
_UNITS = 256  # looked at together: some thousand rows


Identity = tuple[str, str]
"""Of a unit's rows: the object that holds them, and the unit's address, for an object may hold many units."""


def identity(receipt: Receipt) -> Identity:
    """What tells the rows of one unit from those of another, or from another version of the same."""
    return receipt.object, receipt.unit


class Overview:
    """What the units hold: read by `candidates`, and known from then on."""

    def __init__(self, store: Store, units: Sequence[Receipt], published: Sequence[Receipt]) -> None:
        """`units` are to be published, `published` are so now."""
        self.rows: Counter[str] = Counter()
        """By discipline, how many rows there are."""
        self.own_reasons: dict[str, Counter[str]] = defaultdict(Counter)
        """By discipline and code, how many rows a rule speaks against."""
        self.eligible: Counter[str] = Counter()
        """By discipline, how many rows no rule speaks against."""
        self._store = store
        self._units = units
        self._starts = np.cumsum([0, *(unit.rows for unit in units)])
        self._ids: pa.ChunkedArray = pa.chunked_array([], pa.large_string())
        self._duplicate_of: dict[str, str] = {}
        self._published = {identity(receipt) for receipt in published}
        current = {identity(unit) for unit in units}
        self._replaced = [receipt for receipt in published if identity(receipt) not in current]

    def candidates(self) -> Iterator[pa.Table]:
        """The rows that no rule speaks against, as `duplicates_of` takes them. To be read to its end, once."""
        held = _held(self._store)
        accepted = self._accepted_in_replaced()
        ids = []
        for units, tables in self._portions(self._units, _COLUMNS):
            rows = pa.concat_tables(tables)
            ids.append(rows["question_id"].cast(pa.large_string()).combine_chunks())
            eligible = [self._note(*one) for one in zip(units, tables, strict=True)]
            published = np.repeat([identity(unit) in self._published for unit in units], [unit.rows for unit in units])
            columns = {
                "question_id": rows["question_id"],
                "signature": rows["signature"],
                "held": pa.array(np.isin(_fingerprints(ids[-1]), held)),
                "accepted": pc.or_(pc.is_in(ids[-1], accepted), pc.and_(rows["kept"], pa.array(published))),
                "score": worth(rows["scores"]),
            }
            yield pa.table(columns, schema=CANDIDATES).filter(pa.array(np.concatenate(eligible)))
        self._ids = pa.chunked_array(ids, pa.large_string())

    def texts(self, ids: Sequence[str]) -> dict[str, str]:
        """The questions of these ids."""
        wanted = set(ids)
        return {
            row["question_id"]: row["question"]
            for _, tables in self._portions(self._holding(ids), ["question_id", "question"])
            for rows in tables
            for row in rows.to_pylist()
            if row["question_id"] in wanted
        }

    def changed(self, duplicates: Mapping[str, str]) -> list[Receipt]:
        """The units whose objects have another `duplicate_of` for a row than this one."""
        before = self._duplicate_of
        return self._holding([name for name in {*before, *duplicates} if before.get(name) != duplicates.get(name)])

    def kept(self, duplicates: Mapping[str, str]) -> Counter[str]:
        """By discipline, how many rows neither a rule nor another row speaks against."""
        left = Counter(self.eligible)
        left.subtract(self._units[place].discipline_id for place in self._places(duplicates))
        return left

    def _note(self, unit: Receipt, rows: pa.Table) -> NDArray[np.bool_]:
        """Which rows of the unit no rule speaks against."""
        reasons = [own_reasons(found) for found in rows["reasons"].to_pylist()]
        self.own_reasons[unit.discipline_id].update(code for found in reasons for code in found)
        self.rows[unit.discipline_id] += rows.num_rows
        eligible = np.array([not found for found in reasons], np.bool_)
        self.eligible[unit.discipline_id] += int(eligible.sum())
        pairs = zip(rows["question_id"].to_pylist(), rows["duplicate_of"].to_pylist(), strict=True)
        self._duplicate_of.update((name, of) for name, of in pairs if of is not None)
        return eligible

    def _accepted_in_replaced(self) -> pa.Array:
        """The ids of the kept rows of units that are published now and will not be."""
        found = [pa.array([], pa.large_string())]
        for _, tables in self._portions(self._replaced, ["question_id", "kept"]):
            rows = pa.concat_tables(tables)
            found.append(rows.filter(rows["kept"])["question_id"].cast(pa.large_string()).combine_chunks())
        return pa.concat_arrays(found)

    def _portions(
        self, units: Sequence[Receipt], columns: list[str]
    ) -> Iterator[tuple[Sequence[Receipt], list[pa.Table]]]:
        """Some units at a time with these columns of their rows."""
        tables = ahead(Reader(self._store, columns).rows, units)
        for start in range(0, len(units), _UNITS):
            some = units[start : start + _UNITS]
            yield some, list(islice(tables, len(some)))

    def _holding(self, ids: Sequence[str]) -> list[Receipt]:
        """The units that hold rows of these ids."""
        return [self._units[place] for place in np.unique(self._places(ids))]

    def _places(self, ids: Iterable[str]) -> NDArray[np.int64]:
        """For each row of these ids the place of its unit."""
        found = pc.is_in(self._ids, pa.array(ids, pa.large_string())).to_numpy()
        return np.searchsorted(self._starts, np.flatnonzero(found), side="right") - 1


def _held(store: Store) -> NDArray[np.uint64]:
    """The fingerprints of the ids that a release holds."""
    batches = held_by_release(store.files)
    found = [_fingerprints(batch["question_id"]) for batch in batches]
    return np.unique(np.concatenate([np.empty(0, np.uint64), *found]))


def _fingerprints(ids: pa.Array) -> NDArray[np.uint64]:
    """8 bytes of each id; among ten million no two are expected to be equal."""
    return np.asarray(pd.util.hash_array(ids.to_numpy(zero_copy_only=False).astype(object), categorize=False))
