"""The report as HTML: one answer, tables that say what they are, and nothing fetched from anywhere."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from decimal import Decimal
from html.parser import HTMLParser

import pytest

from offtake.assurance.difference import Reconciliation
from offtake.export.charts import tick_step
from offtake.export.report import Page, report
from offtake.operations.demo.run import Demo, page_of

VOID = {"meta", "line", "circle", "polyline", "polygon", "br"}


class Outline(HTMLParser):
    """Tags as they open, and whether each one closes where it should."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str, str | None]] = []
        self.text: dict[str, str] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1

    def handle_endtag(self, tag: str) -> None:
        assert tag == self.open.pop()

    def handle_data(self, data: str) -> None:
        if self.open:
            self.text[self.open[-1]] = self.text.get(self.open[-1], "") + data


@pytest.fixture(scope="module")
def page(demo: Demo) -> Page:
    return page_of(demo)


@pytest.fixture(scope="module")
def html(page: Page) -> str:
    return report(page)


def test_there_is_one_headline_and_it_is_the_answer(html: str) -> None:
    headings = re.findall(r"<h1>(.*?)</h1>", html)

    assert ["Overbilled <b>$7,603.78</b>"] == headings


def test_everything_that_opens_closes(html: str) -> None:
    outline = Outline(html)

    assert [] == outline.open
    assert 1 == outline.tags["main"]


def test_each_table_says_what_it_is_and_its_columns_too(html: str) -> None:
    tables = re.findall(r"<table.*?</table>", html, flags=re.DOTALL)

    assert tables
    assert [] == [table for table in tables if "<caption>" not in table]
    assert [] == [head for head in re.findall(r"<th(?![a-z])[^>]*>", html) if "scope=" not in head]


def test_each_chart_has_words_and_a_table(html: str) -> None:
    charts = re.findall(r"<svg.*?</svg>", html, flags=re.DOTALL)

    assert 2 == len(charts)  # one for wide screens, one for narrow ones
    for chart in charts:
        assert 'role="img"' in chart
        assert "<title id=" in chart
        assert "<desc id=" in chart
    assert "Drawn of the commitment, by week" in html


def test_ids_are_unique_and_links_lead_to_them(html: str) -> None:
    ids = [value for _, name, value in Outline(html).attributes if name == "id"]
    links = [value for _, name, value in Outline(html).attributes if name == "href" and value]

    assert sorted(set(ids)) == sorted(ids)  # type: ignore[type-var]
    assert links
    assert set() == {link.removeprefix("#") for link in links} - set(ids)


def test_nothing_is_fetched_and_nothing_runs(html: str) -> None:
    assert [] == re.findall(r"https?:|//[a-z]|url\(|@import|<script|<link|<img|\son[a-z]+=", html)


def test_a_claim_stands_with_its_clause_and_its_evidence(html: str, demo: Demo) -> None:
    for number, claim in enumerate(demo.compared.result.claims, 1):
        assert f'href="#claim-{number}"' in html
        assert f'id="claim-{number}"' in html
        assert f"<code>{claim.first.clause}</code>" in html


def test_what_others_wrote_is_escaped(page: Page) -> None:
    assert "<b>&amp; Co" not in report(page)
    assert "A &lt;b&gt; &amp; Co" in report(replace(page, buyer="A <b> & Co"))


def test_a_right_bill_says_so(page: Page) -> None:
    found: Reconciliation = replace(page.compared, differences=())
    html = report(replace(page, compared=found))

    assert "<h1>The bill is right</h1>" in html
    assert [] == Outline(html).open


@pytest.mark.parametrize(
    ("peak", "step"), [(0, 1), (7, 2), (10, 2), (250, 50), (300_000, 100_000), (1_200_000, 500_000)]
)
def test_at_most_five_ticks_reach_the_peak(peak: int, step: int) -> None:
    assert Decimal(step) == tick_step(Decimal(peak))
