"""The rows of all units as the pass over duplicates needs them: streamed once, little of each kept in memory."""

from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from glan.curation.duplicates import CANDIDATES, RANKS
from glan.curation.scores import worth
from glan.curation.signatures import is_current, signature
from glan.curation.verdicts import SIMILARITY, Duplicate, own_reasons
from glan.store.ahead import ahead
from glan.store.parts import Reader
from glan.store.store import Store
from glan.units import Receipt

_STANDING = ["question_id", "reasons", "kept", "scores"]
_COLUMNS = [*_STANDING, "signature", "duplicate_of"]
_UNITS = 256  # looked at together: some thousand rows

Held = Iterable[pa.RecordBatch]
"""`question_id` of the rows that releases hold; read once, when it is needed."""

Identity = tuple[str, str]
"""Of a unit's rows: the object that holds them, and the unit's address, for an object may hold many units."""


def identity(receipt: Receipt) -> Identity:
    """What tells the rows of one unit from those of another, or from another version of the same."""
    return receipt.object, receipt.unit


class Overview:
    """What the units hold: read by `candidates`, and known from then on."""

    def __init__(self, store: Store, units: Sequence[Receipt], published: Sequence[Receipt], held: Held) -> None:
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
        self._before: dict[str, Duplicate] = {}
        self._released = held
        self._held: NDArray[np.uint64] = np.empty(0, np.uint64)
        self._accepted: pa.Array = pa.array([], pa.large_string())
        self._published = {identity(receipt) for receipt in published}
        current = {identity(unit) for unit in units}
        self._replaced = [receipt for receipt in published if identity(receipt) not in current]

    def candidates(self) -> Iterator[pa.Table]:
        """The rows that no rule speaks against, as `duplicates_of` takes them. To be read to its end, once."""
        released = [_fingerprints(batch["question_id"]) for batch in self._released]
        self._held = np.unique(np.concatenate([self._held, *released]))
        self._accepted = self._accepted_in_replaced()
        ids = []
        for units, tables in self._portions(self._units, _COLUMNS):
            rows = pa.concat_tables(tables)
            ids.append(rows["question_id"].cast(pa.large_string()).combine_chunks())
            eligible = [self._note(*one) for one in zip(units, tables, strict=True)]
            columns = {**self._ranks(units, rows), "signature": self._signatures(units, tables)}
            yield pa.table(columns, schema=CANDIDATES).filter(pa.array(np.concatenate(eligible)))
        self._ids = pa.chunked_array(ids, pa.large_string())

    @property
    def disciplines(self) -> list[str]:
        """All that have a unit."""
        return sorted({unit.discipline_id for unit in self._units})

    def left(self, discipline_id: str, gone: Container[str]) -> pa.Table:
        """What orders the rows of a discipline that neither a rule nor these duplicates speak against."""
        found = [RANKS.empty_table()]
        for units, tables in self._portions(self._of(discipline_id), _STANDING):
            rows = pa.concat_tables(tables)
            pairs = zip(rows["question_id"].to_pylist(), rows["reasons"].to_pylist(), strict=True)
            eligible = pa.array([name not in gone and not own_reasons(reasons) for name, reasons in pairs], pa.bool_())
            found.append(pa.table(self._ranks(units, rows)).cast(RANKS).filter(eligible))
        return pa.concat_tables(found)

    def questions(self, discipline_id: str) -> Iterator[pa.Table]:
        """All questions of a discipline, a portion at a time: `question_id, question, language`."""
        for _, tables in self._portions(self._of(discipline_id), ["question_id", "question", "language"]):
            yield pa.concat_tables(tables)

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

    def changed(self, duplicates: Mapping[str, Duplicate]) -> list[Receipt]:
        """The units whose objects say of a row that it is another duplicate than this one."""
        before = self._before
        return self._holding([name for name in {*before, *duplicates} if before.get(name) != duplicates.get(name)])

    def by_discipline(self, ids: Iterable[str]) -> Counter[str]:
        """How many rows these are."""
        return Counter(self._units[place].discipline_id for place in self._places(ids))

    def _of(self, discipline_id: str) -> list[Receipt]:
        return [unit for unit in self._units if unit.discipline_id == discipline_id]

    def _ranks(self, units: Sequence[Receipt], rows: pa.Table) -> dict[str, Any]:
        """The columns of `RANKS` for all rows of these units."""
        ids = rows["question_id"].cast(pa.large_string()).combine_chunks()
        published = np.repeat([identity(unit) in self._published for unit in units], [unit.rows for unit in units])
        return {
            "question_id": rows["question_id"],
            "held": pa.array(np.isin(_fingerprints(ids), self._held)),
            "accepted": pc.or_(pc.is_in(ids, self._accepted), pc.and_(rows["kept"], pa.array(published))),
            "score": worth(rows["scores"]),
        }

    def _signatures(self, units: Sequence[Receipt], tables: Sequence[pa.Table]) -> pa.ChunkedArray:
        """Of all rows of these units; those that another version of glan has made, made anew from the questions.

        Such units are published until their own discipline is curated again.
        """
        found = [pa.array([], CANDIDATES.field("signature").type)]
        for unit, rows in zip(units, tables, strict=True):
            signatures = rows["signature"].combine_chunks()
            if not all(map(is_current, signatures.to_pylist())):
                questions = Reader(self._store, ["question"]).rows(unit)["question"].to_pylist()
                signatures = pa.array(map(signature, questions), signatures.type)
            found.append(signatures)
        return pa.chunked_array(found)

    def _note(self, unit: Receipt, rows: pa.Table) -> NDArray[np.bool_]:
        """Which rows of the unit no rule speaks against."""
        reasons = [own_reasons(found) for found in rows["reasons"].to_pylist()]
        self.own_reasons[unit.discipline_id].update(code for found in reasons for code in found)
        self.rows[unit.discipline_id] += rows.num_rows
        eligible = np.array([not found for found in reasons], np.bool_)
        self.eligible[unit.discipline_id] += int(eligible.sum())
        similar = pc.map_lookup(rows["scores"], SIMILARITY, "first")
        columns = (column.to_pylist() for column in (rows["question_id"], rows["duplicate_of"], similar))
        self._before.update((name, Duplicate(of, near)) for name, of, near in zip(*columns, strict=True) if of)
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


def _fingerprints(ids: pa.Array) -> NDArray[np.uint64]:
    """8 bytes of each id; among ten million no two are expected to be equal."""
    return np.asarray(pd.util.hash_array(ids.to_numpy(zero_copy_only=False).astype(object), categorize=False))
