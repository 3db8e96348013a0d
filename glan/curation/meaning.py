"""Questions of a discipline that ask the same in other words: by the cosine of their embeddings, among what words left.

The order is that of the pass by words: rows of a release first, then those accepted before, then by score and id. Each row
stays unless it is near one that stays before it, so neither order, portions nor interruptions change the outcome, and
what was accepted stays accepted. A mean of tokens hardly sees a number or a `not`; so only questions are compared that
are in the same language and name the same numbers, signs and negations in the same order.

One discipline at a time. Its vectors are in a file, 2 bytes a coordinate; in memory is what orders its rows, about 100
bytes of each, and some 100 MB while blocks are compared. A discipline in which nothing has changed is taken from its note.
"""

import hashlib
from collections.abc import Container, Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from glan.config import Curation
from glan.curation import cosine
from glan.curation.duplicates import STANDING, WORTH
from glan.curation.embedding import Embedding, Vectors
from glan.curation.overview import Overview
from glan.curation.verdicts import Duplicate
from glan.curation.words import words
from glan.errors import StoreError
from glan.keys import digest, hashed
from glan.store import notes
from glan.store.files import Files

_VERSION = 2
"""Raise it with whatever changes what is found from the same rows: notes made before are then not read."""

_DECIMALS = 3  # of a similarity: the rounding of coordinates shows in the fourth
_NEGATIONS = """
not no never none nor neither nothing without cannot except t
nicht kein keine keinen keinem keiner keines nie niemals ohne nichts
ne n pas jamais sans aucun aucune ni nunca jamás sin ningún ninguna nada
non mai senza nessun nessuna né não nem sem nenhum nenhuma niet geen nooit zonder
не без нет ни никогда 不 没 沒 無 无 非 未 否 لا ليس لم لن بدون غير नहीं न बिना मत
"""  # the "t" is what is left of "isn't"
_NEGATING = frozenset(_NEGATIONS.split())


def same_in_meaning(
    overview: Overview, gone: Container[str], settings: Curation, kept_notes: Files | None, scratch: Path
) -> dict[str, Duplicate]:
    """Of all disciplines the rows, without those gone by words, that another one of theirs says in other words.

    `scratch` is an empty folder with room for the vectors of the largest discipline.

    Raises:
        InputError: the embedding model cannot be loaded.
        StoreError: a question is missing.
    """
    model = Embedding(settings)
    found: dict[str, Duplicate] = {}
    for discipline_id in overview.disciplines:
        rows = _Rows(overview.left(discipline_id, gone))
        name, basis = f"meaning/{discipline_id}", [_VERSION, model.digest, settings.near_duplicate_cosine]
        noted = notes.find(kept_notes, name, rows.digest(basis)) if kept_notes else None
        if noted is not None:
            found |= {one: Duplicate(*of) for one, of in noted.items()}
            continue
        alike = _alike(rows, overview.questions(discipline_id), model, settings.near_duplicate_cosine, scratch)
        found |= alike
        if kept_notes:
            after = rows.when_accepted(alike).digest(basis)
            notes.keep(kept_notes, name, after, {one: list(of) for one, of in alike.items()})
    return found


class _Rows:
    """Rows of a discipline in the order in which they stay, an id once."""

    def __init__(self, ranks: pa.Table) -> None:
        ranks = ranks.sort_by(STANDING).combine_chunks()
        ids = ranks["question_id"]
        self._ranks = ranks.filter(pc.equal(pc.index_in(ids, value_set=ids), pa.array(np.arange(len(ids)), pa.int32())))
        self.ids: pa.ChunkedArray = self._ranks["question_id"]
        self.worth = np.empty(len(self.ids), np.int64)
        self.worth[pc.sort_indices(self._ranks, sort_keys=WORTH).to_numpy()] = np.arange(len(self.ids))

    def digest(self, basis: list[object]) -> str:
        """Of all that decides which of them stay."""
        total = hashlib.sha256(self.worth.tobytes())
        for batch in self._ranks.to_batches(max_chunksize=1 << 16):
            total.update("\n".join(batch["question_id"].to_pylist()).encode())
        return digest([*basis, total.hexdigest()])

    def when_accepted(self, gone: Container[str]) -> "_Rows":
        """As they will stand once what stays has been published: the next pass would find the same."""
        accepted = pa.array([name not in gone for name in self.ids.to_pylist()], pa.bool_())
        return _Rows(self._ranks.set_column(self._ranks.schema.get_field_index("accepted"), "accepted", accepted))


def _alike(
    rows: _Rows, questions: Iterable[pa.Table], model: Embedding, least: float, scratch: Path
) -> dict[str, Duplicate]:
    if len(rows.ids) < 2:
        return {}
    file = scratch / "vectors"
    vectors: Vectors = np.memmap(file, np.int16, "w+", shape=(len(rows.ids), model.dimensions))
    classes = np.zeros(len(rows.ids), np.uint64)
    read = 0
    for portion in questions:
        places = pc.index_in(portion["question_id"].cast(pa.large_string()), value_set=rows.ids)
        portion = portion.filter(places.is_valid())
        found = places.drop_null().to_numpy()
        if len(found):
            texts = portion["question"].to_pylist()
            vectors[found] = model.vectors(texts)
            languages = portion["language"].to_pylist()
            classes[found] = [class_of(*one) for one in zip(texts, languages, strict=True)]
            read += len(np.unique(found))
    if read < len(rows.ids):
        raise StoreError(f"{len(rows.ids) - read} questions are missing, though the store names their rows")
    near = cosine.near(vectors, classes, rows.worth, least)
    del vectors
    file.unlink()
    gone, instead = (rows.ids.take(pa.array(some)).to_pylist() for some in (near.gone, near.instead))
    similarities = np.round(np.minimum(near.cosines, 1), _DECIMALS).tolist()
    return {name: Duplicate(*of) for name, *of in zip(gone, instead, similarities, strict=True)}


def class_of(text: str, language: str | None) -> int:
    """What questions share that may be the same: the language, and what in them a mean of tokens hardly sees."""
    telling = [word for word in words(text) if word in _NEGATING or _counts(word)]
    return hashed(language or "", *telling)


def _counts(word: str) -> bool:
    """A number, what holds one, or an operator."""
    if word.isalpha():  # most are
        return False
    return not (word[0].isalnum() or word[0] == "_") or any(character.isdigit() for character in word)
