"""What `check` proves where one file cannot show it: versions, several access forms, models that come later.

Single gaps, clashes and warnings are in tests/scenarios/bad/contract, with their exact words.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from offtake.catalog.list_price import BandPrice, ModelFacts, PriceCell
from offtake.contract.check import check
from offtake.values.errors import CatalogError
from tests.unit.contract.writing import TEN_LINES, contract_of

MARCH = datetime(2027, 3, 1, tzinfo=UTC)


class Book:
    """A catalogue of two models: opus since ever, sonnet whose batch price ends in March 2027."""

    version = "test"

    def models(self, vendor: str) -> Sequence[ModelFacts]:
        return [ModelFacts("claude-opus-4-7", vendor), ModelFacts("claude-sonnet-5", vendor)]

    def resolve(self, name: str, vendor: str = "", access: str = "api") -> ModelFacts:
        for model in self.models(vendor):
            if name.replace(".", "-") == model.id:
                return model
        raise CatalogError("K301", f"no model {name!r}", hint="nearest: claude-opus-4-7")

    def cells(self, model: str, vendor: str, channel: str, access: str, region: str) -> tuple[PriceCell, ...]:
        if region != "global":
            raise CatalogError("K304", f"no region {region!r}")
        ends = MARCH if (model, channel) == ("claude-sonnet-5", "batch") else None
        prices = {name: BandPrice(Decimal("0.000005")) for name in ("input_tokens", "output_tokens")}
        return (PriceCell(None, ends, None, prices, "test"),) if channel in ("realtime", "batch") else ()


def codes(more: str = "", text: str = TEN_LINES) -> list[str]:
    return [finding.code for finding in check(contract_of(more, text), Book())]


def test_ten_lines_check_clean() -> None:
    assert [] == codes()


@pytest.mark.parametrize(
    ("models", "expected"),
    [("claude-*", ["C263"]), ("claude-sonnet-5, claude-opus-4-7", ["C240"]), ("claude-opus-*", [])],
)
def test_a_price_that_ends_in_the_term_is_a_gap_for_a_model_named_in_full(models: str, expected: list[str]) -> None:
    text = TEN_LINES.replace("claude-*", models).replace("channels: [realtime]", "channels: [realtime, batch]")

    assert expected == codes(text=text)


def test_a_share_of_the_realtime_price_closes_the_gap() -> None:
    text = TEN_LINES.replace("channels: [realtime]", "channels: [batch]").replace("list,", "list, batch: {share: 50%},")

    assert [] == codes(text=text)


def test_a_waived_uplift_prices_every_region_as_global() -> None:
    residency = "residency: {regions: [eu], fail: closed}\n"

    assert ["C240"] == codes(residency)
    assert [] == codes(residency, TEN_LINES.replace("basis: list,", "region_uplift: waived,"))


def test_each_version_is_checked_while_it_holds() -> None:
    more = "amendments: [{effective: 2026-07-01, document: A, changes: {failed_requests: removed}}]\n"
    (finding,) = check(contract_of(more), Book())

    assert "C246" == finding.code


def test_an_amendment_that_repairs_a_gap_leaves_it_in_the_time_before() -> None:
    text = TEN_LINES.replace("failed_requests: billed\n", "")
    more = "amendments: [{effective: 2026-07-01, document: A, changes: {failed_requests: billed}}]\n"

    assert ["C246"] == codes(more, text)


def test_the_name_that_people_write_is_the_model() -> None:
    discounts = '[{models: "*", share: 20%}, {models: claude-opus-4.7, share: 15%}]'

    assert [] == codes(text=TEN_LINES.replace('[{models: "*", share: 20%}]', discounts))


@pytest.mark.parametrize(
    ("second", "expected"),
    [("meters: [output_tokens]", []), ("channels: [realtime]", []), ("source: x", ["C242"])],
)
def test_of_equal_patterns_one_that_names_a_channel_or_meter_wins(second: str, expected: list[str]) -> None:
    discounts = f'[{{models: "*", share: 20%}}, {{models: "*", share: 15%, {second}}}]'

    assert expected == codes(text=TEN_LINES.replace('[{models: "*", share: 20%}]', discounts))
