"""How varied questions are, by figures on a sample of fixed size, so that data sets of any size can be compared.

The sample is the questions that come first by a hash of their ids: the same whatever the order or number of rows.
Figures of texts depend on their number, so that a smaller sample says its size and is compared with nothing else.
"""

import heapq
import math
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from glan.curation.words import words
from glan.keys import hashed

SAMPLE = 500
_LONGEST = 4  # n-grams of self-BLEU
_SMALLEST = 0.1  # matches counted where an order has none (Chen and Cherry 2014, method 1)

_Grams = list[Counter[tuple[str, ...]]]


@dataclass(frozen=True)
class Diversity:
    """All of a sample of questions; None where it holds too little to say.

    `distinct`: share of word 1-, 2- and 3-grams that are different (Li et al. 2016); higher is more varied.
    `compression`: size of the normalised words before by after zlib (Shaib et al. 2024); lower is more varied.
    `self_bleu`: mean BLEU-4 of a question against all others (Zhu et al. 2018), 0 to 1; lower is more varied.
    `vendi`: effective number of different questions by shared words (Friedman and Dieng 2023), 1 to the sample's size.
    """

    questions: int
    distinct: tuple[float, float, float] | None = None
    compression: float | None = None
    self_bleu: float | None = None
    vendi: float | None = None


class Sampled:
    """The questions that come first by a hash of their ids, of as many as are added."""

    def __init__(self, size: int = SAMPLE) -> None:
        self._size = size
        self._heap: list[tuple[int, str, str]] = []

    def add(self, question_id: str, text: str) -> None:
        """Take note of a question."""
        rank = -hashed("0", question_id)  # in another order than that in which releases draw
        if len(self._heap) < self._size:
            heapq.heappush(self._heap, (rank, question_id, text))
        elif rank > self._heap[0][0]:
            heapq.heapreplace(self._heap, (rank, question_id, text))

    @property
    def texts(self) -> list[str]:
        """In the order of the hash."""
        return [text for _, _, text in sorted(self._heap, reverse=True)]


def diversity(texts: Sequence[str]) -> Diversity:
    """The figures of a sample."""
    spoken = [found for text in texts if (found := words(text))]
    if len(spoken) < 2:
        return Diversity(len(spoken))
    whole = "\n".join(" ".join(one) for one in spoken).encode()
    return Diversity(
        questions=len(spoken),
        distinct=(_distinct(spoken, 1), _distinct(spoken, 2), _distinct(spoken, 3)),
        compression=len(whole) / len(zlib.compress(whole, 9)),
        self_bleu=_self_bleu(spoken),
        vendi=_vendi(spoken),
    )


def evenness(counts: Iterable[int]) -> float | None:
    """Entropy of a distribution as a share of the most it could be, 0 to 1; None for fewer than two places."""
    found = list(counts)
    total = sum(found)
    if len(found) < 2 or not total:
        return None
    shares = [count / total for count in found if count]
    return sum(-share * math.log(share) for share in shares) / math.log(len(found))


def _ngrams(text: Sequence[str], size: int) -> Iterable[tuple[str, ...]]:
    return zip(*(text[start:] for start in range(size)), strict=False)


def _distinct(texts: Sequence[Sequence[str]], size: int) -> float:
    found = Counter(gram for text in texts for gram in _ngrams(text, size))
    return len(found) / found.total() if found else 0.0


def _self_bleu(texts: Sequence[Sequence[str]]) -> float:
    grams = [[Counter(_ngrams(text, size)) for size in range(1, _LONGEST + 1)] for text in texts]
    most = [_two_most(one[size] for one in grams) for size in range(_LONGEST)]
    lengths = sorted(map(len, texts))
    scores = [_bleu(one, len(text), most, lengths) for one, text in zip(grams, texts, strict=True)]
    return sum(scores) / len(scores)


def _two_most(texts: Iterable[Counter[tuple[str, ...]]]) -> dict[tuple[str, ...], tuple[int, int]]:
    """The two largest counts of each n-gram in any text: the largest in the others is one of them."""
    most: dict[tuple[str, ...], tuple[int, int]] = {}
    for counts in texts:
        for gram, count in counts.items():
            first, second = most.get(gram, (0, 0))
            most[gram] = (count, first) if count > first else (first, max(second, count))
    return most


def _bleu(
    grams: _Grams, length: int, most: Sequence[Mapping[tuple[str, ...], tuple[int, int]]], lengths: Sequence[int]
) -> float:
    logarithms = []
    for own, found in zip(grams, most, strict=True):
        if not own:
            break
        matched = sum(
            min(count, found[gram][1] if count == found[gram][0] else found[gram][0]) for gram, count in own.items()
        )
        logarithms.append(math.log((matched or _SMALLEST) / own.total()))
    others = list(lengths)
    others.remove(length)
    nearest = min(others, key=lambda other: (abs(other - length), other))
    brevity = min(0.0, 1 - nearest / length)
    return math.exp(sum(logarithms) / len(logarithms) + brevity)


def _vendi(texts: Sequence[Sequence[str]]) -> float:
    """From the cosine similarity of the texts as sets of words."""
    column: dict[str, int] = {}
    places = [(row, column.setdefault(word, len(column))) for row, text in enumerate(texts) for word in set(text)]
    matrix = np.zeros((len(texts), len(column)), np.float32)
    matrix[tuple(zip(*places, strict=True))] = 1
    matrix /= np.linalg.norm(matrix, axis=1, keepdims=True)
    values = np.linalg.eigvalsh((matrix @ matrix.T).astype(np.float64) / len(texts))
    positive = values[values > 1e-12]
    return float(np.exp(-np.sum(positive * np.log(positive))))
