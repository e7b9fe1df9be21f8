"""Two contracts compared; one contract as it would be at a stance."""

from __future__ import annotations

import pytest

from offtake.contract.diff import diff
from offtake.contract.stance import parse_negotiation, with_stance
from offtake.values.errors import ContractError
from tests.unit.contract.writing import TEN_LINES, contract_of

NEGOTIATION = """\
negotiation: acme-anthropic-2026
stances:
  prices.discounts[0].share: {offered: 10%, ask: 30%, fallback: 25%, walk_away: 15%}
  "commitments[spend].overage": {offered: {at: list}, ask: removed}
"""


def test_a_contract_does_not_differ_from_itself() -> None:
    assert () == diff(contract_of(), contract_of())


def test_a_difference_has_both_values_and_both_places() -> None:
    other = contract_of("fees: {platform: 5 USD / month}\n", TEN_LINES.replace("share: 20%", "share: 25%"))
    share, platform = diff(contract_of(), other)

    assert ("prices.discounts[0].share", "20%", "25%") == (share.path, share.before, share.after)
    assert (7, 7) == (share.before_place and share.before_place.line, share.after_place and share.after_place.line)
    assert ("fees.platform", None, "5 USD / month") == (platform.path, platform.before, platform.after)
    assert platform.before_place is None


def test_named_elements_are_compared_by_name() -> None:
    added = TEN_LINES.replace("[{id: spend", "[{id: first, amount: 1 USD / year, pool: {access: [x]}, counts_at: list, "
                              "true_up: year}, {id: spend")  # fmt: skip

    assert {"commitments[first]"} == {change.path.rsplit(".", 1)[0].removesuffix(".pool")
                                      for change in diff(contract_of(), contract_of(text=added))}  # fmt: skip


def test_a_stance_puts_its_positions_in_place() -> None:
    negotiation = parse_negotiation(NEGOTIATION, "acme.negotiation.yaml")
    contract = contract_of()
    offered = with_stance(contract, negotiation, "offered")

    assert ["10%", "list"] == [change.after for change in diff(contract, offered)]
    assert ["25%"] == [change.after for change in diff(contract, with_stance(contract, negotiation, "fallback"))]
    assert "acme.negotiation.yaml" == offered.place("prices.discounts[0].share").file
    assert contract.hash != offered.hash


def test_a_stance_holds_in_every_version() -> None:
    more = "amendments: [{effective: 2026-07-01, document: A, changes: {fees.platform: 5 USD / month}}]\n"
    asked = with_stance(contract_of(more), parse_negotiation(NEGOTIATION, "n"), "ask")

    assert ["0.3", "0.3"] == [f"{version.terms.prices.discounts[0].share:.1f}" for version in asked.versions]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (NEGOTIATION.replace("discounts[0].share", "discount.share"), "C270"),
        (NEGOTIATION.replace("acme-anthropic-2026", "other"), "C271"),
        (NEGOTIATION.replace("10%", "10"), "C213"),
        (NEGOTIATION.replace("offered", "offerd"), "C210"),
    ],
)
def test_a_position_that_does_not_fit_is_refused_with_its_place(text: str, code: str) -> None:
    with pytest.raises(ContractError) as caught:
        with_stance(contract_of(), parse_negotiation(text, "acme.negotiation.yaml"), "offered")

    assert code == caught.value.code
    assert caught.value.findings[0].where is not None
    assert "acme.negotiation.yaml" == caught.value.findings[0].where.file
