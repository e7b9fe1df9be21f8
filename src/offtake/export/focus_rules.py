"""The rules of FOCUS 1.2 that one row decides: what must be null, what must not, and which costs are products.

Each rule is a condition and what then must hold, named as in the requirements model of the specification. A product
holds when it is right to the last digit of DECIMAL(38,18). Rules that only a person can judge ("is denominated in the
billing currency") are not here; those that need all rows are in `focus_check.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from offtake.export.focus_columns import PLACES, Row
from offtake.values.money import ROUNDING, ZERO

Predicate = Callable[[Row], bool]


@dataclass(frozen=True, slots=True)
class Rule:
    """Where `when` holds, `then` must. `says` completes "the column …"."""

    id: str
    says: str
    when: Predicate
    then: Predicate

    @property
    def column(self) -> str:
        """The column that the rule is about."""
        return self.id.split("-C-", 1)[0]


def null(column: str) -> Predicate:
    """The column is null."""
    return lambda row: row.get(column) is None


def given(column: str) -> Predicate:
    """The column is not null."""
    return lambda row: row.get(column) is not None


def one_of(column: str, *values: str) -> Predicate:
    """The column has one of these values."""
    return lambda row: row.get(column) in values


def every(*parts: Predicate) -> Predicate:
    """All of them hold."""
    return lambda row: all(part(row) for part in parts)


def some(*parts: Predicate) -> Predicate:
    """At least one of them holds."""
    return lambda row: any(part(row) for part in parts)


def negate(part: Predicate) -> Predicate:
    """It does not hold."""
    return lambda row: not part(row)


def same(first: str, second: str) -> Predicate:
    """Both columns have one value."""
    return lambda row: row.get(first) == row.get(second)


def alike(first: str, second: str) -> Predicate:
    """Both columns are null, or neither is."""
    return lambda row: (row.get(first) is None) == (row.get(second) is None)


def at_least_zero(column: str) -> Predicate:
    """The number is not negative; null counts as 0."""
    return lambda row: _number(row, column) >= 0


def positive(column: str) -> Predicate:
    """The number is above 0."""
    return lambda row: _number(row, column) > 0


def zero(column: str) -> Predicate:
    """The number is 0."""
    return lambda row: _number(row, column) == 0


def product(price: str, cost: str) -> Predicate:
    """The cost is price × PricingQuantity, where half a last digit of the price may be multiplied by the quantity."""

    def holds(row: Row) -> bool:
        quantity = _number(row, "PricingQuantity")
        difference = abs(ROUNDING.multiply(_number(row, price), quantity) - _number(row, cost))
        return difference <= (abs(quantity) + 1) * Decimal(5).scaleb(-PLACES - 1)

    return holds


def _number(row: Row, column: str) -> Decimal:
    value = row.get(column)
    return value if isinstance(value, Decimal) and value.is_finite() else ZERO


def always(row: Row) -> bool:
    """Every row."""
    return True


tax = one_of("ChargeCategory", "Tax")
usage = one_of("ChargeCategory", "Usage")
purchase = one_of("ChargeCategory", "Purchase")
credit = one_of("ChargeCategory", "Credit")
sold = some(usage, purchase)
correction = one_of("ChargeClass", "Correction")
regular = every(sold, negate(correction))
unused = one_of("CommitmentDiscountStatus", "Unused")
measured = every(usage, negate(unused))
committed = given("CommitmentDiscountId")
reserved = given("CapacityReservationId")
FILLED = "is not null for usage and purchases that are no corrections"
NO_TAX = "is null for taxes"


def _priced(column: str, none: str, some_: str) -> tuple[Rule, Rule]:
    """Null for taxes, filled for usage and purchases: the pattern of all pricing and SKU columns."""
    return (
        Rule(f"{column}-C-{none}", NO_TAX, tax, null(column)),
        Rule(f"{column}-C-{some_}", FILLED, regular, given(column)),
    )


def _follows(column: str, leader: str, none: str, some_: str) -> tuple[Rule, Rule]:
    """Null exactly where another column is null."""
    return (
        Rule(f"{column}-C-{none}", f"is null where {leader} is null", null(leader), null(column)),
        Rule(f"{column}-C-{some_}", f"is not null where {leader} is not null", given(leader), given(column)),
    )


RULES: tuple[Rule, ...] = (
    Rule("BilledCost-C-004-C", "is 0 where the provider does not issue the invoice",
         negate(same("ProviderName", "InvoiceIssuerName")), zero("BilledCost")),
    Rule("ChargeFrequency-C-004-C", "is not Usage-Based for purchases", purchase,
         negate(one_of("ChargeFrequency", "Usage-Based"))),
    *_priced("ListUnitPrice", "004-C", "005-C"),
    Rule("ListUnitPrice-C-008-M", "is not negative", given("ListUnitPrice"), at_least_zero("ListUnitPrice")),
    Rule("ListUnitPrice-C-010-C", "times PricingQuantity is ListCost",
         every(given("ListUnitPrice"), given("PricingQuantity"), negate(correction)),
         product("ListUnitPrice", "ListCost")),
    Rule("ListCost-C-008-C", "is BilledCost for credits without a unit price", every(credit, null("ListUnitPrice")),
         same("ListCost", "BilledCost")),
    *_priced("ContractedUnitPrice", "005-C", "006-C"),
    Rule("ContractedUnitPrice-C-009-C", "is not negative", given("ContractedUnitPrice"),
         at_least_zero("ContractedUnitPrice")),
    Rule("ContractedUnitPrice-C-011-C", "times PricingQuantity is ContractedCost",
         every(given("ContractedUnitPrice"), given("PricingQuantity"), negate(correction)),
         product("ContractedUnitPrice", "ContractedCost")),
    Rule("ContractedCost-C-008-C", "is BilledCost for credits without a unit price",
         every(credit, null("ContractedUnitPrice")), same("ContractedCost", "BilledCost")),
    Rule("EffectiveCost-C-005-C", "is 0 for the purchase of what covers later charges", every(purchase, committed),
         zero("EffectiveCost")),
    Rule("EffectiveCost-C-010-C", "is BilledCost for credits", credit, same("EffectiveCost", "BilledCost")),
    *_priced("PricingQuantity", "004-C", "005-C"),
    *_follows("PricingUnit", "PricingQuantity", "005-C", "006-C"),
    *_priced("PricingCategory", "003-C", "004-C"),
    Rule("PricingCategory-C-009-C", "is Committed for usage that a commitment covers", every(usage, committed),
         one_of("PricingCategory", "Committed")),
    Rule("PricingCategory-C-008-C", "is not Committed for what no commitment covers, nor for its purchase",
         every(given("PricingCategory"), negate(every(usage, committed))),
         negate(one_of("PricingCategory", "Committed"))),
    Rule("ConsumedQuantity-C-004-C", "is null for what was not used", negate(measured), null("ConsumedQuantity")),
    Rule("ConsumedQuantity-C-006-C", "is not null for usage that is no correction",
         every(measured, negate(correction)), given("ConsumedQuantity")),
    *_follows("ConsumedUnit", "ConsumedQuantity", "004-C", "005-C"),
    *_priced("SkuId", "004-C", "005-C"),
    *_priced("SkuPriceId", "004-C", "005-C"),
    *_follows("SkuMeter", "SkuId", "004-C", "005-C"),
    Rule("SkuPriceDetails-C-004-C", "is null where SkuPriceId is null", null("SkuPriceId"), null("SkuPriceDetails")),
    *_follows("CommitmentDiscountCategory", "CommitmentDiscountId", "003-C", "004-C"),
    Rule("CommitmentDiscountName-C-004-C", "is null where CommitmentDiscountId is null", negate(committed),
         null("CommitmentDiscountName")),
    *_follows("CommitmentDiscountType", "CommitmentDiscountId", "004-C", "005-C"),
    Rule("CommitmentDiscountStatus-C-003-C", "is null where CommitmentDiscountId is null", negate(committed),
         null("CommitmentDiscountStatus")),
    Rule("CommitmentDiscountStatus-C-004-C", "is not null for usage of a commitment", every(committed, usage),
         given("CommitmentDiscountStatus")),
    Rule("CommitmentDiscountQuantity-C-006-C", "is not null for purchases and usage of a commitment",
         every(committed, regular), given("CommitmentDiscountQuantity")),
    Rule("CommitmentDiscountQuantity-C-008-C", "is null for all else",
         some(negate(committed), negate(sold), correction), null("CommitmentDiscountQuantity")),
    Rule("CommitmentDiscountQuantity-C-009-C", "is positive", given("CommitmentDiscountQuantity"),
         positive("CommitmentDiscountQuantity")),
    *_follows("CommitmentDiscountUnit", "CommitmentDiscountQuantity", "005-C", "006-C"),
    Rule("CapacityReservationId-C-005-C", "is not null where CapacityReservationStatus is Unused",
         one_of("CapacityReservationStatus", "Unused"), reserved),
    Rule("CapacityReservationStatus-C-003-C", "is null where CapacityReservationId is null", negate(reserved),
         null("CapacityReservationStatus")),
    Rule("CapacityReservationStatus-C-004-C", "is not null for usage of a reservation", every(reserved, usage),
         given("CapacityReservationStatus")),
    Rule("RegionName-C-003-C", "is null where RegionId is null, and only there", always,
         alike("RegionName", "RegionId")),
    *_follows("SubAccountName", "SubAccountId", "003-C", "004-C"),
)  # fmt: skip
