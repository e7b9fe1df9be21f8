"""The contract file → Contract. Pure: text in, values out; whoever opens the file hands over its bytes.

    bytes ─UTF-8─► text ─read_yaml─► data, places ─validate─► Terms ─amend─► versions ─rules─► Contract

Every problem that can be found at once is found at once: one ContractError holds them all. What only a catalogue can
tell (gaps, clashes, terms without effect) is `check.py`'s. Codes of this module:
    C207 not UTF-8   C220 another currency   C221 an id that stands twice
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256

from offtake.contract.amend import versions
from offtake.contract.contract import Contract
from offtake.contract.schema.duties import Amendment
from offtake.contract.schema.terms import Terms
from offtake.contract.schema.walk import leaves
from offtake.contract.validate import place_of, show, validate
from offtake.values.errors import ContractError, Finding, Place
from offtake.values.money import Money
from offtake.values.units import MoneyRate
from offtake.values.yaml_text import read_yaml


def parse_bytes(data: bytes, file: str) -> Contract:
    """A contract from the bytes of its file, which are UTF-8 (a byte order mark is allowed)."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - (data.rfind(b"\n", 0, error.start) + 1) + 1
        raise ContractError(
            "C207",
            "the file is not UTF-8 text",
            where=Place(file, line, column),
            why=f"the byte 0x{data[error.start]:02x} starts no character there",
            hint="save it as UTF-8; spreadsheets and older editors write UTF-16 or Windows-1252",
        ) from error
    return _parsed(text, file, sha256(data).hexdigest())


def parse(text: str, file: str) -> Contract:
    """A contract from the text of its file. ContractError with every finding."""
    return _parsed(text, file, sha256(text.encode()).hexdigest())


def parse_data(data: object, file: str, places: Mapping[str, Place], digest: str) -> Contract:
    """A contract from data that was read already: what stances and tests make. ContractError with every finding."""
    signed_data, amendment_data = _split(data)
    signed, findings = validate(Terms, signed_data, places, file)
    amendments = []
    for index, each in enumerate(amendment_data):
        amendment, problems = validate(Amendment, each, places, file, below=f"amendments[{index}]")
        findings += problems
        amendments += [amendment] if amendment else []
    if signed is None or findings or not isinstance(signed_data, dict):
        raise ContractError.of(findings)
    found, findings = versions(signed, signed_data, amendments, places, file)
    contract = Contract(file, digest, found, found[-1].places)
    findings += [finding for rule in RULES for finding in rule(contract)]
    if findings:
        raise ContractError.of(list(dict.fromkeys(findings)))
    return contract


def _parsed(text: str, file: str, digest: str) -> Contract:
    data, places = read_yaml(text, file, "`offtake init` writes a first contract")
    return parse_data(data, file, places, digest)


def _split(data: object) -> tuple[object, list[object]]:
    """The signed text, and the amendments beside it. What is no list is left in place for the schema to refuse."""
    if not isinstance(data, dict) or not isinstance(data.get("amendments", []), list):
        return data, []
    return {key: value for key, value in data.items() if key != "amendments"}, data.get("amendments", [])


def one_currency(contract: Contract) -> Iterator[Finding]:
    """Every amount of the file is in the currency of the term."""
    for version in contract.versions:
        currency = version.terms.term.currency
        said = place_of("term.currency", version.places, contract.file)
        for path, value in leaves(version.terms):
            money = value.money if isinstance(value, MoneyRate) else value
            if isinstance(money, Money) and money.currency != currency:
                yield Finding(
                    "C220",
                    "error",
                    f"`{path}` is in {money.currency}, and the contract is in {currency}",
                    place_of(path, version.places, contract.file),
                    path,
                    f"`term.currency` at {said} holds for every amount",
                    f"write the amount in {currency}; a rate of exchange is not a term of this contract",
                )


def one_id_each(contract: Contract) -> Iterator[Finding]:
    """Commitments, credits and obligations are named by their id."""
    for version in contract.versions:
        terms = version.terms
        for section, ids in (
            ("commitments", [each.id for each in terms.commitments]),
            ("credits", [each.name for each in terms.credits]),
            ("obligations", [each.id for each in terms.obligations]),
        ):
            for index, name in enumerate(ids):
                if name in ids[:index]:
                    first = place_of(f"{section}[{ids.index(name)}]", version.places, contract.file)
                    where = place_of(f"{section}[{index}]", version.places, contract.file)
                    yield Finding(
                        "C221",
                        "error",
                        f"{show(name)} stands twice in `{section}`",
                        where,
                        f"{section}[{index}]",
                        f"the first is at {first}; lines and amendments refer to it by this name",
                        "give it a name of its own",
                    )


RULES: tuple[Callable[[Contract], Iterator[Finding]], ...] = (one_currency, one_id_each)
"""What no catalogue is needed for, and no contract may break."""
