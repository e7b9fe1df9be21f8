"""`offtake plan`: the answer against hand arithmetic, what it refuses, and what it says."""

from __future__ import annotations

import json
import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.faces.conftest import SUITE, Offtake, accept

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = sorted((ROOT / "contracts").glob("*/contract.yaml"))
AGGREGATOR = ROOT / "contracts" / "aggregator-customer" / "contract.yaml"
CATALOG = ("--catalog", ROOT / "contracts" / "example-catalog.yaml", "--at", "2026-08-01")
HEADER = "id,used_at,vendor,model,workload,channel,grain,count,input_tokens,cache_read_tokens,output_tokens\n"

DIRECT = """\
contract: direct
buyer: Example Corp
vendor: anthropic
term: {from: 2026-01-01, until: 2027-01-01, time_zone: UTC, currency: USD}
billing: {period: month, anchor: 1, rounding: {where: line, places: 2, mode: half_even}}
scope: {models: [claude-*], channels: [realtime, batch], access: [api]}
prices: {discounts: [{models: claude-*, share: 20%}], batch: {share: 50%}, cache: catalog}
commitments: [{id: spend, amount: 1_200_000 USD / year, pool: all_models, counts_at: contracted, true_up: year}]
failed_requests: billed
"""
DIRECT_WITH_EVERYTHING_PROMISED = DIRECT + "residency: {regions: [eu], fail: closed}\ndata: {retention: 24 hours}\n"


def month(
    path: Path, *, millions_in: float = 1875, millions_out: float = 5625, cached: float = 0, workload: str = "chat"
) -> Path:
    """One month of opus in two rows: 150,000 USD at list unless said otherwise."""
    half = [int(each * 500_000) for each in (millions_in, cached, millions_out)]
    rows = [
        f"{day},2026-01-{day:02}T00:00:00Z,anthropic,claude-opus-4.7,{workload},realtime,day,1000,{half[0]},{half[1]},{half[2]}"
        for day in (1, 31)
    ]
    path.write_text(HEADER + "\n".join(rows) + "\n")
    return path


@pytest.fixture
def usage(tmp_path: Path) -> Path:
    return month(tmp_path / "usage.csv")


@pytest.fixture
def direct(tmp_path: Path) -> Path:
    path = tmp_path / "direct.yaml"
    path.write_text(DIRECT)
    return path


def planned(offtake: Offtake, *arguments: object) -> dict[str, Any]:
    done = offtake("plan", *arguments, *CATALOG, "--format", "json")
    assert 0 == done.code, done.err
    found: dict[str, Any] = json.loads(done.out)
    return found


def test_a_direct_deal_of_20_percent_beats_an_aggregator_that_gives_19_81(
    offtake: Offtake, usage: Path, direct: Path
) -> None:
    """S1's crossover: 150,000 a month at list; direct 120,000.00, aggregator with its bonus 120,283.02."""
    found = planned(offtake, usage, "--offers", direct, AGGREGATOR)

    assert ["direct"] == [each["offer"] for each in found["plan"]["sign"]]
    assert Decimal(12 * 120_000) == Decimal(found["cost"]) == Decimal(found["rerated"]["cost"])
    assert Decimal(12 * 150_000) == Decimal(found["rerated"]["today"])
    assert found["answer"] == ("Sign direct at $1,200,000.00, route all to direct: saves $360,000.00 a year (20.0%)")
    unsigned = next(each for each in found["alternatives"] if each["name"] == "sign nothing")
    assert abs(Decimal("1443396.23") - Decimal(unsigned["cost"])) < Decimal("0.10")


def test_the_shortfall_of_a_commitment_that_is_too_large_is_paid(
    offtake: Offtake, direct: Path, tmp_path: Path
) -> None:
    """100,000 a month at list: 80,000 contracted, and 1,200,000 is promised. 0.8019 of list is cheaper elsewhere."""
    usage = month(tmp_path / "less.csv", millions_in=1250, millions_out=3750)
    found = planned(offtake, usage, "--offers", direct, "--offers", AGGREGATOR)

    assert [] == found["plan"]["sign"]
    assert ["aggregator-customer"] == [each["offer"] for each in found["plan"]["route"]]
    alternative = next(each for each in found["alternatives"] if each["name"] == "sign direct")
    assert Decimal(1_200_000) == Decimal(alternative["cost"])


def test_the_playbook_stack_is_15_406_25_a_month(offtake: Offtake, tmp_path: Path) -> None:
    """40,000 at list; all in batch, 70% of the input cached: 19,212.50; × 0.85 ÷ 1.06 = 15,406.25."""
    usage = month(tmp_path / "stack.csv", millions_in=150, cached=350, millions_out=1500)
    found = planned(offtake, usage, "--offers", AGGREGATOR, "--batchable", "*=100%")

    assert abs(12 * Decimal("15406.25") - Decimal(found["cost"])) < Decimal("0.10")
    assert abs(Decimal(found["cost"]) - Decimal(found["rerated"]["cost"])) < Decimal("0.20")
    assert "batch" == found["plan"]["route"][0]["channel"]


def test_quality_lets_a_workload_move_to_a_cheaper_model(offtake: Offtake, tmp_path: Path) -> None:
    """grok-4.1 at 3/6: 10,500 at list, 3,675 at 65% off, and 6% more on each top-up."""
    usage = month(tmp_path / "route.csv", millions_in=500, millions_out=1500)
    found = planned(
        offtake, usage, "--offers", AGGREGATOR, "--quality", "chat=claude-opus-4.7,gpt-5.4,gemini-3.1-pro,grok-4.1"
    )

    assert "grok-4.1" == found["plan"]["route"][0]["model"]
    assert abs(12 * Decimal(3675) / Decimal("1.06") - Decimal(found["cost"])) < Decimal("0.02")
    assert "aggregator-customer (on grok-4.1)" in found["answer"]


def test_the_result_has_the_names_that_others_script_against(offtake: Offtake, usage: Path, direct: Path) -> None:
    found = planned(offtake, usage, "--offers", direct)

    assert {"plan", "cost", "bound", "gap", "binding", "rejected"} <= set(found)
    assert {"sign", "route"} == set(found["plan"])
    assert Decimal(found["bound"]) <= Decimal(found["cost"])
    assert Decimal(0) == Decimal(found["gap"])
    assert "anthropic" in found["binding"]
    assert sum(Decimal(each["saving"]) for each in found["waterfall"]) == Decimal(found["rerated"]["saving"])
    assert 12 == len(found["demand"])
    assert sum(Decimal(each["total"]) for each in found["rerated"]["bills"]) == Decimal(found["rerated"]["cost"])


@pytest.mark.parametrize("offer", EXAMPLES, ids=lambda path: path.parent.name)
def test_every_shipped_example_makes_a_plan_that_costs_no_more_than_list(
    offer: Path, offtake: Offtake, usage: Path
) -> None:
    found = planned(offtake, usage, "--offers", offer)

    assert Decimal(found["rerated"]["cost"]) <= Decimal(found["rerated"]["today"])
    assert all(Decimal(each["more"]) >= 0 for each in found["alternatives"])


def test_an_offer_may_be_tried_at_several_levels(offtake: Offtake, usage: Path, direct: Path) -> None:
    """105,000 a month at 30% off is 1.26 M a year, above 1.2 M; 3 M is out of reach."""
    found = planned(
        offtake, usage, "--offers", direct, "--level", "10%@600k", "--level", "30%@1.2M", "--level", "50%@3M"
    )

    assert "direct 30% at 1,200,000" == found["plan"]["sign"][0]["level"]
    assert found["answer"].startswith("Sign direct 30% at 1,200,000, route all to direct 30% at 1,200,000: saves")
    assert Decimal(12 * 105_000) == Decimal(found["rerated"]["cost"])


def test_scenarios_decide_on_drawn_futures_and_repeat_with_their_seed(
    offtake: Offtake, usage: Path, direct: Path
) -> None:
    flags = ("--offers", direct, AGGREGATOR, "--scenarios", "30", "--risk", "cvar:0.9", "--seed", "7")
    first, second = (planned(offtake, usage, *flags) for _ in range(2))

    assert first == second
    assert 30 == first["search"]["paths"]
    assert Decimal(first["bound"]) <= Decimal(first["cost"])
    assert Decimal(first["demand"][11]["p10"]) < Decimal(first["demand"][11]["p90"])


def test_needs_turn_offers_away_and_name_the_clause(
    offtake: Offtake, usage: Path, direct: Path, tmp_path: Path
) -> None:
    needs, eu = tmp_path / "needs.yaml", tmp_path / "eu.yaml"
    needs.write_text('needs:\n  - {workloads: "chat", region: eu, retention_max: 24 hours}\n')
    eu.write_text(DIRECT_WITH_EVERYTHING_PROMISED.replace("contract: direct", "contract: promised"))
    found = planned(offtake, usage, "--offers", direct, eu, "--needs", needs)

    assert ["promised"] == [each["offer"] for each in found["plan"]["sign"]]
    assert {"direct", "list prices"} == {each["offer"] for each in found["rejected"]}
    assert {"residency", "data"} == {each["clause"] for each in found["rejected"]}


def test_what_no_offer_may_serve_is_named_with_the_need_to_relax(
    offtake: Offtake, usage: Path, direct: Path, tmp_path: Path
) -> None:
    needs = tmp_path / "needs.yaml"
    needs.write_text('needs:\n  - {workloads: "*", region: eu}\n')
    done = offtake("plan", usage, "--offers", direct, "--needs", needs, *CATALOG)

    assert 2 == done.code
    assert f"{needs}:2:5: error[P661]: no offer may serve chat with claude-opus-4.7" in done.err
    assert f"relax {needs}:2:5" in done.err


def test_an_offer_that_is_not_long_enough_is_turned_away(offtake: Offtake, usage: Path, direct: Path) -> None:
    found = planned(offtake, usage, "--offers", direct, "--horizon", "24")

    assert [("direct", "term.until", f"{direct}:4:26")] == [
        (each["offer"], each["clause"], each["where"]) for each in found["rejected"]
    ]
    assert "its term ends on 2027-01-01, within the plan’s 24 months" == found["rejected"][0]["why"]


def test_a_shorter_plan_has_its_part_of_the_commitment(offtake: Offtake, usage: Path, direct: Path) -> None:
    found = planned(offtake, usage, "--offers", direct, "--horizon", "6")

    assert abs(Decimal(600_000) - Decimal(found["plan"]["sign"][0]["committed"])) < 10_000  # 181 of 365 days
    assert Decimal(6 * 120_000) == Decimal(found["rerated"]["cost"])
    assert Decimal(360_000) == Decimal(found["rerated"]["saving_a_year"])


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--offers", "nope.yaml"), 2, "P668"),
        (("--needs", "{needs}"), 2, "P665"),
        (("--quality", "chat=claude-nonsense-9"), 3, "K301"),
        (("--risk", "var:0.9"), 2, "is not a risk measure"),
        (("--cloud", "aws=lots"), 2, "write aws=1.2M"),
        (("--tokens", "gpt-*=0"), 2, "is not above zero"),
        (("--evals", "{needs}"), 2, "P665"),
    ],
    ids=["no offer", "needs", "model", "risk", "cloud", "tokens", "no floor"],
)
def test_wrong_flags_are_named(
    arguments: tuple[str, ...], code: int, words: str, offtake: Offtake, usage: Path, tmp_path: Path
) -> None:
    needs = tmp_path / "wrong.yaml"
    needs.write_text("needs: [{workloads: chat, regon: eu}]\n")
    done = offtake("plan", usage, *(each.format(needs=needs) for each in arguments), *CATALOG)

    assert (code, "") == (done.code, done.out)
    assert words in done.err


def test_bad_rows_are_named_and_the_rest_is_planned(offtake: Offtake, usage: Path) -> None:
    with usage.open("a") as file:
        file.write("3,2026-01-15T00:00:00Z,anthropic,claude-opus-4.7,chat,realtime,day,1,-5,,7\n")
    done = offtake("plan", usage, *CATALOG)

    assert 1 == done.code
    assert f"warning: {usage}:4" in done.err
    assert "negative" in done.err
    assert "warning: 1 row could not be read" in done.err


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("", 2, "U110"),
        (HEADER + "1,2026-01-01T00:00:00Z,anthropic,claude-opus-4.7,chat,realtime,request,1,5,,7\n", 2, "--months 1"),
        (HEADER + "1,2026-01-01T00:00:00Z,anthropic,no-such-model,chat,realtime,day,1,5,,7\n", 3, "K301"),
    ],
    ids=["empty", "an instant", "unknown model"],
)
def test_usage_that_makes_no_plan(text: str, code: int, words: str, offtake: Offtake, tmp_path: Path) -> None:
    path = tmp_path / "usage.csv"
    path.write_text(text)
    done = offtake("plan", path, *CATALOG)

    assert code == done.code
    assert words in done.err


def test_the_page_begins_with_the_answer(offtake: Offtake, usage: Path, direct: Path) -> None:
    done = offtake("plan", usage, "--offers", direct, AGGREGATOR, *CATALOG)

    lines = done.out.splitlines()
    assert "Sign direct at $1,200,000.00, route all to direct: saves $360,000.00 a year (20.0%)" == lines[0]
    for words in ("how far from the best", "What goes where", "Why not", "If demand differs", "Taken for granted"):
        assert words in done.out


def test_csv_has_a_row_for_each_part(offtake: Offtake, usage: Path) -> None:
    done = offtake("plan", usage, "--batchable", "chat=40%", "--format", "csv", *CATALOG)

    assert ["chat,false", "chat,true"] == [",".join(line.split(",")[:2]).lower() for line in done.out.splitlines()[1:]]


def test_without_the_extra_the_message_says_what_to_install(
    offtake: Offtake, usage: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("offtake.operations.plan_extra.find_spec", lambda name: None)
    done = offtake("plan", usage, *CATALOG)

    assert 4 == done.code
    assert "pip install 'offtake[plan]'" in done.err


def test_a_plan_for_the_largest_deal_is_billed_with_all_of_its_terms(offtake: Offtake, usage: Path) -> None:
    """What the search leaves out is said, term by term, and the bill has it: bursts, quarters, tokens, reservation."""
    offer = ROOT / "contracts" / "eight-figure-reference" / "contract.yaml"
    found = planned(offtake, usage, "--offers", offer, "--months", "0.04")

    assert ["eight-figure-reference"] == [each["offer"] for each in found["plan"]["sign"]]
    assert Decimal(13_500_000) == Decimal(found["plan"]["sign"][0]["committed"])
    assert Decimal(found["rerated"]["saving"]) > 0
    assert any("rollover" in words for words in found["rerated"]["simplified"])


def test_a_reservation_serves_what_fits_and_the_rest_pays_the_rate_card(offtake: Offtake, usage: Path) -> None:
    """800,000 output tokens a minute × 43,830 minutes are 35.064 billion a month; 140.625 billion are needed."""
    offer = ROOT / "contracts" / "reserved-capacity" / "contract.yaml"
    found = planned(offtake, usage, "--offers", offer, "--months", "0.04")

    shares = {each["reserved"]: Decimal(each["share"]) for each in found["plan"]["route"]}
    assert Decimal("0.2493") == shares[True]
    assert Decimal(1) == sum(shares.values())

    def expected(demand: Decimal) -> Decimal:
        spilled = demand - Decimal("35.064") / Decimal("140.625")
        return 12 * (180_000 + Decimal(150_000 * 25) * Decimal("0.85") * spilled)

    assert float(expected(Decimal(1))) == pytest.approx(float(found["rerated"]["cost"]), rel=1e-5)
    for each in found["sensitivity"]:  # the reservation holds no more when demand grows: all of that spills
        assert float(expected(Decimal(each["demand"]))) == pytest.approx(float(each["plan"]), rel=1e-5)


def test_a_marketplace_contract_burns_a_cloud_commitment(offtake: Offtake, usage: Path, tmp_path: Path) -> None:
    """No discount at all: 1.8 M here burns the 1 M that would be paid for nothing."""
    offer = tmp_path / "market.yaml"
    market = "true_up: year, marketplace: {burns: aws_edp, share: 100%}}]"
    offer.write_text(DIRECT.replace("true_up: year}]", market).replace("share: 20%", "share: 0%"))
    found = planned(offtake, usage, "--offers", offer, "--cloud", "aws_edp=1.3M-300k")

    assert Decimal(2_800_000) == Decimal(found["rerated"]["today"])
    assert Decimal(1_800_000) == Decimal(found["rerated"]["cost"])
    assert ["direct"] == [each["offer"] for each in found["plan"]["sign"]]


def test_a_stance_of_the_negotiation_is_an_offer(offtake: Offtake, usage: Path, direct: Path) -> None:
    stances = "negotiation: direct\nstances: {'prices.discounts[0].share': {offered: 20%, ask: 30%}}\n"
    direct.with_name("direct.negotiation.yaml").write_text(stances)
    found = planned(offtake, usage, "--offers", f"{direct}@offered", f"{direct}@ask")

    assert ["direct@ask"] == [each["offer"] for each in found["plan"]["sign"]]
    assert "sign direct@offered" in [each["name"] for each in found["alternatives"]]


@pytest.mark.parametrize(("at", "model"), [("2026-02-01", "claude-haiku-4-5"), ("2026-05-01", "claude-opus-4.7")])
def test_admissions_of_a_contract_hold_until_they_end(at: str, model: str, offtake: Offtake, tmp_path: Path) -> None:
    usage = month(tmp_path / "support.csv", workload="support-chat")
    offer = ROOT / "contracts" / "eight-figure-reference" / "contract.yaml"
    done = offtake("plan", usage, "--offers", offer, "--at", at, "--format", "json")

    assert model == json.loads(done.out)["plan"]["route"][0]["model"]


@pytest.mark.parametrize(("until", "model"), [("2026-09-01", "claude-haiku-4-5"), ("2026-08-01", "claude-opus-4.7")])
def test_signed_results_admit_as_the_lines_of_a_contract_do(
    until: str, model: str, offtake: Offtake, usage: Path, direct: Path, tmp_path: Path
) -> None:
    direct.write_text(DIRECT + SUITE)
    accept(direct, tmp_path / "offtake.db", "claude-haiku-4-5", until=until)
    accept(direct, tmp_path / "offtake.db", "claude-sonnet-4-5", 20)
    done = offtake("plan", usage, "--offers", direct, "--store", tmp_path / "offtake.db", *CATALOG, "--format", "json")

    assert model == json.loads(done.out)["plan"]["route"][0]["model"]
    assert "admits nothing: 20 of 30 tasks do not reach a floor of 90%" in done.err


@pytest.mark.skipif(
    "OFFTAKE_DATA" not in os.environ, reason="OFFTAKE_DATA does not name the folder of the published traces"
)
@pytest.mark.parametrize(("trace", "model"), [("conv", "grok-4.1"), ("code", "gemini-3.1-pro-preview")])
def test_which_model_is_cheapest_depends_on_the_traffic(trace: str, model: str, offtake: Offtake) -> None:
    """In:out 5.5 : 1 in chat, 73 : 1 in code: below 6 : 1 grok is cheaper than gemini at list, above it is not."""
    path = Path(os.environ["OFFTAKE_DATA"]) / f"azure_2023_{trace}.csv"
    models = "*=claude-opus-4.7,gpt-5.4,gemini-3.1-pro,grok-4.1"
    found = planned(offtake, path, "--model", "claude-opus-4.7", "--quality", models)

    assert model == found["plan"]["route"][0]["model"]
    assert any("is a month" in words for words in found["assumptions"])


def test_the_contract_of_today_may_be_kept(offtake: Offtake, usage: Path, direct: Path) -> None:
    found = planned(offtake, usage, "--contract", direct, "--offers", AGGREGATOR)

    assert ["direct"] == [each["offer"] for each in found["plan"]["sign"]]
    assert ("direct", Decimal(0)) == (found["rerated"]["today_is"], Decimal(found["rerated"]["saving"]))


def test_an_offer_is_not_written_over(offtake: Offtake, usage: Path, direct: Path) -> None:
    before = direct.read_text()
    done = offtake("plan", usage, "--offers", direct, *CATALOG, "--out", direct)

    assert (2, before) == (done.code, direct.read_text())
    assert "U148" in done.err


def test_batch_and_zero_retention_exclude_each_other(offtake: Offtake, usage: Path, tmp_path: Path) -> None:
    needs, zero = tmp_path / "needs.yaml", tmp_path / "zero.yaml"
    needs.write_text('needs: [{workloads: "*", retention_max: none}]\n')
    zero.write_text(DIRECT + "data: {retention: none}\n")
    found = planned(offtake, usage, "--offers", zero, "--needs", needs, "--batchable", "*=100%")

    assert ["realtime"] == [each["channel"] for each in found["plan"]["route"]]
    assert any("batch: zero retention is required" in each["why"] for each in found["rejected"])
