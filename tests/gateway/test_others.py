"""Other models inside one answer, such as an advisor's: each costs its own price, and nothing is unbilled."""

from __future__ import annotations

from offtake.gateway.ask import Served
from offtake.gateway.settle import Costs, costs_of, with_others
from tests.gateway import deals

OUTLET = deals.outlet()
ASK, KEY = deals.ask(), deals.key()
USED = {"input_tokens": 1_000, "output_tokens": 200}
ADVISED = {"input_tokens": 3_000, "output_tokens": 50}
HOLD_PICO = 10**12


def test_another_model_costs_what_it_would_cost_alone() -> None:
    found = _costs(("claude-haiku-4-5", ADVISED))
    alone = costs_of(
        OUTLET, "claude-haiku-4-5", ASK, KEY, Served(ADVISED, "ok"), deals.AT, written_bytes=0, hold_pico=HOLD_PICO
    )
    (other,) = found.others
    assert (alone.cost_pico, alone.list_pico, alone.clauses) == (other.cost_pico, other.list_pico, other.clauses)
    assert 3_000 * 1_000_000 + 50 * 5_000_000 == other.cost_pico  # 1 and 5 USD a million tokens
    assert 1_000 * 5_000_000 + 200 * 25_000_000 == found.cost_pico  # of its own model alone
    assert found.cost_pico + other.cost_pico == found.total_pico


def test_a_model_is_booked_under_its_name_in_the_catalogue() -> None:
    (other,) = _costs(("claude-haiku-4-5-20251001", ADVISED)).others
    assert "claude-haiku-4-5" == other.model
    assert ADVISED == other.quantities


def test_what_no_term_prices_takes_the_rest_of_the_hold() -> None:
    found = _costs(("claude-haiku-4-5", ADVISED), ("gemini-3.1-pro", ADVISED), ("gpt-5.4", ADVISED))
    assert [{}, {"unpriced": "K301"}, {"unpriced": "K301"}] == [dict(other.evidence or {}) for other in found.others]
    assert HOLD_PICO == found.total_pico
    assert found.others[2].cost_pico == 0


def _costs(*others: tuple[str, dict[str, int]]) -> Costs:
    served = Served(USED, "ok", others=others)
    own = costs_of(OUTLET, deals.OPUS, ASK, KEY, served, deals.AT, written_bytes=0, hold_pico=HOLD_PICO)
    return with_others(own, OUTLET, ASK, KEY, served, deals.AT, HOLD_PICO)
