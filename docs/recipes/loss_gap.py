"""The paper's train/test check (section 3.4) over a release: does a model find its own training rows easier than held-out ones?

    python docs/recipes/loss_gap.py data/v1/releases/2026-11.1 --url http://localhost:8000/v1 --model glan-7b

A release with Parquet files is read; the model is scored by any endpoint whose `/completions` echoes a prompt with its
log-probabilities (`echo`, `logprobs`), such as vLLM. A row's loss is the mean of -log p over the tokens of its answer.
The gap is L_test - L_train, by the paper also as a share of L_train: one near zero says that the model has not learned
the training rows by heart. It cannot show that the held-out rows were trained on too, which lowers both.
"""

import argparse
import json
import math
import os
import random
import statistics
import urllib.request
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

QUESTION = "### Question:\n{}\n\n### Answer:\n"
"""How `chat.jinja` beside this file lays out a question."""


def main(given: Sequence[str] | None = None) -> None:
    """Score at most `--rows` rows of train and of test each; print both means with the gap and its standard error."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("release", type=Path, help="folder of a release with Parquet files")
    parser.add_argument("--url", required=True, help="an OpenAI-compatible endpoint, up to /v1")
    parser.add_argument("--model", required=True)
    parser.add_argument("--rows", type=int, default=1_000, help="most rows of each split")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--concurrency", type=int, default=8)
    options = parser.parse_args(given)
    score = partial(loss, options.url.rstrip("/"), options.model)
    losses = {}
    for split in ("train", "test"):
        rows = sampled(options.release, split, options.rows, options.seed)
        if len(rows) < 2:
            parser.error(f"{options.release} has fewer than two rows in {split}; publish it with a held-out set")
        with ThreadPoolExecutor(options.concurrency) as threads:
            losses[split] = [one for one in threads.map(score, rows) if one is not None]
    print(json.dumps(gap(losses["train"], losses["test"]), indent=2))


def sampled(release: Path, split: str, rows: int, seed: int) -> list[tuple[str, str]]:
    """Questions with answers, drawn by the seed; of a conversation the first of both."""
    found: list[list[dict[str, str]]] = []
    for path in sorted((release / "data").glob(f"{split}-*.parquet")):
        found += pq.read_table(path, columns=["messages"])["messages"].to_pylist()
    chosen = random.Random(seed).sample(found, min(rows, len(found)))
    return [(asked["content"], answered["content"]) for asked, answered, *_ in chosen]


def loss(url: str, model: str, row: tuple[str, str]) -> float | None:
    """Mean of -log p (nats a token) over the answer's tokens; None if it has none."""
    prompt = QUESTION.format(row[0])
    body = {"model": model, "prompt": prompt + row[1], "max_tokens": 1, "temperature": 0, "echo": True, "logprobs": 0}
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {os.environ.get('OPENAI_API_KEY', '-')}"}
    request = urllib.request.Request(f"{url}/completions", json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=300) as reply:
        scored: dict[str, Any] = json.load(reply)["choices"][0]["logprobs"]
    end = len(prompt) + len(row[1])  # the one token that was asked for comes after it
    tokens = zip(scored["text_offset"], scored["token_logprobs"], strict=True)
    answer = [-value for offset, value in tokens if len(prompt) <= offset < end and value is not None]
    return statistics.fmean(answer) if answer else None


def gap(train: Sequence[float], test: Sequence[float]) -> dict[str, float]:
    """Both means, their difference (also as a share of train's), and the standard error of the difference."""
    trained, held_out = statistics.fmean(train), statistics.fmean(test)
    error = math.sqrt(statistics.variance(train) / len(train) + statistics.variance(test) / len(test))
    return {
        "train_rows": len(train),
        "test_rows": len(test),
        "train_loss": round(trained, 4),
        "test_loss": round(held_out, 4),
        "gap": round(held_out - trained, 4),
        "gap_share": round((held_out - trained) / trained, 4) if trained else 0.0,
        "standard_error": round(error, 4),
    }


if __name__ == "__main__":
    main()
