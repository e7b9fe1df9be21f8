"""Properties of the contract's text: it can be written back, and it holds still between two changes."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from offtake.contract.diff import diff
from offtake.contract.parse import parse
from offtake.contract.render import render
from offtake.values.errors import ContractError

AWKWARD = [
    "no",
    "null",
    "1_000",
    "2026-01-01",
    "20%",
    "a: b",
    "- x",
    "#",
    "'",
    '"',
    "1e5",
    "~",
    "[a]",
    "&a",
    "x y",
    "True",
]
words = st.one_of(
    st.sampled_from(AWKWARD),
    st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]), min_size=1, max_size=12),
)
quoted = words.map(lambda word: '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"')
shares = st.decimals(0, 100, places=2).map(lambda share: f"{share}%")
amounts = st.decimals(0, 10**9, places=2).map(lambda amount: f"{amount} USD")
days = st.dates(date(2026, 1, 2), date(2027, 12, 30))
expiries = st.one_of(days.map(str), st.just("never"))

discounts = st.builds("{{models: {}, share: {}, source: {}}}".format, quoted, shares, quoted)
credits = st.builds(
    "name: n, amount: {}, expires: {}, priority: 1, applies_to: usage, counts: true".format, amounts, expiries
)
prices = st.builds("{}: {{input_mtok: {}}}".format, quoted, st.decimals(0, 1000, places=6))
changes = st.one_of(
    st.builds("commitment.amount: {} / year".format, amounts),
    st.builds("fees.platform: {} / month".format, amounts),
    st.just("credits: removed"),
)
amendments = st.builds("\n  - {{effective: {}, document: {}, changes: {{{}}}}}".format, days, quoted, changes)


@st.composite
def texts(draw: st.DrawFn) -> str:
    """A contract with discounts, a fixed price, a commitment, a credit and amendments, full of awkward words."""
    later = "".join(draw(st.lists(amendments, max_size=3)))
    return (
        f"contract: {draw(quoted)}\nbuyer: {draw(quoted)}\nvendor: v\n"
        "term: {from: 2026-01-01, until: 2028-01-01, time_zone: America/New_York, currency: USD}\n"
        "billing: {period: month, anchor: anniversary, rounding: {where: line, places: 2, mode: half_even}}\n"
        'scope: {models: ["*"], channels: [realtime], access: [api]}\n'
        f"prices: {{discounts: [{', '.join(draw(st.lists(discounts, max_size=3)))}], fixed: {{{draw(prices)}}}}}\n"
        f"commitments: [{{id: c, amount: {draw(amounts)} / year, pool: all_models, counts_at: list, true_up: year}}]\n"
        f"credits: [{{{draw(credits)}}}]\n" + (f"amendments:{later}\n" if later else "")
    )


@given(texts())
def test_what_is_written_back_is_the_same_contract(text: str) -> None:
    contract = parse(text, "contract.yaml")
    again = parse(render(contract), "again.yaml")

    assert contract.versions == again.versions
    assert () == diff(contract, again)


@given(texts(), days)
def test_the_text_holds_still_between_two_changes(text: str, day: date) -> None:
    contract = parse(text, "contract.yaml")
    at = contract.instant(day)
    starts = [version.effective for version in contract.versions]
    since = max(start for start in starts if start <= at)
    until = min([start for start in starts if start > at], default=contract.span.end)

    assert contract.as_of(since) == contract.as_of(at) == contract.as_of(until - timedelta(microseconds=1))


@given(st.text(max_size=200))
def test_no_text_makes_a_traceback(text: str) -> None:
    try:
        parse(text, "contract.yaml")
    except ContractError as error:
        assert all(finding.where for finding in error.findings)
