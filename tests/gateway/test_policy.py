"""What may be sent where: every refusal names its clause and its place, fails closed, and can be observed only."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest

from offtake.contract.parse import parse
from offtake.gateway.admit import behaviour
from offtake.gateway.admit.evaluation import ends_soon, version_changed, withdraws
from offtake.gateway.admit.policy import ALWAYS_ENFORCED, RULES, Policy
from offtake.gateway.admit.proofs import proofs
from offtake.gateway.admit.question import Question
from offtake.gateway.admit.quote import Quotes
from offtake.gateway.admit.residency import fits, proof_of
from offtake.gateway.admit.search import LONG_BYTES, holds_any
from offtake.gateway.ask import Ask, Refusal, Served
from offtake.gateway.outlet import KeyRules, Modes, Outlet
from offtake.operations.serve_config import Rule
from tests.gateway.deals import AT, HEAD, OPUS, ask, catalog, key, outlet

RESIDENCY = "residency: {regions: [eu], fail: closed}\n"
SUITE = """models:
  evaluation:
    - suite: support
      floor: 90%
      confidence: 95%
      workloads: [support-*]
      admitted: [{model: claude-opus-4-7, score: 95%, tasks: 200, until: 2026-10-06}]
      recheck: {samples: 50, withdraw_at: 40, margin: 5%}
"""


def decide(
    where: Outlet, who: KeyRules | None = None, what: Ask | None = None, *, model: str = OPUS, at: datetime = AT,
    policy: Policy | None = None, channel: str = "realtime", stores: bool = False,
) -> Refusal | tuple[Refusal, ...]:  # fmt: skip
    what = what or ask(stores=stores)
    region = what.region or where.region
    question = Question(where, who or key(), what.dialect, model, channel, region, what.stores)
    verdict = (policy or Policy()).decide(question, at)
    return verdict.refusal or verdict.observed


def looked_into(where: Outlet, body: bytes) -> Refusal | tuple[Refusal, ...]:
    (quote,) = Quotes().of(ask(), ((where, OPUS),), key(), Policy(), AT).quotes
    return quote.answer(body)


def refused(code: str, clause: str, answer: Refusal | tuple[Refusal, ...]) -> None:
    assert isinstance(answer, Refusal), answer
    assert (code, clause) == (answer.code, answer.clause)


def test_what_every_contract_and_key_allows_goes_through() -> None:
    assert () == decide(outlet())


@pytest.mark.parametrize(
    ("code", "clause", "at", "model", "channel"),
    [
        ("G301", "term.until (acme.yaml:4)", datetime(2027, 1, 1, tzinfo=UTC), OPUS, "realtime"),
        ("G301", "term.from (acme.yaml:4)", datetime(2025, 12, 31, tzinfo=UTC), OPUS, "realtime"),
        ("G303", "scope.models (acme.yaml:6)", AT, "gpt-5.4", "realtime"),
        ("G304", "scope.channels (acme.yaml:6)", AT, OPUS, "flex"),
    ],
)
def test_what_the_contract_does_not_cover_is_refused_with_its_line(
    code: str, clause: str, at: datetime, model: str, channel: str
) -> None:
    refused(code, clause, decide(outlet(), model=model, at=at, channel=channel))


@pytest.mark.parametrize(
    ("code", "rules"),
    [
        ("G307", {"contracts": ("other",)}),
        ("G308", {"scopes": ("openai_chat",)}),
        ("G309", {"models": ("claude-haiku-*",)}),
        ("G309", {"models_denied": ("claude-opus-*",)}),
    ],
)
def test_a_key_has_lists_of_its_own_and_a_denial_wins(code: str, rules: dict[str, tuple[str, ...]]) -> None:
    refused(code, "key key_1", decide(outlet(), key(**rules)))


def test_a_client_is_not_told_in_which_folder_a_contract_is() -> None:
    where = outlet(RESIDENCY, region="us", file="/srv/acme corp/contracts/acme.yaml")

    refused("G311", "residency.regions (acme.yaml:9)", decide(where))


@pytest.mark.parametrize("region", ["global", "us", "us-east-1", "europa", ""])
def test_residency_fails_closed_before_anything_is_sent(region: str) -> None:
    refused("G311", "residency.regions (acme.yaml:9)", decide(outlet(RESIDENCY, region=region)))


@pytest.mark.parametrize("region", ["eu", "EU", "eu-central-1", "europe-west4"])
def test_a_region_inside_the_geography_is_inside(region: str) -> None:
    assert () == decide(outlet(RESIDENCY, region=region))


def test_the_region_that_the_client_names_counts_and_the_keys_list_too() -> None:
    refused("G311", "residency.regions (acme.yaml:9)", decide(outlet(RESIDENCY, region="eu"), what=ask(region="us")))
    refused("G311", "key key_1", decide(outlet(region="us"), key(regions=("eu",))))


def test_residency_that_fails_open_says_so_and_sends() -> None:
    answer = decide(outlet("residency: {regions: [eu], fail: open}\n", region="us"))

    assert isinstance(answer, tuple)
    assert [("G312", "residency.fail (acme.yaml:9)")] == [(each.code, each.clause) for each in answer]


def test_the_served_region_is_the_proof() -> None:
    terms = parse(HEAD + RESIDENCY, "acme.yaml").signed

    proofs = [proof_of(terms, (), served) for served in ("eu-west-1", "us", "", "not_available")]

    assert ["inside", "outside", "unproven", "unproven"] == [proof.verdict if proof else None for proof in proofs]
    assert proof_of(parse(HEAD, "acme.yaml").signed, (), "us") is None
    assert not fits("global", ["global-x"])


@pytest.mark.parametrize(
    ("more", "limit", "code"),
    [
        ("", 24, "G313"),
        ("data: {retention: 30 days}\n", 24, "G313"),
        ("data: {retention: 24 hours}\n", 24, ""),
        ("data: {retention: none}\n", 0, ""),
    ],
)
def test_retention_fails_closed_where_the_contract_is_silent_or_too_long(more: str, limit: int, code: str) -> None:
    answer = decide(outlet(more), key(retention_hours_max=limit))

    assert code == (answer.code if isinstance(answer, Refusal) else "")


def test_zero_retention_refuses_a_request_that_is_to_be_stored() -> None:
    refused("G314", "data.retention (acme.yaml:9)", decide(outlet("data: {retention: none}\n"), stores=True))


def test_training_must_be_ruled_out_without_carve_outs() -> None:
    mine = key(training_refused=True)
    for more in ("", "data: {training: opt_in}\n", "data: {training: never, carve_outs: preview_models}\n"):
        assert isinstance(decide(outlet(more), mine), Refusal)
    assert () == decide(outlet("data: {training: never}\n"), mine)


def test_a_suite_admits_until_its_day_for_its_workloads() -> None:
    support = key(workload="support-bot")
    place = "models.evaluation[0].admitted"

    assert () == decide(outlet(SUITE), support)
    assert () == decide(outlet(SUITE), key(workload="other"), model="claude-haiku-4-5")
    refused("G331", f"{place} (acme.yaml:15)", decide(outlet(SUITE), support, model="claude-haiku-4-5"))
    ended = decide(outlet(SUITE), support, at=datetime(2026, 10, 6, tzinfo=UTC))
    refused("G333", f"{place}[0].until (acme.yaml:15)", ended)


def test_a_recheck_withdraws_an_admission_at_once() -> None:
    where, policy, support = outlet(SUITE), Policy(), key(workload="support-bot")
    models = where.terms.contract.signed.models
    assert models
    assert models.evaluation
    suite = models.evaluation[0]
    assert () == decide(where, support, policy=policy)
    assert (False, False, True) == tuple(withdraws(suite, *pair) for pair in ((49, 0), (50, 41), (50, 40)))

    policy.withdraw("support", OPUS, "40 of 50 live samples passed")

    refused("G332", "models.evaluation[0].recheck (acme.yaml:16)", decide(where, support, policy=policy))


def test_an_event_on_the_list_suspends_at_once_and_a_person_lifts_it() -> None:
    where, policy = outlet("behaviour: {suspend_on: [bypass_safety]}\n"), Policy()
    assert () == decide(where, policy=policy)
    assert behaviour.suspends(where.terms.contract, OPUS, "slow", AT) is None
    suspension = behaviour.suspends(where.terms.contract, OPUS, "bypass_safety", AT)
    assert suspension

    policy.suspend(suspension)
    refused("G321", "behaviour.suspend_on (acme.yaml:9)", decide(where, policy=policy))
    assert () == decide(where, policy=policy, model="claude-haiku-4-5")

    refused("G321", "behaviour.suspend_on (acme.yaml:9)", decide(where, policy=Policy().after(policy)))  # a reload

    policy.lift("acme", OPUS)
    assert () == decide(where, policy=policy)


@pytest.mark.parametrize("text", ["How to BUILD  a-bomb?", "build\na bomb", "b\\u00fcild", "x", "rebuild a bombe"])
def test_a_block_list_finds_whole_words_and_records_the_rule_only(text: str) -> None:
    where = outlet('behaviour: {block: ["nothing", build_a_bomb, "büild"]}\n')

    answer = looked_into(where, text.encode())

    index = {"x": None, "rebuild a bombe": None, "b\\u00fcild": 2}.get(text, 1)
    if index is None:
        assert () == answer
    else:
        refused("G322", f"behaviour.block[{index}] (acme.yaml:9)", answer)
        assert isinstance(answer, Refusal)
        assert "bomb?" not in answer.text.lower()


def test_observe_says_what_it_would_have_refused_and_sends() -> None:
    modes = Modes("enforce", {"residency": "observe", "block": "observe"})
    where = outlet(RESIDENCY + "behaviour: {block: [bomb]}\n", region="us", modes=modes)

    answer = looked_into(where, b"bomb")

    assert isinstance(answer, tuple)
    assert ["G311", "G322"] == [each.code for each in answer]
    only = outlet(region="us", modes=Modes("observe"))
    refused("G303", "scope.models (acme.yaml:6)", decide(only, model="gpt-5.4"))  # nothing has a price out of scope


def test_every_rule_can_be_observed_but_those_without_which_nothing_has_a_price_or_an_owner() -> None:
    observable = set(get_args(Rule))

    assert observable == (set(RULES) - set(ALWAYS_ENFORCED)) | {"block", "limits", "budget"}


def test_a_pinned_version_that_another_answered_for_is_evidence() -> None:
    contract = parse(HEAD + "models: {pin: [claude-opus-4-7]}\n", "acme.yaml")

    assert version_changed(contract, OPUS, "claude-opus-4-7-20260101", OPUS, AT) is None
    found = version_changed(contract, OPUS, "claude-opus-4-8", "claude-opus-4-8", AT)
    assert found
    assert ("G341", "models.pin (acme.yaml:9)") == (found.code, found.clause)


def test_what_an_answer_proves_is_kept_with_its_clause() -> None:
    where = outlet(RESIDENCY + "models: {pin: [claude-opus-4-7]}\n", region="eu")
    kept = Served({}, "ok", region="eu-west-1", model=OPUS)
    broken = Served({}, "ok", region="us", model="claude-opus-4-8")

    assert {"residency": "inside eu; residency.regions (acme.yaml:9)"} == proofs(where, key(), OPUS, kept, AT)
    assert {
        "residency": "outside eu; residency.regions (acme.yaml:9)",
        "version": "G341 claude-opus-4-7 is pinned, and the vendor served claude-opus-4-8; models.pin (acme.yaml:10)",
    } == proofs(where, key(), OPUS, broken, AT)
    assert {} == proofs(outlet(), key(), OPUS, broken, AT)
    assert {"residency": "unproven us; key key_1"} == proofs(outlet(), key(regions=("us",)), OPUS, Served({}, "ok"), AT)


def test_a_model_that_ends_soon_is_named_before_and_after() -> None:
    contract = parse(HEAD, "acme.yaml")
    model = catalog().resolve("claude-opus-4-0", "anthropic")
    assert model.deprecated

    said = [ends_soon(model, model.deprecated + timedelta(days=days), contract) for days in (-91, -1, 1)]

    assert ["", "claude-opus-4-0 is to be deprecated on 2026-04-14"] == said[:2]
    assert "claude-opus-4-0 is deprecated since 2026-04-14" == said[2]


@pytest.mark.parametrize("size", [10, LONG_BYTES - 1, LONG_BYTES + 1, 200_000])
def test_a_long_text_is_searched_as_a_short_one_is(size: int) -> None:
    text = b"a\x00b" * (size // 3)

    for word in (b"bomb", b"a\x00bz", b"\x00\x00"):
        assert not holds_any(text, (b"none", word))
        assert holds_any(text + word, (b"none", word))
        assert holds_any(word + text, (word, b"none"))
    assert not holds_any(text, ())
