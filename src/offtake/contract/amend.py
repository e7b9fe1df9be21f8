"""Amendments: the signed text and each change of it, as dated versions. Nothing is overwritten.

A version is the signed data with the changes of every amendment in force, in order of effect, validated again as a
whole. A changed term stands where its amendment stands. Codes:
    C230 a path that names no term   C231 an amendment outside of the term   C232 a ramp and an amendment for one year
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Literal
from zoneinfo import ZoneInfo

from offtake.contract.contract import Version
from offtake.contract.paths import PathError, Step, at, locate, text
from offtake.contract.schema.duties import Amendment
from offtake.contract.schema.terms import Terms
from offtake.contract.validate import place_of, validate
from offtake.values.errors import Finding, Place
from offtake.values.periods import midnight, shift_months

REMOVED = "removed"
"""The value that takes a term out of the contract."""


def versions(
    signed: Terms, data: Mapping[str, object], amendments: list[Amendment], places: Mapping[str, Place], file: str
) -> tuple[tuple[Version, ...], list[Finding]]:
    """Every version in order of effect, and what is wrong with the amendments. `data` is the signed text."""
    zone = ZoneInfo(signed.term.time_zone)
    found = [Version(midnight(signed.term.from_, zone), signed, data=data, places=places)]
    findings: list[Finding] = []
    order = sorted(range(len(amendments)), key=lambda index: _instant(amendments[index].effective, zone))
    for index in order:
        version, problems = _amended(found[-1], amendments[index], index, places, file)
        findings += problems
        if version is None:
            continue
        if version.effective == found[-1].effective and len(found) > 1:  # two papers of one day are one change
            found[-1] = _joined(found[-1], version)
        else:
            found.append(version)
    return tuple(found), findings


def _amended(
    before: Version, amendment: Amendment, index: int, places: Mapping[str, Place], file: str
) -> tuple[Version | None, list[Finding]]:
    """The text after one amendment, or None and the reasons."""
    findings: list[Finding] = []
    data = copy.deepcopy(dict(before.data))
    standing = dict(before.places)
    for path, value in amendment.changes.items():
        here = f"amendments[{index}].changes.{path}"
        try:
            steps = locate(path, data)
        except PathError as error:
            where = place_of(here, places, file)
            findings.append(
                Finding("C230", "error", str(error), where, here, "an amendment changes a term", error.hint)
            )
            continue
        findings += _ramp_clash(before.terms, steps, amendment, here, places, file)
        put(data, steps, value)
        standing = moved(standing, text(steps), here, places)
    if findings:
        return None, findings
    terms, findings = validate(Terms, data, standing, file)
    if terms is None:
        return None, findings
    effective = _instant(amendment.effective, ZoneInfo(terms.term.time_zone))
    findings = _outside(effective, terms, f"amendments[{index}].effective", places, file)
    changes = amendment.changes
    return Version(effective, terms, amendment.document, amendment.prorate, changes, data, standing), findings


def _joined(first: Version, second: Version) -> Version:
    prorate: Literal["days", "none"] = "none" if "none" in (first.prorate, second.prorate) else "days"
    document = f"{first.document}; {second.document}"
    changes = {**first.changes, **second.changes}
    return Version(second.effective, second.terms, document, prorate, changes, second.data, second.places)


def put(data: dict[str, object], steps: tuple[Step, ...], value: object) -> None:
    """Put a value at a path, making the mappings above it; `removed` takes the term out."""
    node: object = data
    for step in steps[:-1]:
        if isinstance(node, dict):
            node = node.setdefault(step, {})
        elif isinstance(node, list) and isinstance(step, int):
            if step == len(node):
                node.append({})
            node = node[step]
    last = steps[-1]
    if isinstance(node, dict):
        if value == REMOVED:
            node.pop(last, None)
        else:
            node[last] = value
    elif isinstance(node, list) and isinstance(last, int):
        if value == REMOVED:
            del node[last : last + 1]
        else:
            node[last : last + 1] = [value]


def moved(standing: Mapping[str, Place], path: str, here: str, places: Mapping[str, Place]) -> dict[str, Place]:
    """The places of a text once the term at `path`, and all that is below it, stands `here` in another one."""
    kept = {known: place for known, place in standing.items() if not _below(known, path)}
    return kept | {path + known[len(here) :]: place for known, place in places.items() if _below(known, here)}


def _below(known: str, path: str) -> bool:
    return known == path or known.startswith((f"{path}.", f"{path}["))


def _outside(effective: datetime, terms: Terms, path: str, places: Mapping[str, Place], file: str) -> list[Finding]:
    zone = ZoneInfo(terms.term.time_zone)
    if midnight(terms.term.from_, zone) <= effective < midnight(terms.term.until, zone):
        return []
    what = f"the amendment takes effect outside of the term, {terms.term.from_} to {terms.term.until}"
    hint = "an amendment may lie in the past, but not before `term.from`"
    return [Finding("C231", "error", what, place_of(path, places, file), path, "it would change nothing", hint)]


def _ramp_clash(
    terms: Terms, steps: tuple[Step, ...], amendment: Amendment, here: str, places: Mapping[str, Place], file: str
) -> list[Finding]:
    """`ramp` and an amendment both naming the amount of one contract year: nothing says which holds."""
    index = steps[1] if len(steps) > 2 and steps[0] == "commitments" and steps[2] == "amount" else None
    commitment = at(terms.commitments, [index]) if isinstance(index, int) else None
    start = terms.term.from_
    when = (
        _instant(amendment.effective, ZoneInfo(terms.term.time_zone)).astimezone(ZoneInfo(terms.term.time_zone)).date()
    )
    year = 1 + sum(shift_months(start, 12 * n) <= when for n in range(1, 21))
    for number, step in enumerate(getattr(commitment, "ramp", [])):
        if step.year == year:
            ramp = place_of(f"commitments[{index}].ramp[{number}]", places, file)
            what = f"the amendment and the ramp at {ramp} both set the amount of contract year {year}"
            hint = f"change `commitments[{index}].ramp[{number}].amount` instead, or remove the ramp step"
            where = place_of(here, places, file)
            return [Finding("C232", "error", what, where, here, "nothing says which of the two holds", hint)]
    return []


def _instant(when: datetime | date, zone: ZoneInfo) -> datetime:
    if isinstance(when, datetime):
        return (when if when.tzinfo else when.replace(tzinfo=zone)).astimezone(UTC)
    return midnight(when, zone)
