"""Two results are the same or not, whatever they are made of; a comparison that gets out of hand harms no other."""

import os
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from glan.checking import agreement
from glan.checking.results import result_of


def verdict(first: str, second: str) -> str:
    result = result_of(f"\\boxed{{{first}}}")
    assert result is not None
    return agreement.compare(result, f"\\boxed{{{second}}}").verdict


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("42", "42.0", "agree"),
        ("\\frac{1}{2}", "0.5", "agree"),
        ("(x+1)^2", "x^2 + 2x + 1", "agree"),
        ("9.81 \\text{ m/s}^2", "9.8 \\text{ m/s}^2", "agree"),
        ("1/3", "0.333", "agree"),
        ("12\\%", "0.12", "agree"),
        ("2.5e3", "2500", "agree"),
        ("x = 5", "5", "agree"),
        ("12 N", "12", "agree"),
        ("42", "43", "disagree"),
        ("-3", "3", "disagree"),
        ("\\sqrt{2}", "1.5", "disagree"),
        ("2x + 3", "2x - 3", "disagree"),
        ("5 km", "5000 m", "not_checked"),
        ("42", "\\text{none}", "not_checked"),
        ("3 + *", "4 + *", "not_checked"),
    ],
)
def test_results_are_compared_as_mathematics(first: str, second: str, expected: str) -> None:
    assert verdict(first, second) == expected


def test_what_was_compared_is_told() -> None:
    result = result_of("So F = 12 N.")
    assert result is not None
    assert agreement.compare(result, "It follows that F = 13 N.").detail == "12 N; 13 N"


def test_one_that_never_ends_is_given_up_and_the_next_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    verdict("42", "43")  # a worker is there
    monkeypatch.setattr(agreement, "SECONDS", 1.0)
    assert verdict("10^{10^{10^{10}}}", "3^{3^{3^{3^{3}}}}") == "not_checked"
    monkeypatch.undo()
    assert verdict("42", "43") == "disagree"


def test_workers_that_are_killed_are_replaced_and_threads_share_them() -> None:
    assert verdict("42", "43") == "disagree"
    for worker in workers():
        os.kill(worker, signal.SIGKILL)
    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(lambda n: verdict(f"{n}", f"{n % 5}.0"), range(10)))
    assert told == ["agree"] * 5 + ["disagree"] * 5
    assert 1 <= len(workers()) <= (os.cpu_count() or 1)


def workers() -> list[int]:
    """The processes that compare for this one."""
    listed = subprocess.run(
        ["ps", "-o", "pid=,args=", "--ppid", str(os.getpid())], capture_output=True, text=True, check=True
    )
    return [int(line.split()[0]) for line in listed.stdout.splitlines() if "glan.checking.comparer" in line]


def test_workers_know_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    for worker in workers():
        os.kill(worker, signal.SIGKILL)
    verdict("42", "43")
    for worker in workers():
        assert b"sk-secret" not in Path(f"/proc/{worker}/environ").read_bytes()
