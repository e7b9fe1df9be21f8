"""Offers as the search sees them: terms as levels, months of a plan, list prices of one day, who may serve what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from math import inf

import pytest

from offtake.catalog.list_price import BandPrice, ModelFacts, PriceCell
from offtake.contract.parse import parse
from offtake.planner.offers.admissible import Need, exclusions, need_of
from offtake.planner.offers.list_today import ListToday
from offtake.planner.offers.offer import Months, Offer, expected_facts, fitted
from offtake.planner.offers.openings import opening
from offtake.planner.offers.parts import Slicer, parts_of
from offtake.planner.offers.problem import Level, Monthly, Tier
from offtake.planner.offers.ways import CACHE_METERS, cached
from offtake.planner.profile.traffic import observe
from offtake.store.catalogs import open_catalog
from offtake.usage.record import UsageRecord
from offtake.values.errors import InputError
from offtake.values.units import duration

HEAD = """\
contract: deal
buyer: Example Corp
vendor: {vendor}
term: {{from: 2026-01-01, until: 2027-01-01, time_zone: UTC, currency: USD}}
billing: {{period: month, anchor: 1, rounding: {{where: line, places: 2, mode: half_even}}}}
scope: {{models: [claude-*], channels: [realtime, batch], access: [api]}}
prices: {{discounts: [{{models: claude-*, share: 20%}}], batch: {{share: 50%}}, cache: catalog{tiers}}}
failed_requests: billed
"""
COMMIT = """\
commitments:
  - {{id: spend, amount: 1_200_000 USD / year, pool: all_models, counts_at: {at}, true_up: {every}{more}}}
"""
AUGUST = datetime(2026, 8, 1, tzinfo=UTC)


def offer(rest: str = "", *, tiers: str = "", vendor: str = "anthropic", months: int = 12) -> Offer:
    contract = fitted(parse(HEAD.format(tiers=tiers, vendor=vendor) + rest, "deal.yaml"), months)
    return Offer("deal", contract, ListToday(open_catalog(), AUGUST), expected_facts(contract, ()))


def commit(at: str = "contracted", every: str = "year", more: str = "") -> str:
    return COMMIT.format(at=at, every=every, more=more)


def level(given: Offer, ratio: float = 0.8) -> Level:
    (found,) = opening(given, "anthropic", ratio).levels
    return found


def test_a_rate_card_needs_no_signature() -> None:
    assert not offer().needs_signature
    assert () == opening(offer(), "anthropic", 0.8).levels


def test_a_top_up_bonus_is_a_discount_of_its_own() -> None:
    found = opening(offer("top_ups: {bonus: 6%, expires_after: never, burn_order: [promotional, paid]}\n"), "", 0.85)

    assert 1 / 1.06 == found.factor


def test_a_commitment_is_a_floor_over_the_plan() -> None:
    found = level(offer(commit()))

    assert (1_200_000, 1.0, 1.0) == (found.commitment, found.multiplier, found.overage)


def test_a_plan_of_three_months_has_its_part_of_a_yearly_commitment() -> None:
    assert pytest.approx(1_200_000 * 90 / 365, abs=10_000) == level(offer(commit(), months=3)).commitment


def test_prepaid_as_cash_costs_less_until_it_is_drawn() -> None:
    found = level(offer(commit(more=", prepaid: {share: 100%, discount: 5%, as: cash}")))

    assert (1_140_000, 0.95, 1 / 0.95) == (found.commitment, found.multiplier, found.overage)


def test_prepaid_as_rate_is_cheaper_for_all() -> None:
    found = level(offer(commit(more=", prepaid: {share: 100%, discount: 5%, as: rate}")))

    assert (1_200_000, 0.95, 1.0) == (found.commitment, found.multiplier, found.overage)


def test_what_counts_at_list_is_used_up_by_less_contracted_cost() -> None:
    found = opening(offer(commit(at="list")), "anthropic", 0.8)

    assert 960_000 == found.levels[0].commitment
    assert Decimal(1_200_000) == found.committed
    assert "counts at list" in found.simplified[0]


def test_overage_at_list_with_a_surcharge() -> None:
    found = level(offer(commit(more=", overage: {at: list, surcharge: 10%}")))

    assert pytest.approx(1.1 / 0.8) == found.overage


def test_a_surcharge_that_needs_a_notice_is_not_expected_without_one() -> None:
    terms = ", overage: {at: contracted, surcharge: 10%, notice: {at: 110%, by: vendor, else: no_surcharge}}"
    found = opening(offer(commit(more=terms)), "anthropic", 0.8)

    assert 1.0 == found.levels[0].overage
    assert any("no notice" in words for words in found.simplified)


def test_a_monthly_true_up_is_searched_by_the_month() -> None:
    more = ", rollover: {share: 20%, of: unused, into: next_window, order: first}, burst: {window: month, up_to: 2x}"

    assert Monthly(100_000.0, 0.2, 1, 2.0) == level(offer(commit(every="month", more=more))).monthly


def test_graduated_tiers_are_steps_of_one_level() -> None:
    tiers = """,
  tiers: {kind: graduated, measure: {amount: contracted, at: frozen}, window: contract_year,
          steps: [{up_to: 500_000 USD, share: 0%}, {share: 10%}]}"""

    assert (Tier(500_000.0, 1.0), Tier(inf, 0.9)) == level(offer(commit(), tiers=tiers)).tiers


def test_tiers_of_all_units_are_levels_that_are_paid_to_their_threshold() -> None:
    tiers = """,
  tiers: {kind: volume, measure: {amount: contracted, at: frozen}, window: contract_year,
          steps: [{up_to: 500_000 USD, share: 0%}, {share: 10%}]}"""
    found = opening(offer(tiers=tiers), "anthropic", 0.8).levels

    assert [(0.0, 1.0), (450_000.0, 0.9)] == [(each.commitment, each.multiplier) for each in found]


def test_fees_are_what_the_vendor_bills_whatever_is_used() -> None:
    seats = "seats: {count: 100, price: 40 USD / month}"
    fees = f"fees: {{platform: 10_000 USD / month, {seats}, support: {{share: 3%, of: usage}}}}\n"
    found = opening(offer(fees), "anthropic", 0.8)

    assert Decimal(12 * 14_000) == found.fees
    assert pytest.approx(1.03) == found.factor


def test_a_reservation_is_apart_from_other_fees() -> None:
    terms = "capacity: {reserved: {input_tpm: 1000, output_tpm: 100, price: 5_000 USD / month, spill: on_demand}}\n"
    found = opening(offer(terms), "anthropic", 0.8)

    assert (Decimal(0), Decimal(60_000)) == (found.fees, found.reserved_fee)
    assert found.reserved is not None


def test_a_contract_that_is_too_short_says_so() -> None:
    with pytest.raises(ValueError, match="its term ends on 2027-01-01, within the plan’s 24 months"):
        offer(months=24)


def test_a_month_is_stood_for_by_a_weekday_at_noon() -> None:
    instants = Months(date(2026, 1, 1), 12).instants(offer().contract.zone)

    assert [12] * 12 == [at.hour for at in instants]
    assert all(at.weekday() < 5 for at in instants)
    assert list(range(1, 13)) == [at.month for at in instants]


class OneModel:
    """A catalogue whose one price changes on 1 July 2026."""

    version = "test"

    def resolve(self, name: str, vendor: str = "", access: str = "api") -> ModelFacts:
        return ModelFacts(name, "anthropic", launched=AUGUST)

    def models(self, vendor: str) -> Sequence[ModelFacts]:
        return [self.resolve("one")]

    def cells(self, model: str, vendor: str, channel: str, access: str, region: str) -> tuple[PriceCell, ...]:
        july = datetime(2026, 7, 1, tzinfo=UTC)
        before, after = ({"input_tokens": BandPrice(Decimal(price))} for price in (5, 4))
        return (PriceCell(None, july, None, before, ""), PriceCell(july, None, None, after, ""))


@pytest.mark.parametrize(("at", "price"), [(datetime(2026, 6, 30, tzinfo=UTC), 5), (AUGUST, 4)])
def test_list_prices_of_one_day_hold_on_every_date(at: datetime, price: int) -> None:
    (cell,) = ListToday(OneModel(), at).cells("one", "anthropic", "realtime", "api", "global")

    assert (None, None, Decimal(price)) == (cell.start, cell.end, cell.prices["input_tokens"].base)
    assert ListToday(OneModel(), at).resolve("one").launched is None


@pytest.mark.parametrize(
    ("need", "rest", "clause"),
    [
        ({"region": "eu"}, "", "residency"),
        ({"region": "eu"}, "residency: {regions: [eu, us], fail: closed}\n", "residency.regions"),
        ({"region": "eu"}, "residency: {regions: [eu], fail: open}\n", "residency.fail"),
        ({"region": "eu"}, "residency: {regions: [eu], fail: closed}\n", None),
        ({"retention_max": duration("24 hours")}, "data: {training: never}\n", "data"),
        ({"retention_max": duration("24 hours")}, "data: {retention: 2 days}\n", "data.retention"),
        ({"retention_max": duration("30 days")}, "data: {retention: 24 hours}\n", None),
        ({"retention_max": "none"}, "data: {retention: 24 hours}\n", "data.retention"),
        ({"retention_max": "none"}, "data: {retention: none}\n", None),
        ({"training": "never"}, "", "data.training"),
        ({"input_tpm": 5_000}, "capacity: {limits: {input_tpm: 1_000}}\n", "capacity.limits.input_tpm"),
        ({"input_tpm": 500}, "capacity: {limits: {input_tpm: 1_000}}\n", None),
        ({"latency_ms": 850, "latency_ms_max": 900}, "", None),
    ],
)
def test_an_exclusion_names_its_clause(need: dict[str, object], rest: str, clause: str | None) -> None:
    asked = replace(Need(workloads="chat"), **need)  # type: ignore[arg-type]
    found = [each.clause for each in exclusions(offer(rest), asked, "chat", "claude-opus-4.7")]

    assert ([clause] if clause else []) == found


@pytest.mark.parametrize(("most", "out"), [(929, True), (930, False)])
def test_an_aggregator_adds_80_ms(most: int, out: bool) -> None:
    asked = Need(workloads="*", latency_ms=850, latency_ms_max=most)
    found = list(exclusions(offer(vendor="example-aggregator"), asked, "chat", "claude-opus-4.7"))

    assert out == bool(found)


def test_the_most_specific_need_holds_and_two_equal_ones_are_refused() -> None:
    needs = [Need(workloads="*", region="us"), Need(workloads="support-*", region="eu")]

    assert "eu" == need_of(needs, "support-chat").region
    assert "us" == need_of(needs, "search").region
    with pytest.raises(InputError, match="two rows say what 'a' needs"):
        need_of([Need(workloads="a"), Need(workloads="a")], "a")


@pytest.mark.parametrize("cache", ["kept", "off", "writes as input"])
def test_input_is_the_same_with_and_without_a_cache(cache: str) -> None:
    quantities = {"input_tokens": 5, "cache_read_tokens": 70, "cache_write_5m_tokens": 20, "output_tokens": 9}
    found = cached(quantities, cache)

    assert sum(quantities.values()) == sum(found.values())
    assert (cache == "kept") == (set(CACHE_METERS) & set(found) == set(CACHE_METERS[:2]))


def test_a_part_keeps_apart_what_failed_and_what_is_long() -> None:
    records = [
        UsageRecord(
            id=str(number), used_at=AUGUST, vendor="anthropic", model="claude-opus-4.7", workload="chat",
            quantities={"input_tokens": tokens, "output_tokens": 100}, outcome=outcome, context_tokens=tokens,
        )
        for number, (tokens, outcome) in enumerate([(1_000, "ok"), (300_000, "ok"), (1_000, "timeout"), (3_000, None)])
    ]  # fmt: skip
    slicer = Slicer((200_000,))
    traffic = observe(slicer.passing(records))
    (part,) = parts_of([(each.workload(), each.form) for each in traffic], slicer, Decimal(2))

    assert [("ok", 0, 4, 8_000), ("ok", 200_001, 2, 600_000), ("timeout", 0, 2, 2_000)] == [
        (each.outcome, each.context_tokens, each.requests, each.quantities["input_tokens"]) for each in part.slices
    ]
    assert 610_000 == part.workload.quantities["input_tokens"]
