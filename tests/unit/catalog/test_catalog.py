"""Prices of the catalogue: dates, channels, regions, access forms and the user's files."""

from __future__ import annotations

from datetime import UTC, datetime, time
from decimal import Decimal
from pathlib import Path

import pytest

from offtake.catalog.catalog import Catalog
from offtake.catalog.list_price import BandPrice, PriceCell
from offtake.store.catalogs import open_catalog
from offtake.values.errors import CatalogError, ContractError

EXAMPLE = Path(__file__).parents[3] / "contracts" / "example-catalog.yaml"


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return open_catalog()


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def per_million(
    catalog: Catalog, model: str, at: str, meter: str = "input_tokens", channel: str = "realtime",
    access: str = "api", region: str = "global", context: int = 0, vendor: str = "",
) -> Decimal | None:  # fmt: skip
    facts = catalog.resolve(model, vendor, access)
    for cell in catalog.cells(facts.id, facts.vendor, channel, access, region):
        if cell.holds(instant(at)) and meter in cell.prices:
            return cell.prices[meter].at(context) * 1_000_000
    return None


@pytest.mark.parametrize(
    ("model", "at", "expected"),
    [
        ("gpt-5.6-luna", "2026-07-29T23:59:59", "1"),
        ("gpt-5.6-luna", "2026-07-30", "0.2"),
        ("gemini-4-argon", "2026-11-30", "2"),
        ("gemini-4-argon", "2026-12-01", "4"),
        ("gpt-5.4", "2026-03-05", "2.5"),
    ],
)
def test_prices_change_at_their_dates(catalog: Catalog, model: str, at: str, expected: str) -> None:
    assert Decimal(expected) == per_million(catalog, model, at)


def test_a_threshold_is_strict_and_may_end(catalog: Catalog) -> None:
    assert Decimal(5) == per_million(catalog, "claude-opus-4.6", "2026-03-12", context=200_000)
    assert Decimal(10) == per_million(catalog, "claude-opus-4.6", "2026-03-12", context=200_001)
    assert Decimal(5) == per_million(catalog, "claude-opus-4.6", "2026-03-13", context=200_001)


def test_nothing_was_sold_before_the_launch(catalog: Catalog) -> None:
    assert per_million(catalog, "gpt-5.4", "2026-03-04T23:59:59") is None


@pytest.mark.parametrize(
    ("at", "expected"),
    [("00:59:59", "0.66"), ("01:00", "1.32"), ("04:00", "0.66"), ("09:59", "1.32"), ("23:00", "0.66")],
)
def test_hours_of_the_day_in_utc(catalog: Catalog, at: str, expected: str) -> None:
    assert Decimal(expected) == per_million(catalog, "deepseek-v4-pro", f"2026-11-01T{at}")


@pytest.mark.parametrize(
    ("daily", "inside", "outside"),
    [
        ((time(22), time(6)), ("22:00", "23:59", "00:00", "05:59"), ("06:00", "21:59")),
        ((time(22), time(0)), ("22:00", "23:59"), ("00:00", "21:59")),
        ((time(0), time(6)), ("00:00", "05:59"), ("06:00", "23:00")),
    ],
)
def test_daily_spans_may_cross_midnight(
    daily: tuple[time, time], inside: tuple[str, ...], outside: tuple[str, ...]
) -> None:
    cell = PriceCell(None, None, daily, {}, "test")
    assert [True] * len(inside) == [cell.holds(instant(f"2026-01-01T{each}")) for each in inside]
    assert [False] * len(outside) == [cell.holds(instant(f"2026-01-01T{each}")) for each in outside]


@pytest.mark.parametrize(
    ("model", "at", "meter", "expected"),
    [
        ("claude-opus-4-7", "2024-10-07", "input_tokens", None),
        ("claude-opus-4-7", "2026-05-01", "input_tokens", "2.5"),
        ("claude-opus-4-7", "2026-05-01", "cache_read_tokens", "0.25"),
        ("claude-opus-4-7", "2026-11-01", "output_tokens", "12.5"),
        ("claude-opus-4-7", "2026-05-01", "web_searches", "10000"),
        ("gpt-5.4", "2026-05-01", "input_tokens", "1.25"),
        ("gpt-5.4", "2026-05-01", "cache_read_tokens", "0.125"),
        ("gpt-5.4", "2026-11-01", "cache_read_tokens", "0.13"),
        ("gemini-3.1-pro", "2026-05-01", "input_tokens", "1"),
        ("gemini-3.1-pro", "2026-05-01", "cache_read_tokens", "0.2"),
        ("grok-4.3", "2026-05-01", "input_tokens", None),
        ("gpt-5.6-cyber", "2026-11-01", "input_tokens", None),
    ],
)
def test_batch_is_our_fact_until_it_is_listed(
    catalog: Catalog, model: str, at: str, meter: str, expected: str | None
) -> None:
    found = per_million(catalog, model, at, meter, "batch")
    assert (None if expected is None else Decimal(expected)) == found


@pytest.mark.parametrize(("at", "expected"), [("2026-10-11", None), ("2026-10-12", "5")])
def test_a_channel_that_is_not_listed_at_a_date_has_no_price(catalog: Catalog, at: str, expected: str | None) -> None:
    found = per_million(catalog, "gpt-5.4", at, channel="priority")
    assert (None if expected is None else Decimal(expected)) == found


def test_a_channel_that_a_model_never_lists_has_no_cells(catalog: Catalog) -> None:
    assert () == catalog.cells("claude-opus-4-7", "anthropic", "flex", "api", "global")
    assert () == catalog.cells("gpt-4o", "openai", "batch", "azure", "global")


@pytest.mark.parametrize(
    ("model", "access", "region", "expected"),
    [
        ("claude-opus-4-7", "api", "us", "5.5"),
        ("claude-opus-4-5", "api", "us", "5"),
        ("claude-opus-4-5", "bedrock", "global", "5"),
        ("claude-opus-4-5", "bedrock", "us-east-1", "5.5"),
        ("claude-opus-4-5", "bedrock", "eu", "5.5"),
        ("claude-opus-4-5", "vertex", "europe-west1", "5.5"),
        ("claude-opus-4-1", "vertex", "us-east5", "15"),
        ("gpt-5.4", "api", "eu", "2.75"),
        ("gpt-4.1", "api", "eu", "2"),
        ("gpt-4o", "azure", "global", "2.5"),
        ("claude-opus-4-7", "openrouter", "global", "5"),
    ],
)
def test_access_and_region(catalog: Catalog, model: str, access: str, region: str, expected: str) -> None:
    assert Decimal(expected) == per_million(catalog, model, "2026-09-01", access=access, region=region)


def test_an_uplift_is_on_tokens_only(catalog: Catalog) -> None:
    assert Decimal(10_000) == per_million(catalog, "claude-opus-4-7", "2026-09-01", "web_searches", region="us")


@pytest.mark.parametrize(
    ("offer", "code", "word"),
    [
        (("claude-opus-4-7", "anthropic", "turbo", "api", "global"), "K302", "realtime"),
        (("claude-opus-4-7", "anthropic", "realtime", "telex", "global"), "K303", "bedrock"),
        (("claude-opus-4-7", "anthropic", "realtime", "api", "mars"), "K304", "us"),
        (("gemini-2.5-pro", "google", "realtime", "api", "eu"), "K304", "global"),
        (("claude-3-5-sonnet", "anthropic", "realtime", "bedrock", "global"), "K304", "name the region"),
        (("gpt-4.1", "openai", "realtime", "bedrock", "global"), "K301", "gpt-4.1"),
        (("no-such-model", "anthropic", "realtime", "api", "global"), "K301", "no-such-model"),
    ],
)
def test_what_is_unknown_is_an_error(
    catalog: Catalog, offer: tuple[str, str, str, str, str], code: str, word: str
) -> None:
    with pytest.raises(CatalogError) as caught:
        catalog.cells(*offer)
    assert code == caught.value.code
    assert word in str(caught.value)


def test_reasoning_is_priced_apart_only_where_it_is_listed(catalog: Catalog) -> None:
    opus = catalog.cells("claude-opus-4-7", "anthropic", "realtime", "api", "global")
    sonar = catalog.cells("sonar-deep-research", "perplexity", "realtime", "api", "global")
    assert "reasoning_tokens" not in opus[0].prices
    assert Decimal(3) == sonar[0].prices["reasoning_tokens"].base * 1_000_000


def test_cache_writes_without_a_price_are_plain_input_or_our_fact(catalog: Catalog) -> None:
    assert Decimal("2.5") == per_million(catalog, "gpt-5.4", "2026-09-01", "cache_write_1h_tokens")
    on_bedrock = per_million(
        catalog, "claude-sonnet-4-0", "2026-01-01", "cache_write_1h_tokens", access="bedrock", region="us"
    )
    assert Decimal(6) == on_bedrock


def test_equal_neighbours_are_one_cell(catalog: Catalog) -> None:
    cells = catalog.cells("claude-opus-4-7", "anthropic", "realtime", "api", "global")
    assert [(None, None, None)] == [(cell.start, cell.end, cell.daily) for cell in cells]


def test_the_example_file_prices_its_model() -> None:
    catalog = open_catalog([EXAMPLE])
    assert Decimal(3) == per_million(catalog, "grok-4.1", "2026-05-01")
    assert Decimal(6) == per_million(catalog, "x-ai/grok-4.1", "2026-05-01", "output_tokens", vendor="Acme Gateway")
    assert "example-catalog.yaml " in catalog.version


def test_a_file_changes_listed_prices_from_its_date(tmp_path: Path) -> None:
    path = tmp_path / "prices.yaml"
    path.write_text(
        "prices:\n"
        "  - {model: gpt-5.4, vendor: openai, from: 2026-06-01, until: 2026-07-01, input_mtok: 2, source: desk}\n"
        "  - {model: gpt-5.4, vendor: openai, channel: flex, input_mtok: {base: 1, above: [{over: 1_000, price: 2}]},"
        " source: our deal desk}\n"
    )
    catalog = open_catalog([path])
    assert ["2.5", "2", "2.5"] == [str((per_million(catalog, "gpt-5.4", at) or Decimal(0)).normalize())
                                   for at in ("2026-05-31", "2026-06-01", "2026-07-01")]  # fmt: skip
    assert Decimal(15) == per_million(catalog, "gpt-5.4", "2026-06-15", "output_tokens")
    assert Decimal(1) == per_million(catalog, "gpt-5.4", "2026-06-15", "input_tokens", "batch")
    assert Decimal(2) == per_million(catalog, "gpt-5.4", "2026-06-15", "input_tokens", "flex", context=1_001)
    assert per_million(catalog, "gpt-5.4", "2026-06-15", "output_tokens", "flex") is None


@pytest.mark.parametrize(
    ("text", "code", "where", "word"),
    [
        ("prices:\n  - {model: m, source: s, input_mtok: -1}\n", "K314", "prices.yaml:2:27", "at or above zero"),
        ("prices:\n  - {model: m, source: s, input_mtok: '3'}\n", "K314", "prices.yaml:2:27", "number"),
        ("prices:\n  - {model: m, source: s, input_mtk: 3}\n", "K312", "prices.yaml:2:27", "input_mtok"),
        ("prices:\n  - {model: m, input_mtok: 3}\n", "K313", "prices.yaml:2:5", "source"),
        ("prices:\n  - {model: m, source: s}\n", "K313", "prices.yaml:2:5", "no price"),
        ("prices:\n  - {model: m, source: s, from: yesterday, input_mtok: 3}\n", "K314", "prices.yaml:2:27", "date"),
        ("prices:\n  - {model: 4, source: s, input_mtok: 3}\n", "K314", "prices.yaml:2:6", "word"),
        ("prices:\n  - {model: m, source: s, channel: turbo, input_mtok: 3}\n", "K314", "prices.yaml:2:27", "realtime"),
        ("prices:\n  - {model: m, source: s, input_mtok: {base: 3}}\n", "K314", "prices.yaml:2:27", "above"),
        ("prices: 3\n", "K311", "prices.yaml:1:1", "list"),
        ("price: []\n", "K312", "prices.yaml:1:1", "prices"),
        ("- 3\n", "K311", "prices.yaml:1:1", "mapping"),
        ("prices:\n  - {model: m, source: s, input_mtok: .nan}\n", "C204", "prices.yaml:2:39", "priced"),
        ("", "C203", "prices.yaml:1:1", "empty"),
    ],
)
def test_a_wrong_file_says_where(tmp_path: Path, text: str, code: str, where: str, word: str) -> None:
    path = tmp_path / "prices.yaml"
    path.write_text(text)
    with pytest.raises(ContractError) as caught:
        open_catalog([path])
    assert code == caught.value.code
    assert where in str(caught.value)
    assert word in str(caught.value)


def test_a_band_holds_strictly_above_its_start() -> None:
    price = BandPrice(Decimal(1), ((10, Decimal(2)), (20, Decimal(3))))
    assert [1, 1, 2, 2, 3] == [price.at(context) for context in (0, 10, 11, 20, 21)]
