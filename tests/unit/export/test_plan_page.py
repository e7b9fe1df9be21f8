"""A plan's page: the answer first, one file, well-formed, and every figure that of the plan."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree

import pytest

from offtake.export.page import page as html_page
from offtake.export.page import table
from offtake.export.plan_contents import CacheRow, ClauseWorth, PlanPage, Where, Worth
from offtake.export.plan_page import plan_page
from offtake.operations.find_crossover import find_crossover
from offtake.planner.crossover import Axes
from offtake.planner.offers.result import PlanResult, Sensitivity
from tests.unit.export.plans import AGGREGATOR, ASKED, plan
from tests.unit.export.test_report import Outline


@pytest.fixture(scope="module")
def where() -> Where:
    models = ("claude-opus-4.7", "gpt-5.4")
    axes = Axes(models, (Decimal(10_000), Decimal(500_000)), (Decimal("0.1"), Decimal("0.4")), ())
    found = find_crossover(axes, aggregator=Path(AGGREGATOR), catalogs=ASKED.catalogs, at=ASKED.at)
    return Where("aggregator-customer", models, found.crossover)


@pytest.fixture(scope="module")
def page(where: Where) -> PlanPage:
    quarter = Decimal("0.2174")
    cache = [
        CacheRow("chat", "claude-opus-4.7", quarter, Decimal("0.2114"), Decimal("0.1"), Decimal("1.25")),
        CacheRow("nightly", "claude-opus-4.7", quarter, None, Decimal("0.1"), Decimal("1.25")),
        CacheRow("", "gpt-5.4", Decimal(0), None, Decimal(1), Decimal(1)),
    ]
    worth = [Worth("direct", [ClauseWorth("prices.discounts[0]", "list prices", *map(Decimal, (220_369, 0, 418_060)))])]
    return PlanPage(
        plan(), "the answer", "A plan for usage.csv", cache, where, worth, ["a <note>"], "offtake plan 'a b'"
    )


def text(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def header(plan: PlanResult, page: PlanPage) -> str:
    return text(plan_page(replace(page, plan=plan)).split("<main>")[0].split("</style>")[1])


def test_the_answer_is_the_headline_and_the_steps_follow(page: PlanPage) -> None:
    """148,800 a month at list, a sixth of it moved to batch, then 22% off and 1,000 of fees a month."""
    html = plan_page(page)

    assert ["Save <b>$496,896</b> a year"] == re.findall(r"<h1>(.*?)</h1>", html)
    first = header(page.plan, page)
    assert (
        "$1,785,600 over 12 months as it is bought now (list prices); $1,288,704 with this plan, 27.8% less." in first
    )
    assert "Sign direct and commit $1,200,000 : its bill is $1,288,704 over 12 months, $12,000 of it fees." in first
    assert "Buy everything under direct. Move to batch: nightly." in first
    assert "Taken for granted: the usage (31 days)" in first


def test_the_page_needs_no_other_file(page: PlanPage) -> None:
    html = plan_page(page)
    outline = Outline(html)

    assert "script" not in outline.tags
    assert not {"link", "img", "iframe"} & set(outline.tags)
    assert "http" not in html
    assert "url(" not in html
    assert "@import" not in html


def test_tags_close_and_pictures_are_well_formed(page: PlanPage) -> None:
    html = plan_page(page)
    pictures = re.findall(r"<svg.*?</svg>", html)

    assert [] == Outline(html).open
    assert 2 * (1 + 1 + 1 + 1 + 2) == len(pictures)  # waterfall, fan, sensitivity, clauses, two maps
    for each in pictures:
        ElementTree.fromstring(each)
    assert "a &lt;note&gt;" in html
    assert "offtake plan &#x27;a b&#x27;" in html


def test_every_alternative_and_case_stands_there(page: PlanPage) -> None:
    words = text(plan_page(page))

    for each in page.plan.alternatives:
        assert f"{each.name} ${each.cost:,.0f} ${each.more:,.0f}" in words
    for case in page.plan.sensitivity:
        assert f"{case.demand.normalize():f} × today’s ${case.today:,.0f} ${case.plan:,.0f}" in words


def test_the_largest_workloads_come_first(page: PlanPage) -> None:
    route = page.plan.route
    html = plan_page(replace(page, plan=replace(page.plan, route=tuple(sorted(route, key=lambda each: each.month)))))

    assert ["chat", "nightly"] == re.findall(r'<th scope="row">(\w+)', html.split("What goes where")[1])[:2]


def test_a_cache_says_what_it_does_and_makes_up_no_hit_rate(page: PlanPage) -> None:
    words = text(plan_page(page))

    assert "chat claude-opus-4.7 78.9% less, as measured 21.74% of input" in words
    assert "between 90.0% less and 25.0% more: not measured 21.74% of input" in words
    assert "the same: no prompt is long enough any share" in words


def test_a_workload_in_parts_is_named_by_its_parts(page: PlanPage) -> None:
    """A reservation takes what cannot wait and some of the rest; the rest goes elsewhere in batch."""
    chat = page.plan.route[0]
    waits = replace(chat, can_wait=True, way=chat.way._replace(channel="batch"))
    most, rest = Decimal("0.864"), Decimal("0.136")
    rows = chat, replace(chat, can_wait=True, share=most), replace(waits, offer="rates", share=rest)
    first = header(replace(page.plan, route=rows), page)

    assert "Buy chat that cannot wait and 86.4% of chat that can wait under direct." in first
    assert "Buy 13.6% of chat that can wait under rates. Move to batch: 13.6% of chat that can wait." in first


def test_a_bill_that_is_all_fees_says_so(page: PlanPage) -> None:
    signed = replace(page.plan.sign[0], committed=Decimal(0), fees=Decimal(2_160_000), billed=Decimal(2_160_000))

    first = header(replace(page.plan, sign=(signed,)), page)
    assert "Sign direct : its bill is $2,160,000 over 12 months, all of it fees." in first


def test_sign_nothing_says_whether_something_could_be_signed(page: PlanPage) -> None:
    unsigned = replace(page.plan, sign=())
    alternatives = tuple(each for each in page.plan.alternatives if each.name.startswith("without"))

    assert "Sign nothing. No signature on the table pays on this usage." in header(unsigned, page)
    assert "Sign nothing. Nothing here needs a signature." in header(replace(unsigned, alternatives=alternatives), page)


@pytest.mark.parametrize(
    ("difference", "words"), [("0", "the same."), ("0.60", "$0.60 more."), ("-0.07", "$0.07 less.")]
)
def test_the_footer_says_how_the_bill_differs_from_the_search(difference: str, words: str, page: PlanPage) -> None:
    plan = replace(page.plan, difference=Decimal(difference))

    assert f"and the bill is {words}" in text(plan_page(replace(page, plan=plan)))


def test_a_plan_that_changes_nothing_says_stay(page: PlanPage) -> None:
    same = replace(
        page.plan, cost=page.plan.today, sign=(), sensitivity=(Sensitivity(Decimal("0.5"), Decimal(1), Decimal(1)),)
    )
    html = plan_page(replace(page, plan=same))

    assert ["Stay as you are"] == re.findall(r"<h1>(.*?)</h1>", html)
    assert "nothing on the table costs less" in header(same, page)
    assert "Sign nothing." in header(same, page)
    assert "Where the saving comes from" not in html
    assert "If demand differs" not in html


def test_a_plan_that_may_lose_money_says_when(page: PlanPage) -> None:
    cases = (
        Sensitivity(Decimal("0.50"), Decimal(1_200), Decimal(900)),
        Sensitivity(Decimal("0.8"), Decimal(1), Decimal(2)),
    )
    risky = replace(page.plan, sensitivity=cases)

    assert "It loses money if demand falls : at 0.5 × today’s, $300." in header(risky, page)
    assert "It loses money" not in header(replace(risky, sensitivity=cases[1:]), page)


def test_a_smaller_promise_may_lose_money_when_demand_grows(page: PlanPage) -> None:
    cases = (
        Sensitivity(Decimal("1.2"), Decimal(1_200), Decimal(1_100)),
        Sensitivity(Decimal("1.50"), Decimal(1_900), Decimal(1_500)),
    )
    words = header(replace(page.plan, sensitivity=cases), page)

    assert "It loses money if demand grows : at 1.2 × today’s, $100." in words
    assert "falls" not in words


def test_a_search_that_was_stopped_says_so(page: PlanPage) -> None:
    stopped = replace(page.plan, search=replace(page.plan.search, stopped=True, gap=Decimal("0.031")))

    words = "The search was stopped: this is its best plan so far, at most 3.10% from the best possible"
    assert words in header(stopped, page)


def test_a_plan_for_many_futures_says_why_the_forecast_would_choose_another(page: PlanPage) -> None:
    careful = plan(scenarios=20)
    assert not careful.sign
    assert any(each.more < 0 for each in careful.alternatives)

    words = text(plan_page(replace(page, plan=careful)))
    assert "What costs less here costs more on the 20 drawn futures." in words
    assert "No other choice among these offers costs less, on 20 drawn futures." in words


def test_rows_that_are_left_out_are_named_beside_the_answer(page: PlanPage) -> None:
    assert "Left out: 2 rows could not be read." in header(
        replace(page.plan, warnings=("2 rows could not be read",)), page
    )


def test_a_dearer_plan_says_what_it_costs(page: PlanPage) -> None:
    dearer = replace(page.plan, cost=page.plan.today + 1_200)

    assert "Costs $1,200 a year more" in header(dearer, page)


def test_a_table_of_many_columns_names_each_cell_for_a_narrow_screen() -> None:
    html = table(("Who", 'Says "what"', "More", "Count"), [("<b>a</b>", "b", "c", "1")], numbers=1)

    assert 'class="plain stacked together"' in html
    assert '<td data-label="Says &quot;what&quot;">b</td>' in html
    assert '<td class="n" data-label="Count">1</td>' in html
    assert 'class="plain"' in table(("Who", "Count"), [("a", "1")] * 30, numbers=1)


def test_a_title_is_escaped() -> None:
    assert "<title>a &lt; b</title>" in html_page("a < b", "")


def test_names_are_words_and_never_tags(page: PlanPage) -> None:
    nasty = "<script>x</script>&\"'"
    sent = replace(page.plan.route[0], workload=nasty, offer=nasty, today=nasty)
    signed = replace(page.plan.sign[0], offer=nasty, level=nasty)
    case = replace(page.plan.alternatives[0], name=nasty)
    plan = replace(
        page.plan, route=(sent, *page.plan.route[1:]), sign=(signed,), alternatives=(case,), today_name=nasty,
        assumptions=(nasty,), warnings=(nasty,), binding={nasty: nasty},
        waterfall=tuple(replace(step, name=nasty) for step in page.plan.waterfall),
    )  # fmt: skip
    worth = [Worth(nasty, [ClauseWorth(nasty, nasty, *map(Decimal, (1, 0, 2)))])]
    html = plan_page(replace(page, plan=plan, answer=nasty, usage=nasty, worth=worth, notes=[nasty], again=nasty))

    assert "<script" not in html
    assert [] == Outline(html).open
