"""The pictures of a plan: well-formed, inside their frame, and no words over other words, whatever the numbers."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import combinations
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offtake.export.charts import tick_step, top_tick
from offtake.export.page import NARROW, WIDE
from offtake.export.plan_charts import Fan, Rung, Square, fan, squares, waterfall
from offtake.export.tornado import Bar, tornado

LETTER_MAX, LINE = 9, 14
BOTH = pytest.mark.parametrize("width", [WIDE, NARROW])
Box = tuple[str, float, float, float, float]


def boxes(svg: str) -> list[Box]:
    """Each text and about where it stands: words, left, top, right, bottom."""
    return list(_boxes(ElementTree.fromstring(svg)))


def _boxes(picture: ElementTree.Element) -> Iterator[Box]:
    for each in picture.iter("text"):
        words, x, y = each.text or "", float(each.attrib["x"]), float(each.attrib["y"])
        width = len(words) * LETTER_MAX
        left = x - width * {"start": 0, "middle": 0.5, "end": 1}[each.get("text-anchor", "start")]
        yield words, left, y - LINE + 3, left + width, y + 3


def overlaps(svg: str) -> list[tuple[str, str]]:
    return [
        (one[0], other[0])
        for one, other in combinations(boxes(svg), 2)
        if one[1] < other[3] and other[1] < one[3] and one[2] < other[4] and other[2] < one[4]
    ]


def beyond(svg: str, width: int) -> list[str]:
    """Words that leave the picture at the left or right, but for a letter's width."""
    return [box[0] for box in boxes(svg) if box[1] < -LETTER_MAX or box[3] > width + 2 * LETTER_MAX]


def test_overlaps_are_seen() -> None:
    svg = '<svg><text x="0" y="20">one</text><text x="20" y="22">two</text><text x="0" y="60">three</text></svg>'
    assert [("one", "two")] == overlaps(svg)
    assert ["three"] == beyond('<svg><text x="370" y="20">three</text></svg>', 390)


def rungs(*amounts: int) -> list[Rung]:
    """Today, a step for each amount that is saved, and the plan."""
    left = Decimal(amounts[0])
    found = [Rung("today", Decimal(0), left, True)]
    for amount in amounts[1:]:
        found.append(Rung("what can wait in batch", left, left - amount, False))
        left -= amount
    return [*found, Rung("the plan", Decimal(0), left, True)]


@BOTH
@pytest.mark.parametrize(
    "amounts", [(0,), (1, 0), (100, 0, 0), (1_316_265, 50_581, 198_156), (900, -200), (98_765_432, 98_765_431)]
)
def test_a_waterfall_keeps_its_words_apart(amounts: tuple[int, ...], width: int) -> None:
    svg = waterfall(rungs(*amounts), "wide", "title", "words", width=width, currency="USD")

    assert [] == overlaps(svg)
    assert [] == beyond(svg, width)


def test_a_waterfall_says_what_was_saved_and_what_was_added() -> None:
    svg = waterfall(rungs(1_000, 400, -100), "wide", "a < b", "words & more", width=WIDE, currency="EUR")
    picture = ElementTree.fromstring(svg)

    assert ["whole", "saved", "added", "whole"] == [each.attrib["class"] for each in picture.iter("rect")]
    amounts = [each.text for each in picture.iter("text") if each.attrib["class"] == "amount"]
    assert ["1,000 EUR", "-400 EUR", "100 EUR", "700 EUR"] == amounts
    assert "a < b" == picture.findtext("title")


FANS: dict[str, tuple[list[int], list[int], list[int], int | None]] = {
    "one future": ([89_000], [89_000], [89_000], 50_000),
    "all equal": ([50_000] * 12, [50_000] * 12, [50_000] * 12, 50_000),
    "just above the promise": ([10], [50_001], [90_000], 50_000),
    "nothing promised": ([0, 0], [40_000, 45_000], [90_000, 100_001], None),
    "a promise above all": ([1], [2], [3], 1_000_000),
    "nothing bought": ([0] * 24, [0] * 24, [0] * 24, None),
}


@BOTH
@pytest.mark.parametrize("name", FANS)
def test_a_fan_keeps_its_words_apart(name: str, width: int) -> None:
    low, middle, high, promised = FANS[name]
    rows = [[Decimal(each) for each in row] for row in (low, middle, high)]
    data = Fan(rows[0], rows[1], rows[2], None if promised is None else Decimal(promised))
    svg = fan(data, "wide", "title", "words", width=width, height=300, currency="USD")

    assert [] == overlaps(svg)
    assert [] == beyond(svg, width)


@given(st.decimals(min_value="0.01", max_value="1e12", places=2))
@settings(max_examples=200)
def test_nothing_lies_above_the_top_tick(peak: Decimal) -> None:
    top = top_tick(peak)
    assert top - tick_step(peak) < peak <= top


@BOTH
@pytest.mark.parametrize("saved", [(0, 0, 0), (-231_477, 437_310, 691_965), (-5, -4, -3), (1, 1, 31_076_271)])
def test_a_tornado_keeps_its_words_apart(saved: tuple[int, ...], width: int) -> None:
    amounts = [Decimal(each) for each in saved]
    bars = [Bar(f"{number} × today’s", each, each, each) for number, each in enumerate(amounts)]
    svg = tornado(bars, "wide", "title", "words", width=width)

    assert [] == overlaps(svg)
    assert [] == beyond(svg, width)
    assert 'class="span"' not in svg


@BOTH
def test_a_map_fits_its_squares(width: int) -> None:
    cells = [Square("direct", "-$201.9k"), Square("aggregator", ""), Square("mixed", "$94")]
    rows = [("40%", cells), ("5%", cells)]
    svg = squares(["$10k", "$500k", "$1M"], rows, "wide", "title", "words", width=width)

    assert [] == overlaps(svg)
    assert [] == beyond(svg, width)
    assert 6 == svg.count('class="square ')
