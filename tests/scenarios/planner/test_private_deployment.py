"""A private deployment against a price a token, on the shipped contract: 400,000 USD a year, 4 + 1 + 2 instances.

An instance is $6,000 a month, operations are $20,000: 33,333.33 + 7 × 6,000 + 20,000 = 95,333.33 a month. Opus 4.7 at
one token in for three out is (5 + 3 × 25) / 4 = $20 a million.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from offtake.operations.weigh_deployment import weigh_deployment
from offtake.planner.private_deployment import Comparison, Running
from offtake.values.errors import ContractError, InputError

ROOT = Path(__file__).parents[3]
PRIVATE = ROOT / "contracts" / "private-deployment" / "contract.yaml"
OPUS, HAIKU = "claude-opus-4.7", "claude-haiku-4-5"
RUNNING = Running(Decimal(6_000), Decimal(20_000), Decimal(1_000))


def weighed(
    *models: str, running: Running = RUNNING, volume: int | None = None, against: Path | None = None
) -> Comparison:
    found = weigh_deployment(
        PRIVATE, running, models=models, mix=(1, 3), utilisations=[Decimal("0.5"), Decimal(1)], volume=volume,
        against=against, at=date(2026, 6, 1),
    )  # fmt: skip
    return found.comparisons[-1]


def test_what_it_costs_a_month() -> None:
    """800,000 of licence over 24 months; seats and support are owed either way and are not in it."""
    found = weighed(OPUS)

    assert (Decimal("33333.33"), Decimal(42_000), Decimal(20_000)) == (found.fees, found.hardware, found.operations)
    assert Decimal("95333.33") == found.monthly


def test_break_even() -> None:
    """95,333.33 / 20 = 4,766.6665 million tokens, of 4 × 1,000 × 2,628,000 = 10,512 million: 45.35%."""
    found = weighed(OPUS)

    assert (4_766_666_500, 10_512_000_000) == (found.break_even_tokens, found.capacity_tokens)
    assert Decimal("0.4535") == found.break_even_utilisation


def test_at_the_break_even_both_cost_the_same() -> None:
    needed = weighed(OPUS).break_even_tokens
    point = weighed(OPUS, volume=needed).volume

    assert point
    assert (Decimal("95333.33"), Decimal("95333.33"), Decimal(0)) == (point.private, point.per_token, point.saving)


def test_the_cost_of_a_million_falls_with_utilisation() -> None:
    """95,333.33 / 5,256 = 18.1380 and / 10,512 = 9.0690, against 20."""
    half, full = weighed(OPUS).points

    assert (Decimal("18.1380"), Decimal("9.0690")) == (half.private_mtok, full.private_mtok)
    assert Decimal("20.0000") == full.per_token_mtok
    assert Decimal("9786.67") == half.saving


def test_each_further_model_brings_instances_of_its_own() -> None:
    """33,333.33 + 14 × 6,000 + 20,000 = 137,333.33; Haiku is (1 + 15) / 4 = 4, so 12 a million: 11,444.4 million."""
    found = weighed(OPUS, HAIKU)

    assert (Decimal("137333.33"), 21_024_000_000) == (found.monthly, found.capacity_tokens)
    assert 11_444_444_167 == found.break_even_tokens


def test_a_licence_for_each_model() -> None:
    assert Decimal("66666.66") == weighed(OPUS, HAIKU, running=replace(RUNNING, license_per_model=True)).fees


@pytest.mark.parametrize(
    ("peak_to_mean", "pays"), [(None, True), ("2", True), ("2.2", True), ("2.3", False), ("3", False)]
)
def test_peaks_leave_less_to_fill(peak_to_mean: str | None, pays: bool) -> None:
    """45.35% must be full; a peak of 2.2 times the mean leaves 45.45%, of 2.3 times 43.47%."""
    known = None if peak_to_mean is None else Decimal(peak_to_mean)

    assert pays == weighed(OPUS, running=replace(RUNNING, peak_to_mean=known)).pays


def test_against_a_contract_with_prices_of_its_own() -> None:
    """20% off Haiku: 4 × 0.8 = 3.20 a million, so 95,333.33 / 3.20 = 29,791.665625 million tokens."""
    mid_size = ROOT / "contracts" / "mid-size" / "contract.yaml"

    assert 29_791_665_625 == weighed(HAIKU, against=mid_size).break_even_tokens


def test_a_contract_without_a_licence() -> None:
    with pytest.raises(ContractError, match="the contract has no licence to weigh"):
        weigh_deployment(
            ROOT / "contracts" / "mid-size" / "contract.yaml", RUNNING, models=[OPUS], mix=(1, 3), utilisations=[]
        )


def test_a_contract_without_instances(tmp_path: Path) -> None:
    path = tmp_path / "contract.yaml"
    said = "  instances: {production: 4, recovery: 1, test: 2}\n"
    text = PRIVATE.read_text()
    assert said in text
    path.write_text(text.replace(said, ""))

    with pytest.raises(ContractError, match="does not say how many instances serve production"):
        weigh_deployment(path, RUNNING, models=[OPUS], mix=(1, 3), utilisations=[])


def test_instances_that_serve_nothing() -> None:
    with pytest.raises(InputError, match="serve no token in a month"):
        weighed(OPUS, running=replace(RUNNING, tokens_per_second=Decimal("0.00000001")))
