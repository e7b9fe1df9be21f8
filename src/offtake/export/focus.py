"""FOCUS 1.2 cost and usage out of rated invoices: one row a line, one line a token class.

Nothing is priced here. A row says what its line says in the words of the specification: usage that a prepaid
commitment covers bills 0 and costs its share of the purchase, the purchase bills its amount and costs 0, and what
nobody used is a Usage row of status Unused. Over a whole term Σ EffectiveCost = Σ BilledCost.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal

from offtake.catalog.list_price import ModelFacts
from offtake.contract.contract import Contract
from offtake.export import focus_sku
from offtake.export.commitments import status_of
from offtake.export.focus_columns import NAMES, PLACES, SERVICE_CATEGORY, Row, Value
from offtake.export.focus_commitments import commitment_columns, reservation_columns
from offtake.rating.lines import Amounts, Invoice, Invoices, Line
from offtake.values.money import ZERO, divide, quantize
from offtake.values.periods import Interval, midnight

_CATEGORIES = {"usage": "Usage", "purchase": "Purchase", "fee": "Purchase"}
_FREQUENCIES = {"usage": "Usage-Based", "fee": "Recurring"}
ACCOUNT, DAY = "account", "day"
"""The splits of lines that become the sub-account and the charge period; every other split is a tag."""
GLOBAL = ("", "global")


def rows(invoices: Invoices, contract: Contract, models: Mapping[str, ModelFacts] | None = None) -> Iterator[Row]:
    """The rows of every invoice, in order; every row has every column of `NAMES`, in that order.

    `models` gives the family and developer of models by name; what it does not know is left out of SkuPriceDetails.
    """
    for invoice in invoices.invoices:
        common = _common(invoice, contract, invoices.currency)
        for line in invoice.lines:
            yield _row(common, _line(line, contract, invoices.currency, (models or {}).get(line.model)))
        billed = sum((line.amounts.billed for line in invoice.lines), ZERO)
        if invoice.residual or invoice.total != billed:
            yield _row(common, _rounding(invoice.total - billed, invoice, contract))


def category_of(line: Line) -> str:
    """The ChargeCategory. Usage and purchases have no negative price, so what gives money back is an Adjustment, as is
    a premium on other charges; a Credit is only what costs exactly what it bills.
    """
    amounts = line.amounts
    if line.kind == "credit":
        return "Credit" if amounts.effective == amounts.billed else "Adjustment"
    if line.kind == "correction" or line.corrects is not None:
        return "Usage" if line.meter or line.commitment_status else "Adjustment"
    if min(line.quantity, amounts.list, amounts.contracted, amounts.effective, amounts.billed) < 0:
        return "Adjustment"
    if line.kind == "commitment" and status_of(line) == "unused":
        return "Usage"
    return _CATEGORIES.get(line.kind, "Adjustment")


def invoice_id(invoice: Invoice, contract: Contract) -> str:
    """Our own number of an invoice: the contract and the first local day of its period."""
    return f"{contract.signed.contract}/{invoice.period.start.astimezone(contract.zone).date().isoformat()}"


def _row(*parts: Mapping[str, Value]) -> Row:
    values = {name: value for part in parts for name, value in part.items()}
    return {name: _on_grid(values.get(name)) for name in NAMES}


def _on_grid(value: Value) -> Value:
    """Decimals at 18 places: amortised costs may have more digits than any file format keeps."""
    if not isinstance(value, Decimal):
        return value
    exponent = value.as_tuple().exponent
    return value if isinstance(exponent, int) and exponent >= -PLACES else quantize(value, PLACES)


def _common(invoice: Invoice, contract: Contract, currency: str) -> dict[str, Value]:
    terms = contract.as_of(invoice.period.start)
    return {
        "BillingAccountId": terms.contract,
        "BillingAccountName": terms.buyer,
        "BillingCurrency": currency,
        "BillingPeriodStart": invoice.period.start,
        "BillingPeriodEnd": invoice.period.end,
        "InvoiceId": invoice_id(invoice, contract),
        "InvoiceIssuerName": terms.vendor,
        "ProviderName": terms.vendor,
        "ServiceCategory": SERVICE_CATEGORY,
        "ServiceName": f"{terms.vendor} generative AI API",
        "ServiceSubcategory": "Generative AI",
    }


def _line(line: Line, contract: Contract, currency: str, facts: ModelFacts | None) -> dict[str, Value]:
    category = category_of(line)
    is_correction = line.corrects is not None or line.kind == "correction"
    period = _charge_period(line, contract)
    commitment = commitment_columns(line, category, contract, currency)
    vendor = contract.signed.vendor
    return {
        "ChargeCategory": category,
        "ChargeClass": "Correction" if is_correction else None,
        "ChargeDescription": line.why or line.clause,
        "ChargeFrequency": _FREQUENCIES.get("usage" if line.meter else line.kind, "One-Time"),
        "ChargePeriodStart": period.start,
        "ChargePeriodEnd": period.end,
        "PublisherName": line.vendor or vendor,
        **_costs(line, category),
        **(_prices(line, category, is_correction) if category in ("Usage", "Purchase") else {}),
        **(_sku(line, vendor, facts) if category in ("Usage", "Purchase") else {}),
        **_pricing_category(category, commitment),
        **commitment,
        **reservation_columns(line, category, contract),
        **_dimensions(line),
    }


def _costs(line: Line, category: str) -> dict[str, Value]:
    """The four costs, and the upper ends of a range."""
    amounts = _stated(line, category)
    return {
        "ListCost": amounts.list,
        "ContractedCost": amounts.contracted,
        "EffectiveCost": amounts.effective,
        "BilledCost": amounts.billed,
        "x_EffectiveCostHigh": line.high.effective if line.high else None,
        "x_BilledCostHigh": line.high.billed if line.high else None,
    }


def _stated(line: Line, category: str) -> Amounts:
    """A credit's list and contracted cost are what it bills, as the specification has it. A fee, a purchase and what
    is left unused have no list price, so they are listed and contracted at what they cost.
    """
    amounts = line.amounts
    if category == "Credit":
        return Amounts(amounts.billed, amounts.billed, amounts.effective, amounts.billed)
    if category in ("Usage", "Purchase") and line.kind != "usage" and not (amounts.list or amounts.contracted):
        cost = amounts.effective or amounts.billed
        return Amounts(cost, cost, amounts.effective, amounts.billed)
    return amounts


def _charge_period(line: Line, contract: Contract) -> Interval:
    """The period that a line corrects, its day where lines are split by day, or its own."""
    if line.corrects is None and line.by.get(DAY):
        day = date.fromisoformat(line.by[DAY])
        return Interval(midnight(day, contract.zone), midnight(day + timedelta(days=1), contract.zone))
    return line.corrects or line.period


def _prices(line: Line, category: str, is_correction: bool) -> dict[str, Value]:
    """Quantities and unit prices, a pricing unit. What a correction's quantity does not explain has no unit price."""
    per = focus_sku.pieces_per_unit(line)
    quantity = divide(line.quantity, per)
    amounts = _stated(line, category)
    listed, contracted = _unit_price(amounts.list, quantity), _unit_price(amounts.contracted, quantity)
    if not quantity and amounts.contracted == 0 and line.unit_price >= 0:
        contracted = line.unit_price * per
    is_measured = category == "Usage" and status_of(line) != "unused"
    if is_correction and line.meter and line.unit != "token":
        return {}  # a difference of money, whatever the quantities were
    return {
        "PricingQuantity": quantity,
        "PricingUnit": focus_sku.pricing_unit(line),
        "ListUnitPrice": None if is_correction else listed,
        "ContractedUnitPrice": None if is_correction else contracted,
        "ConsumedQuantity": line.quantity if is_measured else None,
        "ConsumedUnit": focus_sku.consumed_unit(line) if is_measured else None,
    }


def _unit_price(cost: Decimal, quantity: Decimal) -> Decimal:
    return quantize(divide(cost, quantity), PLACES).normalize() if quantity else ZERO


def _sku(line: Line, vendor: str, facts: ModelFacts | None) -> dict[str, Value]:
    maker = line.vendor or vendor
    return {
        "SkuId": focus_sku.sku_id(line, maker),
        "SkuMeter": focus_sku.sku_meter(line),
        "SkuPriceId": focus_sku.sku_price_id(line, maker),
        "SkuPriceDetails": focus_sku.sku_price_details(line, maker, facts),
    }


def _pricing_category(category: str, commitment: Mapping[str, Value]) -> dict[str, Value]:
    if category not in ("Usage", "Purchase"):
        return {}
    return {"PricingCategory": "Committed" if commitment and category == "Usage" else "Standard"}


def _dimensions(line: Line) -> dict[str, Value]:
    region = None if line.region in GLOBAL else line.region
    account = line.by.get(ACCOUNT) or None
    tags = {name.removeprefix("tag:"): value for name, value in line.by.items() if name not in (ACCOUNT, DAY) and value}
    return {
        "RegionId": region,
        "RegionName": region,
        "SubAccountId": account,
        "SubAccountName": account,
        "Tags": focus_sku.key_values(tags),
        "x_LineId": line.id,
        "x_Clause": line.clause,
        "x_Outcome": line.outcome or None,
    }


def _rounding(amount: Decimal, invoice: Invoice, contract: Contract) -> dict[str, Value]:
    """What rounding moved: billed beyond the lines where the invoice rounds as a whole, so that Σ BilledCost is its
    total; and costed, so that Σ EffectiveCost over a term is what was asked for.
    """
    return {
        "ChargeCategory": "Adjustment",
        "ChargeDescription": "Rounding",
        "ChargeFrequency": "One-Time",
        "ChargePeriodStart": invoice.period.start,
        "ChargePeriodEnd": invoice.period.end,
        "PublisherName": contract.signed.vendor,
        "ListCost": ZERO,
        "ContractedCost": ZERO,
        "EffectiveCost": -invoice.residual,
        "BilledCost": amount,
        "x_Clause": "billing.rounding",
    }
