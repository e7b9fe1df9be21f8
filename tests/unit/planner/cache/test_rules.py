"""Rules as text and of models, and the policies that they can serve."""

from __future__ import annotations

from datetime import UTC, datetime
from fractions import Fraction

import pytest

from offtake.planner.cache.policy import policies
from offtake.planner.cache.rules import of_model, of_text
from offtake.store.catalogs import open_catalog
from offtake.values.errors import CatalogError, InputError

AT = datetime(2026, 6, 1, tzinfo=UTC)


def test_text_says_everything() -> None:
    rules = of_text("anthropic:read=0.1,write=1.25,ttl=5m,min=1024")

    assert (Fraction(1, 10), (("5m", Fraction(5, 4)),), 1024) == (rules.read, rules.writes, rules.min_prefix_tokens)


def test_what_text_leaves_out_is_the_public_rule() -> None:
    assert (("5m", Fraction(5, 4)), ("1h", Fraction(2))) == of_text("anthropic:").writes
    assert (("1h", Fraction(2)),) == of_text("anthropic:ttl=1h").writes
    assert [Fraction(1)] * 3 == [write for _, write in of_text("openai:read=0.5").writes]


@pytest.mark.parametrize(
    "text",
    ["anthropic:reed=1", "anthropic:read=x", "anthropic:read", "anthropic:read=0.1,read=0.2", "anthropic:write=1.25",
     "anthropic:ttl=5 minutes", "anthropic:ttl=30m", "anthropic:ttl=0m,write=1", "anthropic:min=0.5",
     "anthropic:read=-1"],
)  # fmt: skip
def test_text_that_is_not_understood_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(InputError) as error:
        of_text(text)

    assert "P612" == error.value.code
    assert "anthropic:read=0.1,write=1.25,ttl=5m,min=1024" in str(error.value)


def test_a_model_with_one_price_for_writes_caches_by_itself() -> None:
    rules = of_model("gpt-5.6", open_catalog(), AT)

    assert (True, True) == (rules.automatic, rules.has_premium)


def test_a_minimum_that_nobody_knows_is_not_guessed() -> None:
    with pytest.raises(CatalogError) as error:
        of_model("gemini-2.5-pro", open_catalog(), AT)

    assert "P614" == error.value.code


def test_policies_that_a_vendor_does_not_have_are_refused() -> None:
    automatic = [of_text("openai:")]

    assert ["none", "auto", "auto", "auto"] == [each.name for each in policies("all", automatic)]
    with pytest.raises(InputError) as error:
        policies("end", automatic)
    assert "P616" == error.value.code


@pytest.mark.parametrize("text", ["", "ends", "from-turn", "from-turn:0", "from-turn:x", "keep-alive:-1"])
def test_an_unknown_policy_is_refused(text: str) -> None:
    with pytest.raises(InputError) as error:
        policies(text, [of_text("anthropic:")])

    assert "P615" == error.value.code


def test_one_ttl_in_the_rules_is_one_ttl_in_the_policies() -> None:
    found = policies("all", [of_text("anthropic:ttl=5m")])

    assert {"", "5m"} == {each.ttl for each in found}
