"""Our decks beside plain random draws (paper, section 2.4): what the same number of questions reaches of a syllabus.

python -m bench.sampling [--sessions 20] [--concepts 5] [--syllabi 200] [--questions 10 20 50 200] [--json]
"""

import argparse
import json
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from statistics import fmean

from glan.stages.sampling.decks import MOST_CONCEPTS, samples

Pick = tuple[tuple[int, ...], tuple[str, ...]]
"""Session indexes and concepts of one question."""

SHARE = 0.5


@dataclass(frozen=True)
class Reached:
    """Means over syllabi, after so many questions each: shares in [0, 1]."""

    sampler: str
    questions: int
    sessions: float
    concepts: float
    repeated: float


def at_random(sessions: Sequence[Sequence[str]], chance: random.Random) -> Iterator[Pick]:
    """Independent draws: a session and 1-5 of its concepts, or two sessions and 2-5 of theirs."""
    while True:
        chosen = chance.sample(range(len(sessions)), 2 if chance.random() < SHARE else 1)
        pool = [concept for session in chosen for concept in sessions[session]]
        size = chance.randint(len(chosen), min(MOST_CONCEPTS, len(pool)))
        yield tuple(sorted(chosen)), tuple(sorted(chance.sample(pool, size)))


def dealt(sessions: Sequence[Sequence[str]], seed: int, count: int) -> Iterator[Pick]:
    """The decks of this project."""
    for sample in samples(sessions, seed, SHARE, 0, count):
        yield sample.session_indexes, tuple(sorted(sample.key_concepts))


def reached(picks: Iterable[Pick], sessions: Sequence[Sequence[str]]) -> tuple[float, float, float]:
    """Shares of the sessions and of the concepts that questions are about, and of questions on a set that came before."""
    found = list(picks)
    concepts = {concept for _, names in found for concept in names}
    about = {session for indexes, _ in found for session in indexes}
    whole = sum(map(len, sessions))
    return len(about) / len(sessions), len(concepts) / whole, 1 - len(set(found)) / len(found)


def measure(sessions: int, concepts: int, syllabi: int, questions: int) -> list[Reached]:
    """Both samplers on the same syllabi."""
    syllabus = [[f"{session}.{number}" for number in range(concepts)] for session in range(sessions)]
    plain = [reached(islice(at_random(syllabus, random.Random(n)), questions), syllabus) for n in range(syllabi)]
    ours = [reached(dealt(syllabus, n, questions), syllabus) for n in range(syllabi)]
    return [
        Reached(name, questions, *(fmean(column) for column in zip(*shares, strict=True)))
        for name, shares in (("plain random", plain), ("glan", ours))
    ]


def main() -> None:
    """Print the table, or with --json one document."""
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--sessions", type=int, default=20, help="class sessions of a syllabus")
    options.add_argument("--concepts", type=int, default=5, help="key concepts of a session")
    options.add_argument("--syllabi", type=int, default=200, help="how many syllabi the means are taken over")
    options.add_argument("--questions", type=int, nargs="+", default=[10, 20, 50, 200], help="questions of a syllabus")
    options.add_argument("--json", action="store_true")
    given = options.parse_args()
    rows = [row for count in given.questions for row in measure(given.sessions, given.concepts, given.syllabi, count)]
    if given.json:
        print(json.dumps([asdict(row) for row in rows], indent=2))
        return
    print(f"{given.sessions} sessions of {given.concepts} concepts, means over {given.syllabi} syllabi")
    print(f"{'questions':>9}  {'sampler':<12}  {'sessions':>8}  {'concepts':>8}  {'repeated sets':>13}")
    for row in rows:
        figures = f"{row.sessions:>8.1%}  {row.concepts:>8.1%}  {row.repeated:>13.1%}"
        print(f"{row.questions:>9}  {row.sampler:<12}  {figures}")


if __name__ == "__main__":
    main()
