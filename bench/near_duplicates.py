"""Near-duplicate questions: time, memory, recall and precision on planted pairs, beside datasketch and datatrove.

    python -m bench.near_duplicates --questions 1000000 --peers /path/to/python

The peers run under a Python of their own, with `datasketch`, `datatrove[processing]`, `pyarrow`, `orjson` and `spacy`
installed; without `--peers` only this project is measured. All get the same questions and the same two processes; the
peak of memory is that of all processes of a contender together.

Planted are copies with some words changed. A pair counts as planted if its Jaccard similarity on word 3-grams is 0.8 or
more; just as many come out below and should stay. Recall: of the planted copies, those removed. Precision: of the
questions removed, those whose survivor really is that similar.
"""

import argparse
import contextlib
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from itertools import accumulate, islice
from pathlib import Path

import psutil
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from glan.curation.duplicates import CANDIDATES, duplicates_of
from glan.curation.signatures import banding, signature
from glan.curation.words import grams, jaccard

THRESHOLD = 0.8
PROCESSES = 2
PORTION = 20_000
PEERS = ("datasketch", "datatrove")
OPENINGS = ("What is the role of", "Explain how one would find", "Why does it matter for a student that", "Compare")


@dataclass(frozen=True)
class Outcome:
    """How one contender did."""

    contender: str
    seconds: float
    peak_mib: float
    recall: float
    precision: float


def questions(count: int, seed: int) -> Iterator[dict[str, str | None]]:
    """Questions and, for one in twenty, an earlier one with some words changed (`copy_of`)."""
    chance = random.Random(seed)
    vocabulary = [f"{chance.choice('bcdfglmnprst')}{chance.randrange(36**4):x}" for _ in range(30_000)]
    weights = list(accumulate(1 / (rank + 10) for rank in range(len(vocabulary))))
    earlier: list[tuple[str, list[str]]] = []
    for number in range(count):
        name, copied = f"{number:09d}", None
        if number % 20 == 19:
            copied, before = chance.choice(earlier)
            words = list(before)
            for _ in range(chance.randint(1, 4)):
                words[chance.randrange(len(words))] = chance.choice(vocabulary)
        else:
            words = chance.choice(OPENINGS).split()
            words += chance.choices(vocabulary, cum_weights=weights, k=chance.randint(12, 60))
            if number % 8 == 0:
                earlier.append((name, words))
        yield {"question_id": name, "text": " ".join(words), "copy_of": copied}


def glan(corpus: Path, found: Path) -> None:
    """This project: signatures as the stage makes them, then the pass over them."""
    with ProcessPoolExecutor(PROCESSES) as pool, tempfile.TemporaryDirectory() as scratch:
        duplicates = duplicates_of(_candidates(pool, corpus), lambda ids: _texts(corpus, ids), THRESHOLD, Path(scratch))
    found.write_text(json.dumps(list(duplicates.items())))


def _candidates(pool: ProcessPoolExecutor, corpus: Path) -> Iterator[pa.Table]:
    for batch, signed in _signed(pool, corpus):
        columns = {
            "question_id": batch["question_id"],
            "signature": pa.array(signed, pa.binary()),
            "held": pa.repeat(False, len(batch)),
            "accepted": pa.repeat(False, len(batch)),
            "score": pa.nulls(len(batch), pa.float64()),
        }
        yield pa.table(columns, CANDIDATES)


def _signed(pool: ProcessPoolExecutor, corpus: Path) -> Iterator[tuple[pa.RecordBatch, list[bytes]]]:
    """Portions with their signatures, a few ahead of whoever takes them."""
    waiting = []
    for batch in pq.ParquetFile(corpus).iter_batches(PORTION):
        waiting.append((batch, pool.submit(_signatures, batch["text"].to_pylist())))
        if len(waiting) > 2 * PROCESSES:
            first, signed = waiting.pop(0)
            yield first, signed.result()
    for batch, signed in waiting:
        yield batch, signed.result()


def _signatures(texts: Sequence[str]) -> list[bytes]:
    return [signature(text) for text in texts]


def measured(contender: str, python: str, corpus: Path, planted: Mapping[str, str]) -> Outcome:
    """Run one contender in processes of its own, then judge the pairs (gone, survivor) that it wrote."""
    with tempfile.TemporaryDirectory() as folder:
        found = Path(folder) / "found.json"
        if contender == "glan":
            command = [sys.executable, "-m", "bench.near_duplicates", "--run-glan"]
        else:
            command = [python, str(Path(__file__).parent / "peers" / f"minhash_{contender}.py")]
        layout = [str(number) for number in (PROCESSES, *banding(THRESHOLD))]
        started = time.perf_counter()
        process = psutil.Popen(
            [*command, str(corpus), str(found), *layout], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        peak = _peak_of(process)
        if process.returncode:
            raise SystemExit(f"{contender} ended with {process.returncode}: run `{' '.join(process.args)}` to see why")
        seconds = time.perf_counter() - started
        pairs = dict(json.loads(found.read_text()))
    texts = _texts(corpus, {*pairs, *pairs.values(), *planted, *planted.values()} - {None})
    alike = {gone for gone, of in pairs.items() if of and _alike(texts[gone], texts[of])}
    wanted = [(one, other) for one, other in planted.items() if _alike(texts[one], texts[other])]
    recall = sum(one in pairs or other in pairs for one, other in wanted) / max(1, len(wanted))
    return Outcome(contender, seconds, peak / 2**20, recall, len(alike) / max(1, len(pairs)))


def _peak_of(process: psutil.Popen) -> int:
    """The most memory that a process and its children held together, in bytes, looked at until it ends."""
    peak = 0
    while process.poll() is None:
        with contextlib.suppress(psutil.NoSuchProcess):
            family = [process, *process.children(recursive=True)]
            peak = max(peak, sum(one.memory_info().rss for one in family if one.is_running()))
        time.sleep(0.1)
    return peak


def _texts(corpus: Path, ids: Collection[str]) -> dict[str, str]:
    wanted = pa.array(sorted(ids))
    batches = pq.ParquetFile(corpus).iter_batches(PORTION, columns=["question_id", "text"])
    rows = (batch.filter(pc.is_in(batch["question_id"], wanted)) for batch in batches)
    return {row["question_id"]: row["text"] for batch in rows for row in batch.to_pylist()}


def _alike(one: str, other: str) -> bool:
    return jaccard(grams(one), grams(other)) >= THRESHOLD


def written(count: int, seed: int, corpus: Path) -> dict[str, str]:
    """Write the questions to a file; the planted copies, and of what each is one."""
    planted = {}
    schema = pa.schema([("question_id", pa.string()), ("text", pa.string())])
    with pq.ParquetWriter(corpus, schema) as writer:
        rows = questions(count, seed)
        while portion := list(islice(rows, PORTION)):
            planted.update({str(row["question_id"]): row["copy_of"] for row in portion if row["copy_of"]})
            writer.write_table(pa.Table.from_pylist(portion, schema=schema))
    return planted


def main() -> None:
    """Print the table, or with --json one document."""
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--questions", type=int, default=1_000_000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--peers", metavar="PYTHON", help="a Python with datasketch and datatrove")
    options.add_argument("--json", action="store_true")
    options.add_argument("--run-glan", nargs=5, help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.run_glan:
        glan(Path(given.run_glan[0]), Path(given.run_glan[1]))
        return
    with tempfile.TemporaryDirectory() as folder:
        corpus = Path(folder) / "corpus.parquet"
        planted = written(given.questions, given.seed, corpus)
        contenders = ["glan", *(PEERS if given.peers else ())]
        outcomes = [measured(contender, given.peers, corpus, planted) for contender in contenders]
    if given.json:
        print(json.dumps([asdict(outcome) for outcome in outcomes], indent=2))
        return
    print(f"{given.questions:,} questions, {len(planted):,} planted copies, {PROCESSES} processes")
    print(f"{'':<12}  {'seconds':>8}  {'of glan':>8}  {'peak MiB':>9}  {'recall':>7}  {'precision':>9}")
    for one in outcomes:
        figures = f"{one.seconds:>8.1f}  {one.seconds / outcomes[0].seconds:>7.1f}x  {one.peak_mib:>9,.0f}"
        print(f"{one.contender:<12}  {figures}  {one.recall:>7.3f}  {one.precision:>9.3f}")


if __name__ == "__main__":
    main()
