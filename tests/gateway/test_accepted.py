"""What a signed result of `offtake accept` admits: its model, for its suite and contract, until its day."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from offtake.contract.parse import parse
from offtake.gateway.admit.evaluation import admitted_for
from offtake.gateway.admit.policy import Policy
from offtake.gateway.admit.question import Question
from offtake.gateway.ask import Refusal
from offtake.gateway.outlet import Outlet
from offtake.gateway.supervise import watch, watched
from offtake.operations.accepted_results import accepted_folder, read_accepted
from offtake.operations.serve_config import load_config
from offtake.operations.signatures import signed
from offtake.planner.routing.accepted import Accepted, shortfall
from offtake.store.ledger.keys import server_secret
from tests.gateway.deals import AT, HEAD, OPUS, key, outlet

SUITE = """models:
  evaluation:
    - suite: support
      floor: 90%
      confidence: 95%
      workloads: [support]
      admitted: []
"""
CONTRACT = parse(HEAD + SUITE, "acme.yaml")
PASSED = {
    "model": OPUS, "suite": "support", "suite_sha256": "00", "contracts": ["acme"], "passed": 30, "tasks": 30,
    "score": "100%", "evaluated": "2026-10-01", "until": "2026-10-06",
}  # fmt: skip


def verdict(*results: Accepted, model: str = OPUS, at: datetime = AT, policy: Policy | None = None) -> Refusal | None:
    found = under(*results)
    question = Question(found, key(workload="support"), "anthropic_messages", model)
    return (policy or Policy()).decide(question, at).refusal


def under(*results: Accepted) -> Outlet:
    found = outlet(SUITE)
    return Outlet(found.name, found.contract, found.terms, found.bounds, found.vendor, accepted=results)


def result(passed: int = 30, tasks: int = 30, suite: str = "support", model: str = OPUS) -> Accepted:
    return Accepted(suite, model, passed, tasks, date(2026, 10, 6))


def code(answer: Refusal | None) -> str:
    return answer.code if answer else ""


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        ((), "G331"),
        ((result(),), ""),
        ((result(model="Claude-Opus-4.7"),), ""),
        ((result(model="claude-*"),), "G331"),
        ((result(model="claude-haiku-4-5"),), "G331"),
        ((result(suite="code"),), "G331"),
        ((result(29, 30),), "G331"),  # 96.7%, which 30 tasks do not prove
        ((result(10, 10),), "G331"),
        ((result(0, 30), result()), ""),
    ],
)
def test_a_result_admits_its_model_for_its_suite_where_it_proves_the_floor(
    results: tuple[Accepted, ...], expected: str
) -> None:
    assert expected == code(verdict(*results))
    assert (expected == "") == admitted_for(under(*results), "support", OPUS, AT)


def test_an_admission_by_a_result_ends_on_its_day_and_when_it_is_withdrawn() -> None:
    ended = verdict(result(), at=datetime(2026, 10, 6, tzinfo=UTC))
    assert ended
    assert ("G333", "models.evaluation[0] (acme.yaml:11)") == (ended.code, ended.clause)
    assert not admitted_for(under(result()), "support", OPUS, datetime(2026, 10, 6, tzinfo=UTC))

    policy = Policy()
    policy.withdraw("support", OPUS, "40 of 50 live samples passed")
    withdrawn = verdict(result(), policy=policy)
    assert withdrawn
    assert ("G332", "models.evaluation[0] (acme.yaml:11)") == (withdrawn.code, withdrawn.clause)


def test_a_refusal_names_what_results_admit() -> None:
    refused = verdict(result(), model="claude-haiku-4-5")
    assert refused
    assert f"admitted: {OPUS}" == refused.hint


@pytest.mark.parametrize(("confidence", "passed", "short"), [("0%", 27, False), ("0%", 26, True), ("30%", 30, True)])
def test_the_floor_is_judged_at_the_confidence_of_the_contract(confidence: str, passed: int, short: bool) -> None:
    models = parse(HEAD + SUITE.replace("95%", confidence), "acme.yaml").signed.models
    assert models
    assert models.evaluation
    assert short == bool(shortfall(passed, 30, models.evaluation[0]))


@pytest.mark.parametrize(
    ("changes", "count", "said"),
    [
        ({}, 1, ""),
        ({"passed": 29}, 1, "29 of 30 tasks do not reach a floor of 90% at a confidence of 95%"),
        ({"until": "2026-10-05"}, 1, "ended on 2026-10-05"),
        ({"suite": "code"}, 1, "no suite code"),
        ({"contracts": ["other"]}, 0, "it is of other, not of acme"),
        ({"contracts": []}, 0, "of no contract"),
        ({"until": "soon"}, 0, "no result of"),
        ({"tasks": None}, 0, "no result of"),
        ({"tasks": 0}, 0, "no result of"),
    ],
)
def test_a_signed_file_is_read_with_the_reason_why_it_admits_nothing(
    tmp_path: Path, changes: dict[str, object], count: int, said: str
) -> None:
    write(tmp_path, json.dumps(signed(PASSED | changes, server_secret(tmp_path / "offtake.db"))))
    found, why = read(tmp_path)
    assert count == len(found)
    assert said in why
    assert bool(said) == bool(why)


@pytest.mark.parametrize("text", ["", "[]", "null", "[" * 60_000, "{", "\ud800", '{"signature": "ü"}', "9" * 70_000])
def test_what_nobody_signed_admits_nothing(tmp_path: Path, text: str) -> None:
    write(tmp_path, text)
    found, why = read(tmp_path)
    assert not found
    assert why


def test_a_change_after_signing_admits_nothing(tmp_path: Path) -> None:
    document = signed(PASSED | {"passed": 2}, server_secret(tmp_path / "offtake.db"))
    for forged in (document | {"passed": 30}, document | {"signature": "ü"}, document | {"suite": "\ud800"}):
        write(tmp_path, json.dumps(forged))
        found, why = read(tmp_path)
        assert not found
        assert "changed since it was signed" in why

    write(tmp_path, json.dumps(signed(PASSED, b"another store's secret")))
    assert ((), True) == (read(tmp_path)[0], "another store" in read(tmp_path)[1])


def test_a_new_result_a_changed_one_and_one_that_goes_are_changes_that_a_reload_sees(tmp_path: Path) -> None:
    folder = accepted_folder(tmp_path / "acme.yaml")
    changed = watch(lambda: [tmp_path / "acme.yaml", folder])
    assert not changed()
    write(tmp_path, "{}")
    assert (True, False) == (changed(), changed())
    write(tmp_path, "{ }")
    assert (True, False) == (changed(), changed())
    (folder / "support.json").unlink()
    assert (True, False) == (changed(), changed())


def test_what_lies_beside_a_contract_that_a_reload_names_is_watched_from_then_on(tmp_path: Path) -> None:
    config = tmp_path / "offtake.toml"
    vendor = '[vendors.anthropic]\nwire = "anthropic"\nbase_url = "https://api.anthropic.com"\n'
    other = '[[contracts]]\nfile = "other.yaml"\n'
    config.write_text(vendor + other)
    changed = watch(watched(load_config(config)))

    write(tmp_path, "{}")  # beside acme.yaml, which nothing names yet
    assert not changed()
    config.write_text(vendor + other + '[[contracts]]\nfile = "acme.yaml"\n')
    assert (True, False) == (changed(), changed())
    write(tmp_path, "{ }")
    assert (True, False) == (changed(), changed())

    config.write_text("no TOML")  # what was right before goes on being watched
    assert (True, False) == (changed(), changed())
    write(tmp_path, "{  }")
    assert (True, False) == (changed(), changed())


def write(folder: Path, text: str) -> None:
    path = accepted_folder(folder / "acme.yaml") / "support.json"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(text.encode(errors="surrogatepass"))


def read(folder: Path) -> tuple[tuple[Accepted, ...], str]:
    found, aside = read_accepted(folder / "acme.yaml", CONTRACT, folder / "offtake.db", AT)
    return found, " ".join(aside.values())
