"""The gateway's configuration: what is wrong is said with its line, all of it at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from offtake.operations.serve_config import load_config
from offtake.values.errors import ContractError, OutsideError

GOOD = """
[gateway]
port = 0

[vendors.anthropic]
wire = "anthropic"
base_url = "https://api.anthropic.com"
key = {env = "ANTHROPIC_API_KEY"}

[[contracts]]
file = "acme.yaml"

[[contracts]]
file = "second.yaml"
vendor = "anthropic"
mode = "observe"
"""
KEPT = """[transcripts]
customers = ["acme"]
hours = 72
key = {env = "OFFTAKE_TRANSCRIPTS_KEY"}
"""


def _written(folder: Path, text: str) -> Path:
    file = folder / "offtake.toml"
    file.write_text(text)
    return file


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    config = load_config(_written(tmp_path, GOOD))
    assert tmp_path / "offtake.db" == config.store
    assert tmp_path / "acme.yaml" == config.path(config.settings.contracts[0].file)
    assert "observe" == config.settings.contracts[1].mode


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (GOOD.replace("port = 0", "port = 99999"), ["offtake.toml:3:1", "C214", "`port`"]),
        (GOOD.replace("port = 0", "prot = 0"), ["offtake.toml:3:1", "C210", "did you mean `port`?"]),
        (GOOD.replace('"anthropic"\nbase', '"antropic"\nbase'), ["offtake.toml:6:1", "C215", "anthropic"]),
        (GOOD.replace("https://api.", "api."), ["offtake.toml:7:1", "G702", "no base address"]),
        (GOOD.replace('{env = "ANTHROPIC_API_KEY"}', "{}"), ["offtake.toml:8:1", "G702", "one source"]),
        (GOOD.replace('vendor = "anthropic"', 'vendor = "openai"'), ["offtake.toml:15:1", "G702", "one of: anthropic"]),
        (GOOD + '[[contract]]\nfile = "x"\n', ["offtake.toml:17:1", "C210", "did you mean `contracts`?"]),
        (GOOD.replace("key = {", 'tls_verify = "no"\nkey = {'), ["offtake.toml:8:1", "in quotes `no` is text"]),
        ("port = ", ["offtake.toml", "G701"]),
        ("", ["offtake.toml", "C211", "`vendors` is missing in the file", "contracts"]),
        (GOOD + KEPT.replace("hours = 72", "hours = 0"), ["offtake.toml:19:1", "C214", "`hours`"]),
        (GOOD + KEPT.replace("hours = 72", "scope = 1"), ["offtake.toml:19:1", "C210", "hours", "known keys"]),
        (GOOD + KEPT.replace('"acme"', ""), ["offtake.toml:18:1", "C214", "`customers`"]),
        (GOOD + KEPT.replace("}", ', file = "x"}'), ["offtake.toml:20:1", "G702", "one source"]),
    ],
)
def test_what_is_wrong_is_said_with_its_line(tmp_path: Path, wrong: str, said: list[str]) -> None:
    with pytest.raises(ContractError) as caught:
        load_config(_written(tmp_path, wrong))
    assert all(words in str(caught.value) for words in said), str(caught.value)


def test_all_of_it_at_once(tmp_path: Path) -> None:
    with pytest.raises(ContractError) as caught:
        load_config(_written(tmp_path, GOOD.replace("port = 0", "prot = 0").replace("acme.yaml", "")))
    assert 1 == len(caught.value.findings)
    with pytest.raises(ContractError) as caught:
        load_config(_written(tmp_path, GOOD.replace("port = 0", "prot = 0\nworkers = 0")))
    assert ["C210", "C214"] == [finding.code for finding in caught.value.findings]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(OutsideError, match="cannot read"):
        load_config(tmp_path / "none.toml")


def test_budgets_of_many_keys(tmp_path: Path) -> None:
    more = '\n[[budgets]]\nowner = "team:search"\namount = "500 USD / month"\noverdraft = "20 USD"\n'
    rule = load_config(_written(tmp_path, GOOD + more)).budgets["team:search"]
    assert (500 * 10**12, "month", 20 * 10**12) == (rule.amount_pico, rule.per, rule.overdraft_pico)
    with pytest.raises(ContractError, match="no owner of budgets"):
        load_config(_written(tmp_path, GOOD + more.replace("team:", "tema:")))
    with pytest.raises(ContractError, match="not a budget"):
        load_config(_written(tmp_path, GOOD + more.replace("500 USD", "many USD")))
