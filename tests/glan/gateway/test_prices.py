"""The price table: known models cost money, unknown ones cost None, a wrong table is refused."""

from pathlib import Path

import pytest

from glan.errors import InputError
from glan.gateway.prices import Prices


def load(folder: Path, text: str) -> Prices:
    path = folder / "prices.toml"
    path.write_text(text, encoding="utf-8")
    return Prices.load(path)


def test_cached_tokens_have_their_own_price(tmp_path: Path) -> None:
    prices = load(tmp_path, '["gpt-4.1"]\ninput = 2.0\ncached_input = 0.5\noutput = 8\n')
    assert prices.cost("gpt-4.1", 1_000_000, 400_000, 500_000) == pytest.approx(0.6 * 2 + 0.4 * 0.5 + 0.5 * 8)


def test_without_a_cached_price_cached_tokens_cost_as_others(tmp_path: Path) -> None:
    prices = load(tmp_path, "[m]\ninput = 2.0\noutput = 8.0\n")
    assert prices.cost("m", 1_000_000, 400_000, 0) == pytest.approx(2.0)


def test_a_call_in_batch_mode_costs_the_share_that_the_table_says_else_the_whole(tmp_path: Path) -> None:
    prices = load(tmp_path, "[m]\ninput = 2.0\noutput = 8.0\nbatch = 0.5\n[n]\ninput = 2.0\noutput = 8.0\n")
    assert prices.batch_cost("m", 1_000_000, 0, 500_000) == pytest.approx(3.0)
    assert prices.batch_cost("n", 1_000_000, 0, 500_000) == pytest.approx(6.0)


def test_the_table_is_named_by_what_it_says(tmp_path: Path) -> None:
    first = load(tmp_path, "[m]\ninput = 2.0\noutput = 8.0\n").source("m")
    assert first and first.startswith("table ")
    assert load(tmp_path, "# the same\n[m]\ninput = 2\noutput = 8\n").source("m") == first
    assert load(tmp_path, "[m]\ninput = 2.5\noutput = 8.0\n").source("m") != first


def test_more_cached_than_prompt_tokens_never_give_a_negative_price(tmp_path: Path) -> None:
    assert load(tmp_path, "[m]\ninput = 2.0\noutput = 8.0\n").cost("m", 10, 400_000, 0) == pytest.approx(20e-6)


def test_an_unknown_model_costs_none() -> None:
    assert Prices.load(None).cost("m", 1, 0, 1) is None


@pytest.mark.parametrize(
    "text",
    [
        "[gpt-4.1]\ninput = 2.0\noutput = 8.0\n",  # unquoted dots nest
        "[m]\ninput = 2.0\n",
        "[m]\ninput = -1.0\noutput = 8.0\n",
        "[m]\ninput = nan\noutput = 8.0\n",
        '[m]\ninput = "2"\noutput = 8.0\n',
        "[m]\ninput = true\noutput = 8.0\n",
        "[m]\ninput = 2.0\noutput = 8.0\nouput = 1\n",
        "m = 3\n",
        "[m\n",
    ],
)
def test_a_wrong_table_is_refused_by_file_and_fix(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError, match=r"prices\.toml"):
        load(tmp_path, text)


def test_a_missing_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.toml"):
        Prices.load(tmp_path / "nowhere.toml")
