"""Where a contract stands: figures that can be checked by hand. Haiku's input costs 1 USD a million tokens."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, localcontext

from offtake.assurance.next_dates import next_dates
from offtake.assurance.status import CommitmentStatus, commitment_statuses, lot_statuses, tier_status
from offtake.contract.parse import parse_bytes
from offtake.rating.compiled import CompiledTerms
from offtake.rating.source import Records
from offtake.rating.stopped import Stopped, stop_at
from offtake.store.catalogs import open_catalog
from offtake.usage.record import UsageRecord
from offtake.values.money import EXACT, divide

CATALOG = open_catalog([], None)
HEAD = """\
contract: c
buyer: b
vendor: anthropic
term: {from: 2026-01-01, until: 2027-01-01, time_zone: UTC, currency: USD}
billing: {period: month, anchor: 1, rounding: {where: line, places: 2, mode: half_even}}
scope: {models: [claude-*], channels: [realtime], access: [api]}
failed_requests: billed
"""
PLAIN = "prices: {basis: list, cache: catalog}\n"
COMMITMENT = (
    "commitments: [{id: spend, amount: 1_200 USD / year, pool: all_models, counts_at: contracted, true_up: quarter"
)


def used(first: datetime, dollars: list[int], **fields: object) -> list[UsageRecord]:
    """One request a day at noon, so many dollars at list price."""
    return [
        UsageRecord(
            id=f"{first:%m%d}-{index}", used_at=first + timedelta(days=index, hours=12), model="claude-haiku-4-5",
            quantities={"input_tokens": amount * 10**6}, context_tokens=0, **fields,  # type: ignore[arg-type]
        )
        for index, amount in enumerate(dollars)
        if amount
    ]  # fmt: skip


def stopped(text: str, records: list[UsageRecord], at: datetime, assume: str = "low") -> Stopped:
    contract, source = parse_bytes((HEAD + text).encode(), "c.yaml"), Records(records)
    with localcontext(EXACT):
        terms = CompiledTerms(contract, CATALOG)
        return stop_at(source, terms, source.survey(False), at, assume)  # type: ignore[arg-type]


def status(text: str, records: list[UsageRecord], at: datetime) -> CommitmentStatus:
    with localcontext(EXACT):
        return commitment_statuses(stopped(text, records, at))[0]


def day(month: int, number: int = 1) -> datetime:
    return datetime(2026, month, number, tzinfo=UTC)


def test_drawn_left_pace_and_what_will_be_short() -> None:
    found = status(PLAIN + COMMITMENT + "}]", used(day(1), [2] * 10), day(1, 11))

    assert (Decimal(300), Decimal(20), Decimal(280)) == (found.committed, found.drawn, found.left)
    assert divide(Decimal(10), 90) == found.time_share
    assert Decimal("0.6") == (found.pace or Decimal(0)).quantize(Decimal("0.0001"))
    assert found.projection is not None
    assert Decimal(180) == found.projection.drawn.mid  # 20 + 80 days × 2
    assert Decimal(120) == found.projection.shortfall.mid == found.projection.cost.mid
    assert Decimal(0) == found.projection.overage.high


def test_usage_after_the_instant_does_not_count() -> None:
    records = used(day(1), [2] * 30)

    assert Decimal(20) == status(PLAIN + COMMITMENT + "}]", records, day(1, 11)).drawn


def test_the_window_is_the_one_that_holds_the_instant() -> None:
    found = status(PLAIN + COMMITMENT + "}]", used(day(1), [2] * 10), day(4, 1))

    assert (day(4), day(7)) == (found.window.start, found.window.end)
    assert (Decimal(0), None) == (found.drawn, found.pace)


def test_at_the_end_of_the_term_the_last_window_is_shown_and_nothing_is_projected() -> None:
    found = status(PLAIN + COMMITMENT + "}]", used(day(12), [2] * 10), datetime(2027, 1, 1, tzinfo=UTC))

    assert (Decimal(20), Decimal(1), None) == (found.drawn, found.time_share, found.projection)


def test_a_shortfall_costs_the_share_that_the_contract_names() -> None:
    found = status(PLAIN + COMMITMENT + ", shortfall: {share: 50%}}]", used(day(1), [2] * 10), day(1, 11))

    assert found.projection is not None
    assert (Decimal(120), Decimal(60)) == (found.projection.shortfall.mid, found.projection.cost.mid)


def test_minimums_keep_the_projection_up() -> None:
    # 20 drawn of 50 in January: 30 missing; February and March bring 50 each at least: 20 + 130.
    found = status(PLAIN + COMMITMENT + ", minimum: 50 USD / month}]", used(day(1), [10, 10]), day(1, 31))

    assert found.minimum is not None
    assert (Decimal(50), Decimal(30)) == (found.minimum.amount, found.minimum.missing)
    assert found.projection is not None
    assert Decimal(150) == found.projection.drawn.low


def test_what_lies_beyond_costs_its_premium() -> None:
    found = status(
        PLAIN + COMMITMENT + ", overage: {at: contracted, surcharge: 10%}}]", used(day(1), [10] * 10), day(1, 11)
    )

    assert found.projection is not None
    assert found.projection.premium is not None
    assert Decimal(600) == found.projection.overage.mid  # 100 + 80 × 10 − 300
    assert Decimal(60) == found.projection.premium.mid


def test_what_the_data_leaves_open_is_a_range() -> None:
    policy = "{http_5xx: free, timeout: billed, vendor_truncation: billed, refusal: billed, client_cancel: billed, "
    free = HEAD.replace("failed_requests: billed", f"failed_requests: {policy}client_error: billed}}")
    contract = parse_bytes((free + PLAIN + COMMITMENT + "}]").encode(), "c.yaml")
    source = Records(used(day(1), [2] * 10, outcome=None, grain="day"))
    with localcontext(EXACT):
        terms = CompiledTerms(contract, CATALOG)
        survey = source.survey(False)
        low, high = stop_at(source, terms, survey, day(1, 11)), stop_at(source, terms, survey, day(1, 11), "high")
        found = commitment_statuses(low, high)[0]

    assert low.uncertain
    assert (Decimal(0), Decimal(20)) == (found.drawn, found.drawn_high)


def test_a_rollover_shows_until_it_lapses() -> None:
    # January to March draw 20 of 300: 280 unused, of which a fifth rolls into the next quarter: 56.
    text = PLAIN + COMMITMENT + ", rollover: {share: 20%, of: unused, into: next_quarter, order: first}}]"
    found = stopped(text, [*used(day(1), [20]), *used(day(4), [6])], day(4, 2))

    lot = lot_statuses(found)[0]
    assert (Decimal(56), Decimal(50)) == (lot.granted, lot.remaining)
    assert day(7) == lot.expires
    with localcontext(EXACT):
        assert Decimal(0) == commitment_statuses(found)[0].drawn
    assert (day(7), "what is left of spend rollover lapses") in [(each.at, each.what) for each in next_dates(found)]


def test_prepaid_money_is_what_is_left_of_it() -> None:
    text = PLAIN + COMMITMENT + ", prepaid: {share: 100%, discount: 5%, as: cash}}]"

    lots = lot_statuses(stopped(text, used(day(1), [20]), day(1, 11)))
    assert [("commitments[0].prepaid", Decimal(280))] == [(lot.clause, lot.remaining) for lot in lots]


def test_the_tier_says_how_far_the_next_step_is() -> None:
    tiers = """prices:
  basis: list
  cache: catalog
  tiers:
    kind: graduated
    measure: {amount: contracted, at: frozen}
    window: contract_year
    steps: [{up_to: 50 USD, share: 0%}, {up_to: 90 USD, share: 5%}, {share: 8%}]
"""
    found = tier_status(stopped(tiers, used(day(1), [60]), day(1, 11)))

    assert found is not None
    assert (Decimal(60), Decimal("0.05")) == (found.measured, found.share)
    assert (Decimal(30), Decimal("0.08")) == (found.left, found.next_share)


def test_a_contract_without_tiers_has_no_tier() -> None:
    assert tier_status(stopped(PLAIN, used(day(1), [60]), day(1, 11))) is None


def test_the_next_dates_are_those_after_the_instant_in_order() -> None:
    text = (
        PLAIN + COMMITMENT + "}]\n"
        "payment: {due: 45 days, dispute_within: 60 days}\n"
        "renewal: {automatic: true, notice: 90 days}\n"
        "obligations: [{id: review, who: vendor, every: quarter}, {id: press, who: buyer, due: 2026-03-31}]\n"
        'amendments: [{effective: 2026-07-01, document: "Amendment 1", changes: {payment.due: 30 days}}]\n'
    )
    found = [(f"{each.at:%m-%d}", each.what) for each in next_dates(stopped(text, [], day(2, 10)))]

    assert [
        ("03-01", "the billing period closes"),
        ("03-18", "payment is due for the invoice to 2026-02-01"),
        ("03-31", "buyer: press"),
        ("04-01", "spend: true-up of the commitment"),
        ("04-01", "vendor: review"),
        ("04-02", "last day to dispute the invoice to 2026-02-01"),
        ("07-01", "Amendment 1 takes effect"),
        ("10-03", "last day to stop the renewal"),
        ("01-01", "the contract ends"),
    ] == found


def test_a_model_that_passed_an_evaluation_must_pass_again() -> None:
    admitted = "[{model: claude-haiku-4-5, score: 96%, tasks: 250, until: 2026-04-12}]"
    text = f"{PLAIN}models: {{evaluation: [{{suite: bot, floor: 92%, confidence: 95%, admitted: {admitted}}}]}}\n"
    found = [(each.at, each.what, each.clause) for each in next_dates(stopped(text, [], day(2, 10)))]

    assert (day(4, 12), "claude-haiku-4-5 must pass bot again", "models.evaluation[0].admitted[0].until") in found


def test_a_model_must_pass_again_when_the_last_of_its_admissions_ends() -> None:
    admitted = "[{model: claude-haiku-4.5, score: 96%, tasks: 250, until: 2026-04-12}]"
    suite = f"{{suite: bot, floor: 92%, confidence: 95%, admitted: {admitted}}}"
    text = f"{PLAIN}models: {{evaluation: [{suite}, {suite.replace('bot', 'code')}]}}\n"
    accepted = [(0, "claude-haiku-4-5", date(2026, 5, 1)), (1, "claude-haiku-4-5", date(2026, 3, 1))]
    accepted.append((1, "claude-opus-4-7", date(2026, 6, 1)))
    found = [each for each in next_dates(stopped(text, [], day(2, 10)), accepted) if "must pass" in each.what]

    assert [
        (day(4, 12), "claude-haiku-4.5 must pass code again", "models.evaluation[1].admitted[0].until"),
        (day(5, 1), "claude-haiku-4-5 must pass bot again", "models.evaluation[0]"),
        (day(6, 1), "claude-opus-4-7 must pass code again", "models.evaluation[1]"),
    ] == [(each.at, each.what, each.clause) for each in found]
