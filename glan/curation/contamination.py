"""Whether a question or an answer holds an item of a benchmark: verbatim, with words or numbers changed, cut, or as code.

Texts are compared as words (`curation.words`). An item is found in a text by any of these, the first that fits:

- `exact`: the question is an item too short for n-grams; of a short question with choices, only together with these;
- `verbatim`: the text holds enough of the item's 8-grams, or the question lies in the item with nearly all its own;
- `reworded`: enough of the item's words stand in runs of four and more that the text has too;
- `template`: the same, once every number is masked;
- `code`: the text defines the item's function, under a name of three words or more, or with half its docstring.

Numbers of words are of one text: nothing depends on other rows, so verdicts are made and remade unit by unit.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glan.config import Curation
from glan.curation import code
from glan.curation.benchmarks import Item, kept
from glan.curation.choices import without_labels
from glan.curation.examples import Example
from glan.curation.words import words
from glan.store.files import Files

CODE = "contaminated"
"""The reason of a row that holds a benchmark item."""

VERSION = 3
"""Raised by whoever changes what is found: units judged before are judged again."""

NGRAM = 8
_RUN = 4  # words of the shortest run that counts as kept in a reworded item
_SHORT = 16  # words of an item in which hardly a word may differ
_STRICT = 0.9  # coverage of such an item, and of one that is read with its choices
_BARE = 12  # words of a question from which it counts without its choices; "Which of these is true?" is anybody's
_OWN = 0.8  # share of a question's own 8-grams within one item
_OWN_WORDS = 12  # of a question that is compared in this way
_LONG_ANSWER = 20  # words of a solution that is looked for
_COMMON = 50  # items that share a run of four, beyond which it points to none of them
_LIKELY = 0.15  # share of an item's runs of four that make it worth a closer look
_SHOWN = 5  # n-grams that stay on a row
_MASK = "#"
_TEMPLATE_WORDS = 10  # of an item besides its numbers, below which half of all sums would be one template

_MARKS = re.compile(r"<<[^<>\n]*=[^<>\n]*>>|^####[ \t]*[-+$]?\d[\d.,]*\s*\Z", re.MULTILINE)

_Numbers = NDArray[Any]
_Hashes = NDArray[np.uint64]
_FACTORS = np.random.default_rng(20_240_220).integers(1, 2**63, NGRAM, dtype=np.uint64) * 2 + 1


@dataclass(frozen=True, slots=True)
class Match:
    """A benchmark item found in one part of an example. `overlap`: the share, in (0, 1], that decided."""

    benchmark: str
    item: str
    overlap: float
    match: str
    part: str
    ngrams: tuple[str, ...] = ()

    def row(self) -> dict[str, Any]:
        """As the column `contamination`."""
        names = ("benchmark", "item", "overlap", "match", "part")
        return {**{name: getattr(self, name) for name in names}, "ngrams": list(self.ngrams)}


@dataclass(frozen=True, slots=True)
class _Found:
    text: int  # number of the indexed text
    overlap: float
    match: str
    ngrams: tuple[str, ...]


class Contamination:
    """An index of benchmark items, in memory: about 200 bytes for each of their words. Safe to use from many threads."""

    def __init__(self, items: Sequence[Item], settings: Curation) -> None:
        self._items = items
        self._settings = settings
        texts = [(number, text) for number, item in enumerate(items) for text in _texts(item)]
        self._owners = [number for number, _ in texts]
        found = [words(text) for _, text in texts]
        with_choices = [text == _with_choices(items[number]) for number, text in texts]
        self._plain = _Index(found, with_choices)
        self._masked = _Index([_template(one) for one in found], with_choices)
        self._first = {number: place for place, number in reversed(list(enumerate(self._owners)))}
        self._short = {
            " ".join(one): number for (number, _), one in zip(texts, found, strict=True) if 0 < len(one) < NGRAM
        }
        self._functions: dict[str, list[int]] = {}
        for number, item in enumerate(items):
            if item.signature:
                self._functions.setdefault(item.signature, []).append(number)

    def match(self, example: Example) -> Match | None:
        """The item that an example holds; None if it is clean."""
        if not self._items:
            return None
        for part, spoken in (("question", example.asked.words), ("answer", _said(example))):
            if part == "question" and (found := self._exact(spoken) or self._options(example.question)):
                return found
            if seen := self._find(spoken, whole=part == "question"):
                return self._named(self._owners[seen.text], seen.overlap, seen.match, part, seen.ngrams)
        return self._code(example.question, example.answer)

    def _exact(self, spoken: Sequence[str]) -> Match | None:
        text = " ".join(spoken)
        number = self._short.get(text)
        return None if number is None else self._named(number, 1.0, "exact", "question", (text,))

    def _find(self, spoken: list[str], whole: bool) -> _Found | None:
        found = self._plain.verbatim(spoken, self._settings, whole) or self._plain.reworded(spoken, self._settings)
        if found or not _has_number(spoken):
            return found
        masked = _masked(spoken)
        found = self._masked.verbatim(masked, self._settings) or self._masked.reworded(masked, self._settings)
        return found and replace(found, match="template")

    def _options(self, question: str) -> Match | None:
        """An item with its choices, by a question without the labels of its options, which no benchmark has.

        Nearly all of it has to be there: "I only, II only, both, neither" stands below many questions.
        """
        if not (spoken := words(without_labels(question))):
            return None
        if exact := self._exact(spoken):
            return exact
        found = self._find(spoken, whole=False)
        if found is None or found.overlap < _STRICT:
            return None
        return self._named(self._owners[found.text], found.overlap, found.match, "question", found.ngrams)

    def _code(self, question: str, answer: str) -> Match | None:
        for part, text in (("question", question), ("answer", answer)):
            for signature in code.signatures(text) if self._functions else ():
                for number in self._functions.get(signature, ()):
                    said = self._said(number, f"{question}\n{answer}")
                    if code.is_telling(signature) or said >= self._settings.max_benchmark_overlap:
                        return self._named(
                            number, max(said, 1.0 * code.is_telling(signature)), "code", part, (signature,)
                        )
        return None

    def _said(self, number: int, text: str) -> float:
        """The share of the words of an item's question that stand in runs of four in a text."""
        return self._plain.coverage(self._first[number], _Windows(self._plain.ids(words(text)), _RUN).hashes)

    def _named(self, number: int, overlap: float, match: str, part: str, ngrams: tuple[str, ...]) -> Match:
        item = self._items[number]
        return Match(item.benchmark, item.item, round(overlap, 4), match, part, ngrams)


def identity(settings: Curation) -> dict[str, Any]:
    """All that decides what is found in a text, for the keys of the units that are judged by it."""
    return {
        "version": VERSION,
        "items": sorted(benchmark.digest for benchmark in settings.benchmarks),
        "overlap": settings.max_benchmark_overlap,
        "coverage": settings.max_benchmark_coverage,
    }


def _texts(item: Item) -> Iterable[str]:
    """What is looked for: the question, if it is short with its choices or only with these; and a long solution."""
    length = len(words(item.question))
    if not item.choices or length >= _BARE:
        yield item.question
    if item.choices and length < _SHORT:
        yield _with_choices(item)
    answer = _without_marks(item.answer)
    if len(words(answer)) >= _LONG_ANSWER:
        yield answer


def _with_choices(item: Item) -> str:
    return f"{item.question}\n{item.choices}"


def _said(example: Example) -> list[str]:
    plain = _without_marks(example.answer)
    return example.said.words if plain == example.answer else words(plain)


def _without_marks(solution: str) -> str:
    """A solution without the marks of GSM8K: `<<100/2=50>>` behind a sum, `#### 50` at its end."""
    return _MARKS.sub("", solution) if "<<" in solution or "####" in solution else solution


def _has_number(spoken: Iterable[str]) -> bool:
    return any(word[0].isdigit() for word in spoken)


def _template(spoken: Sequence[str]) -> list[str]:
    """The words of a text with its numbers masked; none if it has no number, or too few words besides to be told by."""
    masked = _masked(spoken) if _has_number(spoken) else []
    return masked if sum(word != _MASK for word in masked) >= _TEMPLATE_WORDS else []


def _masked(spoken: Iterable[str]) -> list[str]:
    """The words with one mask for each number, whatever commas and points divide it."""
    masked: list[str] = []
    for word in spoken:
        if not word[0].isdigit():
            masked.append(word)
        elif not masked or masked[-1] != _MASK:
            masked.append(_MASK)
    return masked


def _hashes(ids: _Numbers, size: int) -> tuple[_Hashes, NDArray[np.bool_]]:
    """A hash for each run of so many words, and whether all of them are known to the index."""
    count = max(len(ids) - size + 1, 0)
    hashes = np.zeros(count, np.uint64)
    known = np.ones(count, np.bool_)
    for offset in range(size):
        column = ids[offset : offset + count]
        hashes += column.astype(np.uint64) * _FACTORS[offset]
        known &= column > 0
    return hashes ^ (hashes >> np.uint64(29)), known


class _Windows:
    """The runs of so many words of one text that an index may know, and where each starts."""

    def __init__(self, ids: _Numbers, size: int) -> None:
        hashes, known = _hashes(ids, size)
        self.starts = np.flatnonzero(known)
        self.hashes: _Hashes = hashes[self.starts]


class _Index:
    """Texts by their runs of eight and of four words."""

    def __init__(self, texts: Sequence[Sequence[str]], strict: Sequence[bool]) -> None:
        """`strict`: of which texts nearly all has to be there."""
        self._vocabulary: dict[str, int] = {}
        for text in texts:
            for word in text:
                self._vocabulary.setdefault(word, len(self._vocabulary) + 1)
        self._strict = np.array(strict, np.bool_)
        self._ends = np.cumsum([len(text) for text in texts], dtype=np.int64)
        self._words = self.ids(word for text in texts for word in text)
        self._long = _Postings(self._words, self._ends, NGRAM)
        self._runs = _Postings(self._words, self._ends, _RUN)

    def ids(self, text: Iterable[str]) -> _Numbers:
        """A number for each word; 0 for one that no indexed text has."""
        return np.fromiter((self._vocabulary.get(word, 0) for word in text), np.int32)

    def verbatim(self, spoken: Sequence[str], settings: Curation, whole: bool = False) -> _Found | None:
        """The indexed text of which these words hold enough; `whole`: they may themselves be a piece of it."""
        windows = _Windows(self.ids(spoken), NGRAM)
        numbers, shared = self._long.shared(windows.hashes)
        if not len(numbers):
            return None
        overlap = shared / self._long.sizes[numbers]
        enough = overlap >= self._least(numbers, settings.max_benchmark_overlap)
        if enough.any():
            best = int(np.argmax(overlap * enough))
            text, share = int(numbers[best]), float(overlap[best])
        else:
            own = shared / max(len(spoken) - NGRAM + 1, 1)
            piece = own >= self._least(numbers, _OWN)
            if not (whole and len(spoken) >= _OWN_WORDS and piece.any()):
                return None
            best = int(np.argmax(own * piece))
            text, share = int(numbers[best]), min(float(own[best]), 1.0)
        return _Found(text, share, "verbatim", self._ngrams(text, windows, spoken, NGRAM))

    def reworded(self, spoken: Sequence[str], settings: Curation) -> _Found | None:
        """The indexed text that these words say with few of them changed."""
        windows = _Windows(self.ids(spoken), _RUN)
        numbers, shared = self._runs.shared(windows.hashes, most=_COMMON)
        likely = numbers[shared >= np.maximum(2, _LIKELY * self._runs.sizes[numbers])]
        for number in likely.tolist():
            length = len(self._text(number))
            if length < NGRAM:
                continue
            least = settings.max_benchmark_coverage
            share = self.coverage(number, windows.hashes)
            if share >= (max(least, _STRICT) if length < _SHORT or self._strict[number] else least):
                return _Found(number, share, "reworded", self._ngrams(number, windows, spoken, _RUN))
        return None

    def coverage(self, number: int, hashes: _Hashes) -> float:
        """The share of the words of an indexed text that stand in runs of four which these are the hashes of."""
        ids = self._text(number)
        windows = _Windows(ids, _RUN)
        starts = windows.starts[np.isin(windows.hashes, hashes)]
        covered = np.zeros(len(ids), np.bool_)
        for offset in range(_RUN):
            covered[starts + offset] = True
        return float(covered.mean()) if len(ids) else 0.0

    def _least(self, numbers: _Numbers, least: float) -> NDArray[np.float64]:
        """The share from which each of these texts is found."""
        return np.where(self._strict[numbers], max(least, _STRICT), least)

    def _text(self, number: int) -> _Numbers:
        return self._words[self._ends[number - 1] if number else 0 : self._ends[number]]

    def _ngrams(self, number: int, windows: _Windows, spoken: Sequence[str], size: int) -> tuple[str, ...]:
        """Some of the runs that a text shares with an indexed one, as evidence."""
        shared = np.isin(windows.hashes, _Windows(self._text(number), size).hashes)
        starts = windows.starts[shared][::size][:_SHOWN]
        return tuple(" ".join(spoken[start : start + size]) for start in starts.tolist())


class _Postings:
    """Which of the texts that end at these places have a run: sorted hashes, and for each the numbers of its texts."""

    def __init__(self, ids: _Numbers, ends: _Numbers, size: int) -> None:
        hashes, _ = _hashes(ids, size)
        owners = np.searchsorted(ends, np.arange(len(hashes)), side="right").astype(np.int32)
        inside = np.arange(len(hashes)) + size <= ends[owners] if len(hashes) else np.empty(0, np.bool_)
        hashes, owners = hashes[inside], owners[inside]
        order = np.lexsort((owners, hashes))
        hashes, owners = hashes[order], owners[order]
        once = np.ones(len(hashes), np.bool_)
        once[1:] = (hashes[1:] != hashes[:-1]) | (owners[1:] != owners[:-1])
        hashes, self._owners = hashes[once], owners[once]
        self.sizes = np.bincount(self._owners, minlength=len(ends))
        self._hashes, self._starts, self._counts = np.unique(hashes, return_index=True, return_counts=True)

    def shared(self, hashes: _Hashes, most: int | None = None) -> tuple[_Numbers, _Numbers]:
        """Numbers of the texts that have any of these runs, and how many of them; runs of more than `most` texts aside."""
        wanted = np.unique(hashes)
        places = np.searchsorted(self._hashes, wanted)
        places = np.minimum(places, max(len(self._hashes) - 1, 0))
        hits = places[self._hashes[places] == wanted] if len(self._hashes) else places[:0]
        if most is not None:
            hits = hits[self._counts[hits] <= most]
        if not len(hits):
            return np.empty(0, np.int64), np.empty(0, np.int64)
        counts = self._counts[hits]
        within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        owners = self._owners[np.repeat(self._starts[hits], counts) + within]
        return np.unique(owners, return_counts=True)


def kept_out(files: Files, settings: Curation) -> Contamination:
    """The index of all that the data must not hold: the benchmarks are read from the store, as a run began with them."""
    return Contamination(kept(files, [benchmark.digest for benchmark in settings.benchmarks]), settings)
