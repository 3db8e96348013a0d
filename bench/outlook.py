"""What ten million pairs take: calls, tokens, money, time, processes, objects, bytes; derived from measured runs.

    python -m bench.whole_run --json > figures.json
    python -m bench.outlook figures.json [--pairs 10000000] [--subjects 125] [--models gpt-4.1 gpt-4.1-mini]
        [--requests-per-minute 10000 30000] [--tokens-per-minute 30000000]

What a unit or a call costs here comes from the figures of the largest run in the file. Tokens of a call are those that
`glan plan` assumes before it has seen any (`glan.planning.experience.USUAL_TOKENS`), as no real teacher was asked;
prices are those of the package genai-prices, at OpenAI's own address. For your models and texts ask `glan plan`.
"""

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from glan.clock import now
from glan.gateway.prices import Prices
from glan.gateway.public_prices import public_prices
from glan.planning.experience import USUAL_TOKENS
from glan.stages.questions import LONGEST_ROUND
from glan.units import Stage

OPENAI = "https://api.openai.com/v1"
DISCIPLINES, LISTS = 126, 10  # of the paper


@dataclass(frozen=True)
class Shape:
    """A data set to be: how many calls each stage makes for it."""

    pairs: int
    subjects: int  # of a discipline

    @property
    def calls(self) -> dict[Stage, int]:
        """Lists in two steps, syllabi in two steps, a call for each question and for each answer."""
        syllabi = DISCIPLINES * self.subjects
        return {
            "subjects": 2 * LISTS * DISCIPLINES,
            "syllabi": 2 * syllabi,
            "questions": self.pairs,
            "answers": self.pairs,
        }

    @property
    def units(self) -> int:
        """Tasks of Prefect, and objects before `compact`: lists, syllabi, and three stages of each round."""
        each = self.pairs / DISCIPLINES / self.subjects
        rounds = -(-each // LONGEST_ROUND)
        return round(DISCIPLINES * (1 + self.subjects * (1 + 3 * rounds)))


def calls_and_money(shape: Shape, models: list[str]) -> Iterator[str]:
    """By stage: calls and tokens; by model: what all of it costs, called at once and in batches."""
    prices = Prices.load(None, public_prices({}, OPENAI, now))
    yield f"{'stage':<12} {'calls':>12} {'tokens sent':>16} {'received':>16}"
    sums = [0, 0, 0]
    for stage, calls in shape.calls.items():
        sent, received = (calls * each for each in USUAL_TOKENS[stage])
        sums = [one + more for one, more in zip(sums, (calls, sent, received), strict=True)]
        yield f"{stage:<12} {calls:>12,} {sent:>16,} {received:>16,}"
    yield f"{'all':<12} {sums[0]:>12,} {sums[1]:>16,} {sums[2]:>16,}\n"
    yield f"{'model':<24} {'at once':>14} {'in batches':>14}"
    for model in models:
        costs = [_cost(shape, way, model) for way in (prices.cost, prices.batch_cost)]
        yield f"{model:<24} " + " ".join(f"{'unknown':>14}" if one is None else f"{one:>10,.0f} USD" for one in costs)


def _cost(shape: Shape, price: Any, model: str) -> float | None:
    costs = [price(model, USUAL_TOKENS[stage][0], 0, USUAL_TOKENS[stage][1]) for stage in shape.calls]
    if None in costs:
        return None
    return float(sum(one * calls for one, calls in zip(costs, shape.calls.values(), strict=True)))


def times(shape: Shape, calls_a_second: float, requests: list[int], tokens: list[int]) -> Iterator[str]:
    """How long all calls take at an account's limits, and how many processes it takes to reach them."""
    calls = sum(shape.calls.values())
    sent = sum(calls * sum(USUAL_TOKENS[stage]) for stage, calls in shape.calls.items())
    limits = [(f"{limit:,} requests a minute", calls / limit, limit / 60) for limit in requests]
    limits += [(f"{limit:,} tokens a minute", sent / limit, calls / sent * limit / 60) for limit in tokens]
    limits.append(("no limit, one process", calls / calls_a_second / 60, calls_a_second))
    yield f"{'limit':<32} {'days':>6} {'calls/s':>8} {'processes':>9}"
    for name, minutes, rate in limits:
        yield f"{name:<32} {minutes / 1440:>6.1f} {rate:>8.0f} {-(-rate // calls_a_second):>9.0f}"


def store(shape: Shape, figures: dict[str, Any]) -> Iterator[str]:
    """Objects, bytes, records of Prefect, and the time of the commands that read everything."""
    largest = max(one["questions"] for one in figures["commands"])
    of = {one["command"]: one for one in figures["commands"] if one["questions"] == largest}
    larger = shape.pairs / largest
    count = figures["stores"][str(largest)]
    written, merged = of["verify"], of["compact"]
    yield f"task runs of Prefect   {shape.units:>12,}"
    yield f"their records          {shape.units * count['database bytes'] / count['task runs'] / 1e9:>12.1f} GB"
    yield f"objects                {written['objects'] * larger:>12,.0f}"
    yield f"bytes                  {written['megabytes'] * larger / 1000:>12.0f} GB"
    yield f"bytes after compact+gc {(merged['megabytes'] - written['megabytes']) * larger / 1000:>12.0f} GB"
    yield f"\n{'command':<12} {'hours of CPU':>12}  peak MB at {largest:,} pairs"
    for name in ("status", "report", "publish", "verify", "compact"):
        one = of[name]
        yield f"{name:<12} {one['cpu_seconds'] * larger / 3600:>12.1f}  {one['peak_mb']:,.0f}"


def main() -> None:
    """Print it all."""
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("figures", type=Path, help="what bench.whole_run --json printed")
    options.add_argument("--pairs", type=int, default=10_000_000)
    options.add_argument("--subjects", type=int, default=125, help="of a discipline")
    options.add_argument("--models", nargs="+", default=["gpt-4.1", "gpt-4.1-mini", "gpt-4.1-nano", "gpt-4o-mini"])
    options.add_argument("--requests-per-minute", type=int, nargs="*", default=[10_000, 30_000])
    options.add_argument("--tokens-per-minute", type=int, nargs="*", default=[30_000_000, 150_000_000])
    given = options.parse_args()
    figures = json.loads(given.figures.read_text())
    shape = Shape(given.pairs, given.subjects)
    largest = max(figures["stores"], key=int)
    run = next(one for one in figures["commands"] if one["command"] == "run" and one["questions"] == int(largest))
    rate = sum(figures["stores"][largest]["calls"].values()) / run["seconds"]
    parts = (
        calls_and_money(shape, given.models),
        times(shape, rate, given.requests_per_minute, given.tokens_per_minute),
        store(shape, figures),
    )
    print("\n\n".join("\n".join(part) for part in parts))


if __name__ == "__main__":
    main()
