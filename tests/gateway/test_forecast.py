"""Routing by the planner's forecast: λ by hand, the order of two contracts, files that are wrong or out of date."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offtake.gateway.admit.learned import Learned
from offtake.gateway.admit.policy import Policy
from offtake.gateway.admit.window import MINUTE
from offtake.gateway.in_force import read_in_force
from offtake.gateway.outlet import Outlet
from offtake.gateway.route.candidates import RouteState, candidates
from offtake.gateway.route.forecast import Forecast, forecasts_of
from offtake.gateway.route.odds import Point, drawn_anyway
from offtake.gateway.route.standing import Standing
from offtake.gateway.standings import Standings
from offtake.gateway.supervise import watched
from offtake.operations.forecast_file import ForecastFile, read_forecast
from offtake.operations.serve_config import load_config
from offtake.store.ledger.ledger import Ledger, open_ledger
from offtake.values.errors import ContractError
from tests.gateway.deals import AT, HEAD, OPUS, ask, key, outlet

DAY = timedelta(days=1)
YEAR = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
PROMISE = "commitments: [{id: spend, amount: 600 USD / year, pool: all_models, counts_at: contracted, true_up: year}]\n"


def document(where: Outlet, rest: list[tuple[datetime, list[str]]], **more: Any) -> dict[str, Any]:
    """A forecast of `spend` at its 10th, 50th and 90th percentile, made when 100 were drawn."""
    one = {
        "id": "spend", "unit": "USD", "from": YEAR[0], "until": YEAR[1], "drawn": "100", "basis": "a test",
        "rest": [{"at": at, "amounts": amounts} for at, amounts in rest],
    }  # fmt: skip
    contract = where.terms.contract
    found = {
        "schema_version": 1, "contract": contract.signed.contract, "contract_hash": contract.hash, "at": rest[0][0],
        "permille": [100, 500, 900], "commitments": [one],
    }  # fmt: skip
    return json.loads(json.dumps(found | more, default=datetime.isoformat))  # type: ignore[no-any-return]


def forecast(where: Outlet, *rest: tuple[datetime, list[str]]) -> dict[str, Forecast]:
    return forecasts_of(ForecastFile.model_validate_json(json.dumps(document(where, list(rest)))))


def pico(dollars: int) -> int:
    return dollars * 10**12


def test_what_is_left_of_a_forecast_is_read_between_its_months() -> None:
    start = YEAR[1] - 60 * DAY
    of = forecast(
        outlet(PROMISE), (start, ["300", "600", "900"]), (YEAR[1] - 30 * DAY, ["100", "300", "600"])
    )["spend"]  # fmt: skip

    rests = [of.rest(start + days * DAY, pico(100)) for days in (-1, 0, 15, 30, 45)]

    by_hand = [(300, 600, 900), (300, 600, 900), (200, 450, 750), (100, 300, 600), (50, 150, 300)]
    assert by_hand == [tuple(point.pico // 10**12 for point in rest or ()) for rest in rests]
    assert [100, 500, 900] == [point.permille for point in rests[0] or ()]


def test_the_chance_is_the_share_of_futures_that_draw_what_is_left() -> None:
    start = YEAR[1] - 60 * DAY
    of = forecast(outlet(PROMISE), (start, ["300", "600", "900"]))["spend"]

    # 600 committed; at the 30th day half of the rest is to come: 150, 300, 450
    at = start + 30 * DAY
    chances = [drawn_anyway(pico(600 - drawn), of.rest(at, pico(drawn))) for drawn in (300, 375, 225, 450, 100)]

    # 500 left, with 100 drawn: beyond 450 in the last 100 of 1,000 futures, a third of them too little
    assert [500, 700, 300, 900, 67] == chances


def test_a_window_that_is_over_or_has_outrun_every_future_is_out_of_date() -> None:
    of = forecast(outlet(PROMISE), (YEAR[0], ["300", "600", "900"]))["spend"]

    assert of.rest(AT, pico(1_000)) is not None
    assert of.rest(AT, pico(1_000) + 1) is None
    assert of.rest(YEAR[1], 0) is None
    assert of.rest(YEAR[0] - DAY, 0) is None


amounts = st.lists(st.integers(0, 10**6), min_size=3, max_size=3).map(sorted)


@given(amounts, st.integers(0, 365 * 24), st.integers(0, 10**6))
def test_less_is_to_come_as_time_goes_on_and_the_more_is_drawn_the_surer(
    ahead: list[int], hours: int, left: int
) -> None:
    of = Forecast(YEAR[0], (100, 500, 900), YEAR, (tuple(ahead), (0, 0, 0)), ahead[-1])
    now, later = (YEAR[0] + timedelta(hours=min(each, 8_759)) for each in (hours, hours + 24))
    points = [of.rest(at, 0) for at in (now, later)]

    assert all(two.pico <= one.pico for one, two in zip(*map(_known, points), strict=True))
    assert all(_known(rest) == sorted(_known(rest)) for rest in points)
    assert drawn_anyway(left, points[0]) >= drawn_anyway(left, points[1]) >= drawn_anyway(left + 1, points[1])


def _known(rest: Any) -> list[Point]:
    assert rest is not None
    return list(rest)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = open_ledger(tmp_path / "offtake.db", create=True)
    yield opened
    opened.close()


def order(ledger: Ledger, outlets: list[Outlet], forecasts: dict[str, dict[str, Forecast]]) -> list[str]:
    found = Standings(ledger, outlets, forecasts).renewed(AT, {})
    what = ask(input_tokens_max=200_000, output_tokens_max=400, tier="standard")
    routes = candidates(
        what, tuple((each, OPUS) for each in outlets), key(), RouteState(found), Policy(), Learned(), AT, MINUTE
    )  # fmt: skip
    return [each.outlet.contract for each in routes.candidates]


def test_the_forecast_turns_the_order_of_two_contracts(ledger: Ledger) -> None:
    promised = outlet(PROMISE)
    text = HEAD.replace("acme", "cheap").replace(
        "basis: list,", 'basis: list, discounts: [{models: "*", share: 30%}],'
    )  # fmt: skip
    cheap = outlet(name="cheap", file="cheap.yaml", text=text)
    slow = {"acme": forecast(promised, (AT, ["10", "20", "30"]))}
    busy = {"acme": forecast(promised, (AT, ["700", "800", "900"]))}

    assert ["cheap", "acme"] == order(ledger, [promised, cheap], {})  # unknown: a dollar costs a dollar
    assert ["acme", "cheap"] == order(ledger, [promised, cheap], slow)  # owed as shortfall anyway: use it
    assert ["cheap", "acme"] == order(ledger, [promised, cheap], busy)  # will be drawn anyway: spare the dollar


def test_a_forecast_out_of_date_is_said_once_and_the_pace_takes_its_place(
    ledger: Ledger, capsys: pytest.CaptureFixture[str]
) -> None:
    where = outlet(PROMISE)
    standings = Standings(ledger, [where], {"acme": forecast(where, (AT, ["10", "20", "30"]))})
    standings.read(AT)

    standings._drawn["acme"].drawn["spend"] = pico(390)  # of 600 on 5 October: at its pace some 123 more
    found = [standings.renewed(AT, {})["acme"] for _ in range(2)]

    said = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [("a forecast is out of date", "acme", "spend")] == [
        (a["event"], a["contract"], a["commitment"]) for a in said
    ]
    assert [0, 0] == [chance(each) for each in found]  # 210 are left, beyond all that the pace has
    after = standings.renewed(YEAR[1], {})["acme"]
    assert not after.drawdowns  # the term is over too


def chance(standing: Standing) -> int:
    return standing.drawdowns[0].anyway_permille


GOOD = [(AT, ["1", "2", "3"])]


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ({"contract_hash": "0" * 64}, "G722", "another text of the contract"),
        ({"contract_hash": "0" * 64, "contract": "other"}, "G721", "the forecast is of other"),
        ({"commitments": []}, "G722", "no commitment"),
        ({"permille": [100, 500]}, "G720", "one rising amount"),
        ({"permille": [100, 900, 500]}, "G720", "does not rise"),
        ({"permille": [0, 500, 900]}, "G720", "permille.0"),
        ({"schema_version": 2}, "G720", "schema_version"),
        ({"surprise": 1}, "G720", "surprise"),
    ],
)
def test_a_forecast_that_does_not_fit_is_refused(tmp_path: Path, change: dict[str, Any], code: str, words: str) -> None:
    where, file = outlet(PROMISE), tmp_path / "forecast.json"
    file.write_text(json.dumps(document(where, GOOD, **change)))

    with pytest.raises(ContractError) as caught:
        read_forecast(file, where.terms.contract, AT)

    assert code == caught.value.code
    assert words in str(caught.value)
    assert str(file) in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "\xff", '{"permille": [1e400]}', "[" * 10_000])
def test_a_damaged_file_is_refused(tmp_path: Path, text: str) -> None:
    where, file = outlet(PROMISE), tmp_path / "forecast.json"
    file.write_text(text, "latin-1")

    for path in (file, tmp_path, tmp_path / "nothing.json"):
        with pytest.raises(ContractError, match="G720"):
            read_forecast(path, where.terms.contract, AT)


@pytest.mark.parametrize("amounts", [["1", "2", "NaN"], ["1", "2", "-1"], ["3", "2", "1"], ["1", "2", "1e30"]])
def test_amounts_that_cannot_be_are_refused(tmp_path: Path, amounts: list[str]) -> None:
    where, file = outlet(PROMISE), tmp_path / "forecast.json"
    file.write_text(json.dumps(document(where, [(AT, amounts)])))

    with pytest.raises(ContractError, match="G720"):
        read_forecast(file, where.terms.contract, AT)


def test_a_window_that_is_over_is_refused(tmp_path: Path) -> None:
    where, file = outlet(PROMISE), tmp_path / "forecast.json"
    file.write_text(json.dumps(document(where, GOOD)))

    assert "spend" == read_forecast(file, where.terms.contract, YEAR[1] - DAY).commitments[0].id
    with pytest.raises(ContractError, match="G722"):
        read_forecast(file, where.terms.contract, YEAR[1])


def test_a_new_forecast_is_a_change_of_terms(tmp_path: Path) -> None:
    file = tmp_path / "offtake.toml"
    file.write_text(
        '[vendors.anthropic]\nwire = "anthropic"\nbase_url = "https://api.anthropic.com"\n'
        '[[contracts]]\nfile = "acme.yaml"\nforecast = "forecast.json"\n[[contracts]]\nfile = "other.yaml"\n'
    )

    assert tmp_path / "forecast.json" in watched(load_config(file))()


def test_it_is_read_with_the_contracts_and_a_wrong_one_stops_the_reading(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where, file = outlet(PROMISE), tmp_path / "forecast.json"
    (tmp_path / "acme.yaml").write_text(HEAD + PROMISE)
    (tmp_path / "offtake.toml").write_text(
        '[vendors.anthropic]\nwire = "anthropic"\nbase_url = "https://api.anthropic.com"\n'
        '[[contracts]]\nfile = "acme.yaml"\nforecast = "forecast.json"\n'
    )
    config = load_config(tmp_path / "offtake.toml")
    good = document(where, GOOD)
    good["commitments"][0]["until"] = "2100-01-01T00:00:00Z"  # read by today's clock
    file.write_text(json.dumps(good))

    assert ["spend"] == list(read_in_force(config).forecasts["acme"])
    file.write_text(json.dumps(good | {"contract_hash": "0" * 64}))  # made before an amendment: nobody is stopped
    assert {} == read_in_force(config).forecasts
    assert "G722" in capsys.readouterr().err
    file.write_text(json.dumps(good | {"contract_hash": "0" * 64, "contract": "other"}))
    with pytest.raises(ContractError, match="G721"):
        read_in_force(config)
    file.write_text("{")
    with pytest.raises(ContractError, match="G720"):
        read_in_force(config)


def test_a_commitment_in_tokens_is_forecast_in_tokens() -> None:
    where = outlet(PROMISE)
    told = document(where, [(YEAR[0], ["1000", "2000", "3000"])])
    told["commitments"][0]["unit"] = "token"
    of = forecasts_of(ForecastFile.model_validate_json(json.dumps(told)))["spend"]

    assert [1_000, 2_000, 3_000] == [point.pico for point in of.rest(YEAR[0], 100) or ()]
    assert of.rest(YEAR[0], 3_101) is None
