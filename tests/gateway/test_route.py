"""Routing by the marginal cost of the term: worked scenarios (routes/*.yaml), a simulation, stickiness, retries."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offtake.gateway.admit.learned import Learned
from offtake.gateway.admit.policy import Policy
from offtake.gateway.admit.reserved import reservation_of
from offtake.gateway.admit.window import MINUTE, SECOND
from offtake.gateway.outlet import Outlet
from offtake.gateway.route.breaker import PAUSE_NS, Breaker
from offtake.gateway.route.candidates import Routes, RouteState, candidates
from offtake.gateway.route.odds import Point, at_pace, drawn_anyway
from offtake.gateway.route.retry import ATTEMPTS_MAX, Failure, after, backoff_ms, idempotency_key
from offtake.gateway.route.standing import standing_of
from offtake.gateway.route.sticky import Sessions, draw_of
from tests.gateway.deals import AT, HEAD, OPUS, ask, key, outlet, read, written

SCENARIOS = [
    pytest.param(each, id=each["name"])
    for file in sorted((Path(__file__).parent / "routes").glob("*.yaml"))
    for each in read(file.read_text())
]


def pico(dollars: object) -> int:
    return int(Decimal(str(dollars)) * 10**12)


def contract_text(name: str, more: dict[str, Any]) -> str:
    """The common head with the terms of one contract."""
    data = read(HEAD) | {"contract": name} | more
    data["prices"] = read(HEAD)["prices"] | more.get("prices", {})
    return written(data)


def outlet_of(name: str, scenario: dict[str, Any]) -> Outlet:
    text = contract_text(name, scenario["contracts"][name])
    return outlet(name=name, file=f"{name}.yaml", text=text, region=scenario.get("regions", {}).get(name, "global"))


def state_of(scenario: dict[str, Any], outlets: list[Outlet]) -> RouteState:
    state = RouteState({})
    standings = {}
    for each in outlets:
        given = scenario.get("state", {}).get(each.contract, {})
        reservation = reservation_of(each.terms.contract, AT)
        if reservation and "reserved_taken" in given:
            reservation.take(given["reserved_taken"]["input"], given["reserved_taken"]["output"], MINUTE)
        drawn = {name: pico(amount) for name, amount in given.get("drawn", {}).items()}
        forecast = {name: [Point(p, pico(x)) for p, x in rows] for name, rows in given.get("forecast", {}).items()}
        in_tokens = {name: [Point(p, x) for p, x in rows] for name, rows in given.get("forecast_tokens", {}).items()}
        used = {name: pico(amount) for name, amount in given.get("used", {}).items()}
        standings[each.contract] = standing_of(
            each.terms, AT, drawn | given.get("drawn_tokens", {}), used, forecast | in_tokens, reservation
        )
        for _ in range(given.get("failures", 0)):
            state.breaker(each.id, OPUS).failed(MINUTE)
    state.standings = standings
    return state


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_candidates_come_in_the_order_of_what_the_term_will_pay(scenario: dict[str, Any]) -> None:
    outlets = [outlet_of(name, scenario) for name in scenario["contracts"]]
    state = state_of(scenario, outlets)
    if "warm" in scenario:
        at = next(each.id for each in outlets if each.contract == scenario["warm"]["at"])
        state.sessions.remember(scenario["ask"]["session"], at, OPUS, scenario["warm"]["tokens"], MINUTE)
    who = key(**{name: tuple(v) if isinstance(v, list) else v for name, v in scenario.get("key", {}).items()})
    what = ask(input_tokens_max=200_000, output_tokens_max=400, tier="standard", **scenario.get("ask", {}))

    found = candidates(
        what, tuple((each, OPUS) for each in outlets), who, state, Policy(), Learned(), AT, MINUTE,
        others=[(each, model) for each in outlets for model in scenario.get("others", [])],
    )  # fmt: skip

    expected = [(row["at"], row.get("model", OPUS), pico(row["costs"])) for row in scenario["expect"]]
    shown = [(each.outlet.contract, each.model, each.expected_pico) for each in found.candidates]
    assert expected == shown, [each.cost for each in found.candidates]
    assert scenario.get("refused", []) == [each.code for each in found.refusals]
    for row, each in zip(scenario["expect"], found.candidates, strict=True):
        clause = re.sub(r":\d+\)", ")", each.clause)
        assert row.get("clause", clause) == clause


def simulate(strategy: str, volume: int, forced: int) -> int:
    """A year between a promise of 60 USD at list and a contract at 30% off; the year's whole bill, in picodollars.

    The first `forced` requests may only go to the promise (their region is nowhere else); the rest may choose. What is
    left for the forced ones to draw is what will be drawn anyway.
    """
    promise = {"id": "spend", "amount": "60 USD / year", "pool": "all_models", "counts_at": "contracted"}
    texts = {
        "promised": {"commitments": [promise | {"true_up": "year"}]},
        "cheap": {"prices": {"discounts": [{"models": "*", "share": "30%"}]}},
    }
    outlets = [outlet_of(name, {"contracts": texts}) for name in texts]
    what, price = ask(input_tokens_max=200_000, output_tokens_max=400, tier="standard"), pico("1.01")
    drawn = elsewhere = 0
    state = RouteState({})
    for number in range(volume):
        # they come evenly over the year, so half of those that may choose come before them
        is_forced = number * forced // volume != (number + 1) * forced // volume
        still_forced = (forced - (number + 1) * forced // volume) * price
        forecast = {"spend": [Point(50, still_forced * 9 // 10), Point(950, still_forced * 11 // 10)]}
        state.standings = {"promised": standing_of(outlets[0].terms, AT, {"spend": drawn}, {}, forecast)}
        found = candidates(what, tuple((each, OPUS) for each in outlets), key(), state, Policy(), Learned(), AT, MINUTE)
        chosen = {"expected": found.candidates[0].outlet.contract, "fullest": "promised", "cheapest": "cheap"}[strategy]
        if is_forced or chosen == "promised":
            drawn += price
        else:
            elsewhere += price * 7 // 10
    return drawn + elsewhere + max(pico(60) - drawn, 0)


@pytest.mark.parametrize("forced", [0, 20, 40, 80])
def test_the_lowest_expected_total_beats_the_fullest_drawdown_and_the_lowest_price(forced: int) -> None:
    expected, fullest, cheapest = (simulate(each, 120, forced) for each in ("expected", "fullest", "cheapest"))

    assert 120 * pico("1.01") == fullest
    assert expected < fullest
    assert expected <= cheapest
    assert (expected < cheapest) == (forced < 60)  # where it is drawn anyway, every free request goes to the cheaper


@given(st.integers(0, 10**6), st.lists(st.integers(0, 10**6), min_size=1, max_size=4))
def test_the_chance_falls_as_more_is_left_and_lies_between_0_and_1(left: int, values: list[int]) -> None:
    rest = [Point(100 + 800 * i // len(values), value) for i, value in enumerate(sorted(values))]

    chances = [drawn_anyway(amount, rest) for amount in (left, left + 1, left + 1_000)]

    assert chances == sorted(chances, reverse=True)
    assert all(0 <= chance <= 1_000 for chance in chances)
    assert 1_000 == drawn_anyway(0, rest) == drawn_anyway(left, None)


def test_a_pace_says_what_the_rest_of_a_window_draws() -> None:
    rest = at_pace(100, elapsed_seconds=10, left_seconds=20)

    assert (Point(50, 140), Point(500, 200), Point(950, 260)) == rest
    assert (1_000, 500) == (drawn_anyway(0, rest), drawn_anyway(200, rest))
    assert () == at_pace(0, 10, 20)


def test_every_worker_finds_the_same_home_and_an_outlet_that_leaves_moves_only_its_own() -> None:
    outlets = [f"c/{name}" for name in "abcd"]
    homes = {n: max(outlets, key=lambda each: draw_of(f"session {n}", each)) for n in range(1_000)}
    without = {n: max(outlets[:3], key=lambda each: draw_of(f"session {n}", each)) for n in range(1_000)}

    assert all(150 < list(homes.values()).count(each) < 350 for each in outlets)
    assert all(homes[n] == without[n] for n in homes if homes[n] != outlets[3])


def test_a_session_is_warm_until_its_time_and_its_name_is_not_kept() -> None:
    sessions = Sessions()
    sessions.remember("user-42", "c/a", OPUS, 10, MINUTE)

    warm = sessions.find("user-42", MINUTE + 1)

    assert warm
    assert 10 == warm.tokens
    assert sessions.find("user-42", 6 * MINUTE + 1) is None
    assert sessions.find("", MINUTE) is None
    assert "user-42" not in repr(vars(sessions))


def test_a_circuit_opens_pauses_probes_once_and_closes() -> None:
    breaker, now = Breaker(), MINUTE
    for _ in range(5):
        assert 0 == breaker.wait_ns(now)
        breaker.begins(now)
        breaker.failed(now)
    assert PAUSE_NS == breaker.wait_ns(now)

    now += PAUSE_NS
    assert 0 == breaker.wait_ns(now)
    breaker.begins(now)
    assert breaker.wait_ns(now) > 0  # one probe at a time
    breaker.failed(now)
    assert 2 * PAUSE_NS == breaker.wait_ns(now)

    now += 2 * PAUSE_NS
    breaker.begins(now)
    breaker.succeeded()
    assert 0 == breaker.wait_ns(now)


def test_half_of_the_last_twenty_open_it_too_and_a_limit_only_rests() -> None:
    breaker = Breaker()
    for number in range(20):
        breaker.failed(MINUTE) if number % 2 else breaker.succeeded()
    assert breaker.wait_ns(MINUTE) > 0

    limited = Breaker()
    limited.limited(3.0, MINUTE)
    assert 3 * SECOND == limited.wait_ns(MINUTE)
    assert 0 == limited.wait_ns(MINUTE + 3 * SECOND)
    assert 0 == limited.opened


@pytest.mark.parametrize(
    ("failure", "attempt", "others", "idempotent", "do"),
    [
        (Failure(status=400), 1, 2, True, "stop"),
        (Failure(status=429), 1, 2, False, "next"),
        (Failure(status=429, retry_after_seconds=2), 1, 0, False, "again"),
        (Failure(status=429, retry_after_seconds=60), 1, 0, False, "stop"),
        (Failure(status=500), 1, 1, False, "next"),
        (Failure(status=500), 2, 1, False, "stop"),
        (Failure(status=529), 2, 1, False, "next"),
        (Failure(status=529), ATTEMPTS_MAX, 1, False, "stop"),
        (Failure(dispatched=False), 1, 1, False, "next"),
        (Failure(dispatched=False), 1, 0, False, "again"),
        (Failure(dispatched=True), 1, 3, False, "stop"),
        (Failure(dispatched=True), 1, 3, True, "again"),
        (Failure(status=500, started=True), 1, 3, True, "stop"),
    ],
)
def test_what_may_have_been_served_is_never_sent_elsewhere(
    failure: Failure, attempt: int, others: int, idempotent: bool, do: str
) -> None:
    found = after(failure, attempt, others, idempotent, 30_000, "req_1")

    assert do == found.do, found
    assert found.do != "stop" or found.why


def test_all_attempts_at_an_outlet_share_a_key_and_their_waits_grow() -> None:
    assert idempotency_key("req_1", "c/a") == idempotency_key("req_1", "c/a") != idempotency_key("req_1", "c/b")
    waits = [backoff_ms(attempt, "req_1") for attempt in range(1, 9)]
    assert all(125 << n <= wait <= min(250 << n, 8_000) for n, wait in enumerate(waits[:6]))
    assert max(waits) <= 8_000


def test_without_a_candidate_the_reason_that_a_wait_cures_is_told() -> None:
    here, gone = outlet(name="here"), outlet(name="gone", text=HEAD.replace("claude-*", OPUS))
    state = RouteState({})
    state.breaker(here.id, OPUS).limited(5.0, MINUTE)

    found = candidates(ask(), ((gone, "claude-haiku-4-5"), (here, OPUS)), key(), state, Policy(), Learned(), AT, MINUTE)

    assert [] == found.candidates
    assert ["G303", "G512"] == [each.code for each in found.refusals]
    assert 5.0 == found.refusal().retry_after_seconds
    assert "G511" == Routes([]).refusal().code


def test_a_flex_tier_without_room_leaves_other_calls_alone() -> None:
    here = outlet(name="here", text=HEAD.replace("realtime", "realtime, flex"))
    state = RouteState({})
    state.breaker(here.id, OPUS, "flex").limited(5.0, MINUTE)

    def codes(tier: str) -> list[str]:
        found = candidates(ask(tier=tier), ((here, OPUS),), key(), state, Policy(), Learned(), AT, MINUTE)
        return [each.code for each in found.refusals]

    assert ([], ["G512"]) == (codes(""), codes("flex"))


def test_a_text_that_one_contract_blocks_does_not_go_through_another() -> None:
    strict, lax = outlet("behaviour: {block: [bomb]}\n", name="strict"), outlet(name="lax")

    found = candidates(
        ask(body=b"a bomb"), ((lax, OPUS), (strict, OPUS)), key(), RouteState({}), Policy(), Learned(), AT, MINUTE
    )

    assert [] == found.candidates
    assert ("G322", "behaviour.block[0] (acme.yaml:9)") == (found.refusal().code, found.refusal().clause)
