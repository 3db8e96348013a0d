"""Short texts -> their likeliest languages, many at once, by the model of py3langid."""

import itertools
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

_Numbers = NDArray[Any]

_READING = Lock()


@dataclass(frozen=True)
class _Model:
    """An automaton over bytes whose states may be features, and how much each feature speaks for each language."""

    identifier: Any
    moves: _Numbers  # next state, by base and byte
    bases: _Numbers  # by state
    features: _Numbers  # by state; negative: none
    weights: _Numbers  # feature x column
    merge: _Numbers  # column x language: a language in two scripts has two columns
    codes: list[str]


def likeliest(texts: Sequence[str]) -> list[tuple[str, float]]:
    """The likeliest language of each text and its probability, as py3langid has them.

    The texts go through the automaton side by side, where a step costs as much for hundreds as for one.
    """
    if not texts:
        return []
    model = _model()
    encoded = [_encoded(text) for text in texts]
    lengths = np.array([len(text) for text in encoded])[:, np.newaxis]
    scores = _evidence(model, encoded, lengths) / np.sqrt(np.maximum(lengths, 1), dtype=np.float32)
    shares = np.exp(scores - scores.max(axis=1, keepdims=True))
    probabilities = np.einsum("tc,cl->tl", shares / shares.sum(axis=1, keepdims=True), model.merge)
    return [(model.codes[row.argmax()], float(row.max())) for row in probabilities]


def ranked(text: str) -> list[tuple[str, float]]:
    """All languages with their probabilities, the likeliest first."""
    found: list[tuple[str, float]] = _model().identifier.rank(text)
    return found


def _encoded(text: str) -> bytes:
    """As the model was trained on."""
    return unicodedata.normalize("NFC", text.lower() if text.isupper() else text).encode(errors="surrogatepass")


def _evidence(model: _Model, encoded: Sequence[bytes], lengths: _Numbers) -> _Numbers:
    """How much speaks for each column in each text; nothing for any in a text without features."""
    features = _features(model, encoded)
    size = len(model.weights)
    places = np.arange(len(encoded))[:, np.newaxis]
    there = (features >= 0) & (np.arange(features.shape[1]) < lengths)
    found, counts = np.unique((features + size * places)[there], return_counts=True)
    logarithms = np.log1p(counts.astype(np.float32))
    ends = np.searchsorted(found, size * np.arange(len(encoded) + 1))
    evidence = np.zeros((len(encoded), len(model.merge)), np.float32)
    for place, (start, end) in enumerate(itertools.pairwise(ends.tolist())):
        if end > start:
            weights = model.weights[found[start:end] - size * place]
            evidence[place] = np.einsum("f,fc->c", logarithms[start:end], weights) + model.identifier.nb_pc
    return evidence


def _features(model: _Model, encoded: Sequence[bytes]) -> _Numbers:
    """The feature that each text has at each of its bytes, negative where it has none; texts are padded."""
    longest = max(map(len, encoded))
    padded = b"".join(text.ljust(longest, b"\0") for text in encoded)
    letters = np.frombuffer(padded, np.uint8).reshape(len(encoded), longest).T.astype(np.intp)
    states = np.zeros((longest + 1, len(encoded)), np.intp)
    for step, letter in enumerate(letters):
        states[step + 1] = model.moves[model.bases[states[step]] + letter]
    return model.features[states[1:].T]


def _model() -> _Model:
    """Read at its first use, by one of the threads that want it: each would take a second and 130 MB."""
    with _READING:
        return _read()


@cache
def _read() -> _Model:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    stored = LanguageIdentifier.from_model_file(MODEL_FILE)
    weights = stored.nb_ptc.astype(np.float32)  # of half precision as stored: what is read would be widened each time
    identifier = LanguageIdentifier(
        weights,
        stored.nb_pc,
        stored.nb_classes,
        stored.tk_nextmove,
        stored.tk_output,
        norm_probs=True,
        tk_row=stored.tk_row,
    )
    codes = list(dict.fromkeys(stored.nb_classes))
    return _Model(
        identifier=identifier,
        moves=np.frombuffer(stored.tk_nextmove, f"u{stored.tk_nextmove.itemsize}"),
        bases=np.frombuffer(stored.tk_row, f"u{stored.tk_row.itemsize}").astype(np.intp) << 8,
        features=np.asarray(stored.tk_output, np.intp),
        weights=weights,
        merge=np.array([[code == column for code in codes] for column in stored.nb_classes], np.float32),
        codes=codes,
    )
