"""What splitting and sampling look at of each kept row, as numbers: some 40 bytes a row, so ten million fit in memory."""

from array import array
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from glan.keys import hashed, normalised
from glan.languages import ENGLISH

Apart = Literal["concepts", "session", "subject"]
"""What a held-out row shares with no row of train: its concept set; beside it any of its sessions, or its subject."""

LEVELS = ("field", "sub_field", "discipline", "subject")

Node = Literal["field", "sub_field", "discipline", "subject", "language", "difficulty", "question_type"]

READS = (
    "question_id",
    "field",
    "sub_field",
    "discipline_id",
    "subject_id",
    "subject",
    "language",
    "difficulty",
    "question_type",
    "syllabus_id",
    "session_indexes",
    "key_concepts",
    "other_subject",
    "other_syllabus_id",
    "other_session_indexes",
)
"""The columns of instructions that a sheet needs."""


class Sheet:
    """Rows in the order in which they are added.

    `order`: a hash of each question's id, by which rows are drawn, so that a draw depends on no other row.
    `sets`: a hash of each row's concept set.
    `disciplines`, `nodes`: numbers of each row's discipline in its language, and of the node it is sampled by.
    `atoms`, `starts`: hashes of what a row must not share, and where each row's begin.
    """

    def __init__(self, apart: Apart, node: Node) -> None:
        self._apart, self._node = apart, node
        self._order, self._sets, self._atoms = array("Q"), array("Q"), array("Q")
        self._nodes, self._disciplines, self._counts = array("i"), array("i"), array("H")
        self.names: dict[tuple[str, ...], int] = {}
        self._discipline_names: dict[tuple[str, str], int] = {}

    def add(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Take down kept rows."""
        for row in rows:
            self._order.append(hashed(row["question_id"]))
            discipline = row["discipline_id"], language_of(row)
            self._disciplines.append(self._discipline_names.setdefault(discipline, len(self._discipline_names)))
            self._nodes.append(self.names.setdefault(node_of(row, self._node), len(self.names)))
            self._sets.append(set_of(row))
            atoms = atoms_of(row, self._apart)
            self._atoms.extend(atoms)
            self._counts.append(len(atoms))

    def __len__(self) -> int:
        return len(self._order)

    @property
    def order(self) -> NDArray[np.uint64]:
        return np.array(self._order, np.uint64)

    @property
    def sets(self) -> NDArray[np.uint64]:
        return np.array(self._sets, np.uint64)

    @property
    def nodes(self) -> NDArray[np.int64]:
        return np.array(self._nodes, np.int64)

    @property
    def disciplines(self) -> NDArray[np.int64]:
        return np.array(self._disciplines, np.int64)

    @property
    def atoms(self) -> NDArray[np.uint64]:
        return np.array(self._atoms, np.uint64)

    @property
    def owners(self) -> NDArray[np.int64]:
        """The row of each atom."""
        return np.repeat(np.arange(len(self)), np.array(self._counts, np.int64))


def node_of(row: Mapping[str, Any], node: Node) -> tuple[str, ...]:
    """The node of the tree that a row is sampled by, with what stands above it; or its language, difficulty or type."""
    if node == "language":
        return (language_of(row),)
    if node in ("difficulty", "question_type"):
        return (row[node] or "",)
    path = (row["field"], row["sub_field"], row["discipline_id"], row["subject"])
    return path[: LEVELS.index(node) + 1]


def language_of(row: Mapping[str, Any]) -> str:
    """What a row was asked for in."""
    return row["language"] or ENGLISH


def set_of(row: Mapping[str, Any]) -> int:
    """A hash of its concept set."""
    return hashed(*sorted({normalised(concept) for concept in row["key_concepts"] or ()}))


def atoms_of(row: Mapping[str, Any], apart: Apart) -> list[int]:
    """Hashes of what a row is held apart by."""
    if apart == "subject":
        names = [row["subject"], *([row["other_subject"]] if row["other_subject"] else [])]
        return [hashed(row["discipline_id"], normalised(name)) for name in names]
    if apart == "session":
        own = [hashed(row["syllabus_id"], str(session)) for session in row["session_indexes"] or ()]
        return own + [hashed(row["other_syllabus_id"], str(one)) for one in row["other_session_indexes"] or ()]
    return [set_of(row)]
