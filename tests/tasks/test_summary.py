"""The tables of a run: totals that add up, nothing cut without a word, nothing unknown shown as a number."""

import pytest
from stage_world import UNJUDGED

from glan.costs import Spent
from glan.curation.curate import Verdicts
from glan.units import Stage
from tasks.inert import plain
from tasks.progress import Count
from tasks.summary import MOST_LINES, summary


def counts(disciplines: int, cost_usd: float = 0.0) -> dict[tuple[str, Stage], Count]:
    return {
        (f"d{number:04}", stage): Count(known=1, made=1, rows=10, spent=Spent(calls=2, cost_usd=cost_usd))
        for number in range(disciplines)
        for stage in UNJUDGED
    }


def verdicts(disciplines: int) -> Verdicts:
    return Verdicts(kept={f"d{number:04}": 4 for number in range(disciplines)})


@pytest.mark.parametrize(("disciplines", "lines"), [(1, 5), (60, 300), (197, 197), (1_000, 301)])
def test_the_lines_of_any_number_of_disciplines_add_up_to_the_totals(disciplines: int, lines: int) -> None:
    [whole, *rest] = summary(counts(disciplines), verdicts(disciplines))
    stages, below = rest[: len(UNJUDGED)], rest[len(UNJUDGED) :]
    assert len(below) == lines
    for figure in ("rows", "calls", "units made", "cost USD", "quarantined"):
        assert whole[figure] == sum(line[figure] for line in stages) == sum(line[figure] for line in below)
    assert whole["kept"] == 4 * disciplines == sum(line["kept"] or 0 for line in below)
    if disciplines > MOST_LINES:
        assert below[-1]["discipline"] == "and 700 more disciplines"


def test_a_cost_that_is_not_known_in_full_is_never_a_number() -> None:
    mixed = {**counts(2, cost_usd=0.5), ("d0001", "answers"): Count(spent=Spent(calls=1, unpriced=1))}
    lines = {(line["discipline"], line["stage"]): line["cost USD"] for line in summary(mixed, verdicts(2))}
    assert lines["d0001", "answers"] == "unknown"
    assert lines["all", "answers"] == "$0.5000 + 1 call of unknown cost"
    assert lines["all", "all"] == "$4.50 + 1 call of unknown cost"
    assert lines["d0000", "answers"] == 0.5
    assert lines["all", "syllabi"] == 1.0


@pytest.mark.parametrize("text", ["`<b>`", "a | b", "[x](http://evil)", "```\n# head", "![](x)", "\u202eback"])
def test_hostile_text_stays_within_its_span(text: str) -> None:
    shown = plain(text)
    assert shown.startswith("`") and shown.endswith("`") and shown.count("`") == 2
    assert not set("|\n\u202e") & set(shown)
    assert len(plain("x" * 1_000)) < 310
