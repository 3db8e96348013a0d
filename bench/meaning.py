"""What it costs to look for duplicates by meaning, by part and question, beside making its signature for the pass by words.

Wall time of one process on all cores, and its peak of memory. The questions are those of `bench.near_duplicates`; they are
taken as one discipline. Comparing grows with the square of a discipline, the rest with its size.

    python -m bench.meaning MODEL [--questions 50000] [--cosine 0.9] [--json]

MODEL: a folder or Hub name, as in `embedding_model` (`pip install 'glan[embeddings]'`).
"""

import argparse
import json
import resource
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from bench.near_duplicates import PORTION, questions
from glan.config import Curation
from glan.curation import cosine
from glan.curation.embedding import Embedding
from glan.curation.meaning import class_of
from glan.curation.signatures import signature

_Found = TypeVar("_Found")
_LETTERS = str.maketrans("0123456789", "ghijklmnop")  # questions with other numbers would not be compared


@dataclass(frozen=True)
class Cost:
    """One part: milliseconds a question, and how many signatures could have been made meanwhile."""

    part: str
    milliseconds: float
    ratio: float


def measured(name: str, count: int, least: float) -> tuple[list[Cost], int]:
    """The parts of the pass over so many questions of one discipline, and how many of them go."""
    texts = [str(row["text"]).translate(_LETTERS) for row in questions(count, seed=1)]
    model = Embedding(Curation(embedding_model=name))
    signed, _ = _timed(lambda: [signature(text) for text in texts])
    spent, classes = _timed(lambda: np.array([class_of(text, None) for text in texts], np.uint64))
    parts = {"signature (by words)": signed, "numbers and negations": spent}
    with tempfile.TemporaryDirectory() as folder:
        shape = count, model.dimensions
        vectors: Any = np.memmap(Path(folder) / "vectors", np.int16, "w+", shape=shape)
        parts["embedding"], _ = _timed(lambda: _embed(model, texts, vectors))
        worth = np.arange(count)
        parts["comparing"], near = _timed(lambda: cosine.near(vectors, classes, worth, least))
    costs = [Cost(part, 1000 * seconds / count, seconds / signed) for part, seconds in parts.items()]
    return costs, len(near.gone)


def _embed(model: Embedding, texts: list[str], vectors: Any) -> None:
    for start in range(0, len(texts), PORTION):
        vectors[start : start + PORTION] = model.vectors(texts[start : start + PORTION])


def _timed(work: Callable[[], _Found]) -> tuple[float, _Found]:
    started = time.perf_counter()
    found = work()
    return time.perf_counter() - started, found


def main() -> None:
    """Print the table, or with --json one document."""
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("model")
    options.add_argument("--questions", type=int, default=50_000)
    options.add_argument("--cosine", type=float, default=0.9)
    options.add_argument("--json", action="store_true")
    given = options.parse_args()
    costs, gone = measured(given.model, given.questions, given.cosine)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if given.json:
        print(json.dumps({"parts": [asdict(one) for one in costs], "gone": gone, "peak_mib": peak}, indent=2))
        return
    print(f"{given.questions:,} questions of one discipline, {gone:,} go; peak {peak:,.0f} MiB")
    print(f"{'':<24}  {'ms a question':>13}  {'of a signature':>14}")
    for one in costs:
        print(f"{one.part:<24}  {one.milliseconds:>13.4f}  {one.ratio:>13.1f}x")


if __name__ == "__main__":
    main()
