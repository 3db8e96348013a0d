"""Public prices of providers, by the package genai-prices and the data it carries: no network. Its only importer."""

import datetime
import functools
from collections.abc import Collection, Mapping
from importlib.metadata import version
from typing import TYPE_CHECKING

from glan.clock import Clock
from glan.gateway.prices import PublicPrices, Rate, Tariff

if TYPE_CHECKING:
    from decimal import Decimal

    from genai_prices.types import ModelPrice, TieredPrices

_PACKAGE = "genai-prices"
_BATCH = {"processing": "batch"}
_FURTHER = ("requests_kcount", "output_reasoning_mtok", "output_citation_mtok")
"""What some models cost besides, of which the usage of a chat completion does not tell: their price is unknown."""


def public_prices(addresses: Mapping[str, Collection[str]], otherwise: str, clock: Clock) -> PublicPrices:
    """The list as it holds for the endpoints in use.

    A price is known only at the provider's own address: what another server takes for a model of the same name nobody
    knows, a server on this machine included. `addresses` are those that a model is asked at, `otherwise` that of all
    models not named there. A model that is asked at several has a price if it is the same at all of them.
    """

    @functools.lru_cache(maxsize=256)
    def at(model: str, batch: bool, moment: datetime.datetime) -> Tariff | None:
        found = [_tariff(model, url, batch, moment) for url in addresses.get(model) or [otherwise]]
        return found[0] if all(one == found[0] for one in found) else None

    def tariff(model: str, batch: bool) -> Tariff | None:
        return at(model, batch, clock().replace(second=0, microsecond=0))  # some prices hold at certain times only

    return PublicPrices(f"{_PACKAGE} {version(_PACKAGE)}", tariff)


def _tariff(model: str, url: str, batch: bool, moment: datetime.datetime) -> Tariff | None:
    if not url.startswith("https://"):  # no provider's; the import takes a while
        return None
    from genai_prices import Usage, calc_price

    try:
        found = calc_price(
            Usage(),
            model,
            provider_api_url=url,
            genai_request_timestamp=moment,
            price_context=_BATCH if batch else None,
        )
    except LookupError:
        return None
    if batch and not any(variant.when == _BATCH for variant in found.model.price_variants or ()):
        return None
    return _rates(found.model_price)


def _rates(price: "ModelPrice") -> Tariff | None:
    """One rate for each length of prompt at which a price changes; None if a price of tokens is missing."""
    from genai_prices.types import TieredPrices

    sent, received = price.input_mtok, price.output_mtok
    if sent is None or received is None or any(getattr(price, name) is not None for name in _FURTHER):
        return None
    cached = sent if price.cache_read_mtok is None else price.cache_read_mtok
    steps = {
        -1,
        *(tier.start for one in (sent, cached, received) if isinstance(one, TieredPrices) for tier in one.tiers),
    }
    return [Rate(_beyond(sent, step), _beyond(cached, step), _beyond(received, step), step) for step in sorted(steps)]


def _beyond(price: "Decimal | TieredPrices", tokens: int) -> float:
    """The price of a prompt that is longer than so many tokens."""
    from genai_prices.types import TieredPrices

    if not isinstance(price, TieredPrices):
        return float(price)
    reached = [tier.price for tier in price.tiers if tier.start <= tokens]  # in ascending order
    return float(reached[-1] if reached else price.base)
