"""Public prices are known at the provider's own address only, and never 0 where they are unknown. No network."""

import datetime

import pytest

from glan.gateway.prices import Price, Prices, PublicPrices
from glan.gateway.public_prices import public_prices

OPENAI = "https://api.openai.com/v1"
MILLION = 1_000_000


def listed(otherwise: str = OPENAI, at: str = "2026-11-01T12:00", **addresses: set[str]) -> PublicPrices:
    moment = datetime.datetime.fromisoformat(at).replace(tzinfo=datetime.UTC)
    named = {name.replace("_", "-"): urls for name, urls in addresses.items()}
    return public_prices(named, otherwise, lambda: moment)


def prices(*given: str, **addresses: set[str]) -> Prices:
    return Prices(public=listed(*given, **addresses))


def test_a_call_costs_what_the_provider_asks_for_sent_cached_and_received_tokens() -> None:
    found = prices()
    assert found.cost("gpt-4o-mini", MILLION, 0, 0) == pytest.approx(0.15)
    assert found.cost("gpt-4o-mini", MILLION, MILLION, 0) == pytest.approx(0.075)
    assert found.cost("gpt-4o-mini", 0, 0, MILLION) == pytest.approx(0.6)
    assert found.cost("gpt-3.5-turbo", MILLION, MILLION, 0) == pytest.approx(0.5)  # no price of its own when cached
    assert str(found.source("gpt-4o-mini")).startswith("genai-prices 0.")


def test_a_call_in_batch_mode_costs_what_the_list_says_and_is_unknown_where_it_says_nothing() -> None:
    found = prices()
    for tokens in ((MILLION, 0, 0), (0, 0, MILLION)):
        assert found.batch_cost("gpt-4o-mini", *tokens) == pytest.approx((found.cost("gpt-4o-mini", *tokens) or 0) / 2)
    at_deepseek = prices("https://api.deepseek.com")
    assert at_deepseek.cost("deepseek-chat", MILLION, 0, 0)
    assert at_deepseek.batch_cost("deepseek-chat", MILLION, 0, 0) is None


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:8000/v1",
        "http://localhost:11434/v1",
        "https://10.0.0.5/v1",
        "https://proxy.example.org/https://api.openai.com/v1",
        "http://api.openai.com.example.org/v1",
    ],
)
def test_a_model_of_a_known_name_at_another_address_has_no_price(address: str) -> None:
    found = prices(address)
    assert found.cost("gpt-4o-mini", MILLION, 0, 0) is None
    assert found.source("gpt-4o-mini") is None


def test_a_model_that_nobody_lists_has_no_price() -> None:
    assert prices().cost("teacher", 1, 0, 1) is None


def test_a_model_without_prices_of_both_directions_has_none_rather_than_nothing() -> None:
    assert prices().cost("text-embedding-3-small", MILLION, 0, MILLION) is None


def test_long_prompts_cost_what_they_cost_where_the_price_depends_on_length() -> None:
    found = prices("https://generativelanguage.googleapis.com/v1beta/openai")
    short, long = (found.cost("gemini-2.5-pro", tokens, 0, 0) for tokens in (200_000, 200_001))
    assert short == pytest.approx(0.2 * 1.25)
    assert long == pytest.approx(0.200001 * 2.5)


def test_a_model_asked_at_two_addresses_has_a_price_only_if_it_is_the_same() -> None:
    both = {OPENAI, "http://127.0.0.1:8000/v1"}
    assert prices(OPENAI, gpt_4o_mini=both).cost("gpt-4o-mini", 1, 0, 1) is None
    assert prices("http://127.0.0.1:8000/v1", gpt_4o_mini={OPENAI}).cost("gpt-4o-mini", MILLION, 0, 0)


def test_the_persons_own_table_goes_first_and_may_say_that_a_model_costs_nothing() -> None:
    own = Prices({"gpt-4o-mini": Price(input=0, output=0)}, source="table abc", public=listed())
    assert own.cost("gpt-4o-mini", MILLION, 0, MILLION) == 0
    assert (own.source("gpt-4o-mini"), own.source("teacher")) == ("table abc", None)
    assert str(own.source("gpt-4.1")).startswith("genai-prices ")
