"""Names as people write them resolve; everything else is an error with the nearest names."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from offtake.catalog.catalog import Catalog
from offtake.catalog.cells import meter_prices
from offtake.catalog.genai import PriceBook, price_keys
from offtake.catalog.list_price import BandPrice
from offtake.catalog.names import family, key, nearest, read_reference, spellings
from offtake.store.catalogs import open_catalog
from offtake.values.errors import CatalogError


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return open_catalog()


@pytest.mark.parametrize(
    ("name", "vendor", "access", "expected"),
    [
        ("claude-opus-4.7", "", "api", ("anthropic", "claude-opus-4-7")),
        ("claude-opus-4-7", "anthropic", "api", ("anthropic", "claude-opus-4-7")),
        ("Claude-Opus-4.7", "claude", "api", ("anthropic", "claude-opus-4-7")),
        ("claude-opus-4-7-latest", "", "api", ("anthropic", "claude-opus-4-7")),
        ("gpt-5.4", "", "api", ("openai", "gpt-5.4")),
        ("gpt-5.4-2026-03-05", "", "api", ("openai", "gpt-5.4")),
        ("gpt-5.4-20260305", "", "api", ("openai", "gpt-5.4")),
        ("gpt-4o-2024-05-13", "", "api", ("openai", "gpt-4o-2024-05-13")),
        ("ft:gpt-4o-mini-2024-07-18:acme::8xYz", "", "api", ("openai", "ft:gpt-4o-mini")),
        ("gemini-3.1-pro", "", "api", ("google", "gemini-3.1-pro-preview")),
        ("models/gemini-2.5-pro", "", "api", ("google", "gemini-2.5-pro")),
        ("anthropic/claude-opus-4.7", "", "api", ("anthropic", "claude-opus-4-7")),
        ("openrouter/anthropic/claude-opus-4.7", "Acme Gateway", "api", ("anthropic", "claude-opus-4-7")),
        ("anthropic/claude-opus-4.7", "openrouter", "api", ("openrouter", "claude-opus-4-7")),
        ("us.anthropic.claude-opus-4-5-20251101-v1:0", "anthropic", "bedrock", ("anthropic", "claude-opus-4-5")),
        ("global.anthropic.claude-sonnet-4-20250514-v1:0", "", "bedrock", ("anthropic", "claude-sonnet-4-0")),
        ("bedrock/eu.anthropic.claude-sonnet-4-5-20250929-v1:0", "", "bedrock", ("anthropic", "claude-sonnet-4-5")),
        (
            "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-opus-4-7",
            "", "bedrock", ("anthropic", "claude-opus-4-7"),
        ),
        ("amazon.nova-lite-v1:0", "", "bedrock", ("aws", "nova-lite-v1:0")),
        ("claude-opus-4-1@20250805", "", "vertex", ("anthropic", "claude-opus-4-1")),
        (
            "projects/acme/locations/us-east5/publishers/anthropic/models/claude-opus-4-1@20250805",
            "", "vertex", ("anthropic", "claude-opus-4-1"),
        ),
        ("gpt-4o", "azure", "api", ("azure", "gpt-4o")),
        ("gpt-4o", "", "azure", ("openai", "gpt-4o")),
    ],
)  # fmt: skip
def test_names_resolve(catalog: Catalog, name: str, vendor: str, access: str, expected: tuple[str, str]) -> None:
    model = catalog.resolve(name, vendor, access)
    assert expected == (model.vendor, model.id)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("claude-opus-4-7-nonsense", "nearest: claude-opus-4-7"),
        ("gpt-5.4-does-not-exist", "nearest: gpt-5.4"),
        ("claude-opus-4-7-20261340", "nearest: claude-opus-4-7"),
        ("claude-opus-4.7:free", "nearest: claude-opus-4-7"),
        ("gemini-2.5-pro-tuned", "nearest: gemini-2.5-pro"),
        ("claud-opus-4-7", "nearest: claude-opus-4-7"),
        ("unknown/claude-opus-4-7", "nearest: claude-opus-4-7"),
        ("grok-4.1", "nearest: grok-4"),
        ("", "--catalog"),
        ("zzz", "--catalog"),
    ],
)
def test_unknown_names_are_refused_with_the_nearest(catalog: Catalog, name: str, hint: str) -> None:
    with pytest.raises(CatalogError) as caught:
        catalog.resolve(name)
    assert caught.value.code == "K301"
    assert hint in caught.value.findings[0].hint


def test_a_model_of_another_maker_is_not_the_vendors(catalog: Catalog) -> None:
    with pytest.raises(CatalogError) as caught:
        catalog.resolve("gpt-5.4", "anthropic")
    assert "openai makes it" in str(caught.value)


def test_an_unknown_access_form_names_the_known_ones(catalog: Catalog) -> None:
    with pytest.raises(CatalogError) as caught:
        catalog.resolve("gpt-5.4", access="carrier-pigeon")
    assert caught.value.code == "K303"
    assert "bedrock" in str(caught.value)


def test_model_facts_carry_what_a_contract_needs(catalog: Catalog) -> None:
    model = catalog.resolve("claude-opus-4-0")
    assert (1024, "claude-opus") == (model.min_prefix_tokens, model.family)
    assert model.launched is not None
    assert model.deprecated is not None
    assert "2026-04-14" == f"{model.deprecated:%Y-%m-%d}"


def test_the_parts_of_a_name() -> None:
    assert "claude-opus-4-7" == key(" Claude_Opus@4.7 ")
    assert ["gpt-5-4-2026-03-05", "gpt-5-4"] == list(spellings("gpt-5.4-2026-03-05"))
    assert ["m-20250101-v1:0", "m-20250101", "m"] == list(spellings("m-20250101-v1:0"))
    reference = read_reference("us.anthropic.claude-opus-4-7", {"anthropic"})
    assert ("anthropic", "us", "claude-opus-4-7") == (reference.maker, reference.geography, reference.name)
    assert ["gpt-5.4", "gpt-5"] == nearest("gpt-5.4-extraordinarily-long", ["gpt-5", "gpt-5.4", "o3"])


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("claude-opus-4-7", "claude-opus"),
        ("claude-opus-5", "claude-opus"),
        ("gpt-5.4-mini", "gpt-mini"),
        ("gemini-3.1-pro-preview", "gemini-pro"),
        ("anthropic/claude-sonnet-4.5", "claude-sonnet"),
    ],
)
def test_successors_share_a_family(model: str, expected: str) -> None:
    assert expected == family(model)


def test_every_id_of_the_package_is_that_model_at_that_provider(catalog: Catalog) -> None:
    """No entry of any provider is priced by another's, though many are the same model to their maker."""
    at = datetime(2026, 11, 1, 13, tzinfo=UTC)
    book, wrong = PriceBook(), set()
    for provider in book.providers:
        for model in book.models(provider):
            found = catalog.resolve(model.id, provider)
            region = "us" if model.id.startswith("regional.") else "global"
            access = "bedrock" if provider == "aws" else "api"
            cells = [
                cell for cell in catalog.cells(found.id, found.vendor, "realtime", access, region) if cell.holds(at)
            ]
            listed = price_keys(model, at, "realtime")
            assert listed is not None
            if provider == "aws" and "claude" in model.id:  # our own fact prices one-hour cache writes there
                cells = [replace(cell, prices={**cell.prices, **_one_hour(listed)}) for cell in cells]
            if [meter_prices(listed)] != [cell.prices for cell in cells]:
                wrong.add(f"{provider} {model.id}")
    assert TWICE_LISTED == wrong


# Old entries of openrouter without their maker's name; the fuller one, priced otherwise, counts.
TWICE_LISTED = {
    f"openrouter {model}"
    for model in (
        "claude-3-sonnet", "gemini-2.5-flash-preview", "gemini-flash-1.5", "gemini-flash-1.5-8b", "gemma-2-9b-it",
        "mistral-7b-instruct", "mixtral-8x7b-instruct", "gpt-4.5-preview", "o1-mini",
    )
}  # fmt: skip


def _one_hour(listed: dict[str, BandPrice]) -> dict[str, BandPrice]:
    return {meter: price for meter, price in meter_prices(listed).items() if meter == "cache_write_1h_tokens"}


@pytest.mark.parametrize(
    ("name", "expected"),
    [("minimax/minimax-m2.5", ("openrouter", "minimax/minimax-m2.5")), ("gpt-5.4", ("openai", "gpt-5.4"))],
)
def test_what_an_access_form_sells_apart_is_its_own(catalog: Catalog, name: str, expected: tuple[str, str]) -> None:
    """To its maker M2.5 is M2; openrouter lists and prices the two apart."""
    model = catalog.resolve(name, access="openrouter")
    assert expected == (model.vendor, model.id)
