"""What it costs to read, judge and sign a question with its answer, by part, beside one plain look for words.

CPU time of one process, the best of some rounds. What rules share is taken apart first and counted by itself.

python -m bench.curation [--rows 200] [--rounds 7] [--paragraphs 1] [--json]
"""

import argparse
import json
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from model_texts import Author

from glan.config import Curation
from glan.curation.examples import Example, tell_languages
from glan.curation.rules import RULES
from glan.curation.signatures import signature_of
from glan.gateway.reading import prose
from glan.stages.shared.question_shape import check

_WORD = re.compile(r"\w+")
_STOP = "stop"


@dataclass(frozen=True)
class Cost:
    """One part: CPU milliseconds a row, and how often a plain look for words would take as long."""

    part: str
    milliseconds: float
    ratio: float


def texts(rows: int, paragraphs: int) -> list[tuple[str, str]]:
    """Questions and answers as the model server writes them; an answer as long as so many of its."""
    return [
        (
            Author(f"question {row}").question(),
            "\n\n".join(Author(f"answer {row} {number}").prose() for number in range(paragraphs)),
        )
        for row in range(rows)
    ]


def parts() -> dict[str, Callable[[Sequence[Example]], Any]]:
    """What is done to the rows of a unit, in this order."""
    question, answer, settings = prose(check), prose(), Curation()
    rules = {f"rule {rule.code}": lambda rows, rule=rule: [rule.check(row, settings) for row in rows] for rule in RULES}
    return {
        "plain look for words": lambda rows: [_WORD.findall(row.question) + _WORD.findall(row.answer) for row in rows],
        "read the replies": lambda rows: [(question(row.question, _STOP), answer(row.answer, _STOP)) for row in rows],
        "words and sentences": lambda rows: [(row.asked.words, row.said.words, row.said.sentences) for row in rows],
        "languages": tell_languages,
        **rules,
        "signature": lambda rows: [signature_of(row.asked.words) for row in rows],
    }


def measured(pairs: Sequence[tuple[str, str]], rounds: int) -> list[Cost]:
    """The costs of all parts, and of the whole without the plain look."""
    best: dict[str, float] = {}
    for _ in range(rounds + 1):  # the first reads the models of languages
        rows = [Example(question, answer, _STOP) for question, answer in pairs]
        for part, work in parts().items():
            begun = time.process_time()
            work(rows)
            spent = 1000 * (time.process_time() - begun) / len(rows)
            best[part] = min(best.get(part, spent), spent)
    plain = next(iter(best.values()))
    best["all but the plain look"] = sum(best.values()) - plain
    return [Cost(part, spent, spent / plain) for part, spent in best.items()]


def main() -> None:
    """Print the table, or with --json one document."""
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--rows", type=int, default=200, help="questions with their answers")
    options.add_argument("--rounds", type=int, default=7, help="of which the best counts")
    options.add_argument("--paragraphs", type=int, default=1, help="answers are as long as so many of the server's")
    options.add_argument("--json", action="store_true")
    given = options.parse_args()
    costs = measured(texts(given.rows, given.paragraphs), given.rounds)
    if given.json:
        print(json.dumps([asdict(cost) for cost in costs], indent=2))
        return
    print(f"{'part':<26}  {'CPU ms a row':>12}  {'ratio':>6}")
    for cost in costs:
        print(f"{cost.part:<26}  {cost.milliseconds:>12.3f}  {cost.ratio:>6.1f}")


if __name__ == "__main__":
    main()
