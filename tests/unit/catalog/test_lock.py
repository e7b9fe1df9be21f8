"""The lock: the same bytes for the same prices, and the same prices back."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from offtake.catalog.catalog import Catalog
from offtake.catalog.list_price import BandPrice, Offer, PriceCell
from offtake.catalog.lock import Lock, diff, read_lock, write_lock
from offtake.store.catalogs import open_catalog, open_lock
from offtake.values.errors import CatalogError, ContractError
from offtake.values.yaml_text import read_yaml

OFFERS = [
    Offer("claude-opus-4-7", "anthropic"),
    Offer("claude-opus-4-6", "anthropic", "batch", region="us"),
    Offer("deepseek-v4-pro", "deepseek"),
    Offer("gemini-3.1-pro-preview", "google"),
    Offer("claude-opus-4-5", "anthropic", access="bedrock", region="us-east-1"),
]


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return open_catalog()


def locked(text: str) -> Lock:
    return read_lock(*read_yaml(text, "prices.lock.yaml"))


def test_what_was_locked_is_read_back(catalog: Catalog) -> None:
    lock = locked(write_lock(catalog, OFFERS, {"gemini-3.1-pro": "gemini-3.1-pro-preview"}))
    for offer in OFFERS:
        asked = (offer.model, offer.vendor, offer.channel, offer.access, offer.region)
        assert catalog.cells(*asked) == lock.cells(*asked)
        assert catalog.resolve(offer.model, offer.vendor) == lock.resolve(offer.model)
    assert "gemini-3.1-pro-preview" == lock.resolve("gemini-3.1-pro").id
    assert [] == diff(lock, catalog)


def test_the_same_prices_give_the_same_bytes(catalog: Catalog) -> None:
    assert write_lock(catalog, OFFERS) == write_lock(open_catalog(), [*reversed(OFFERS), OFFERS[0]])


def test_the_text_can_be_read_by_people(catalog: Catalog) -> None:
    text = write_lock(catalog, [Offer("gpt-5.4", "openai")])
    assert "\n      input_tokens: {base: 2.5, above: [{over: 272000, price: 5}]}\n" in text
    assert '\n    source: "genai-prices 0.2.3 gpt-5.4"\n' in text
    assert "\n    from: 2026-03-05\n" in text


def test_a_lock_answers_only_for_what_it_holds(catalog: Catalog) -> None:
    lock = locked(write_lock(catalog, OFFERS))
    assert () == lock.cells("claude-opus-4-7", "anthropic", "batch", "api", "global")
    with pytest.raises(CatalogError) as caught:
        lock.resolve("gpt-5.4")
    assert "K301" == caught.value.code


def test_a_locked_price_wins_over_the_catalogue(catalog: Catalog, tmp_path: Path) -> None:
    text = write_lock(catalog, OFFERS).replace("output_tokens: 25\n", "output_tokens: 26\n")
    path = tmp_path / "prices.lock.yaml"
    path.write_text(text)
    both = open_catalog(lock=path)
    cells = both.cells("claude-opus-4-7", "anthropic", "realtime", "api", "global")
    assert Decimal(26) == cells[0].prices["output_tokens"].base * 1_000_000
    live = both.cells("gpt-5.4", "openai", "realtime", "api", "global")
    assert Decimal("2.5") == live[0].prices["input_tokens"].base * 1_000_000
    assert both.version.endswith(open_lock(path).version)
    changes = [str(change) for change in diff(open_lock(path), catalog)]
    assert ["claude-opus-4-7 output_tokens (realtime, api, global): 26 → 25"] == changes


def test_diff_names_what_is_gone_and_what_is_new(catalog: Catalog) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    gone = PriceCell(start, None, None, {"input_tokens": BandPrice(Decimal("0.000003"))}, "test")
    lock = Lock({Offer("grok-4.1", "x-ai"): (gone,)}, {}, {}, "lock")
    assert ["grok-4.1 input_tokens (realtime, api, global) from 2026-01-01: 3 → no longer listed"] == [
        str(change) for change in diff(lock, catalog)
    ]


@pytest.mark.parametrize(
    ("text", "code", "where"),
    [
        ("contract: x\n", "K321", "1:1"),
        ("lock: 1\ncatalog: x\nmodels: []\nprices:\n  - {model: m}\n", "K322", "5:5"),
        ("lock: 1\ncatalog: x\nmodels: []\nprices: 3\n", "K322", "1:1"),
        (
            "lock: 1\nmodels: []\nprices:\n  - {model: m, vendor: v, channel: batch, access: api, region: global,"
            " source: s, prices: {input_tokens: x}}\n",
            "K322",
            "4:5",
        ),
    ],
)
def test_a_damaged_lock_says_where(text: str, code: str, where: str) -> None:
    with pytest.raises(ContractError) as caught:
        locked(text)
    assert code == caught.value.code
    assert f"prices.lock.yaml:{where}:" in str(caught.value)
