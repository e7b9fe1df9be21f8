"""Names as people write them resolve; everything else is an error with the nearest names."""

from __future__ import annotations

import pytest

from offtake.catalog.catalog import Catalog
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
