"""What workloads need, as a user says it: a needs file, `--quality` flags, and evaluations that models passed.

    needs:
      - {workloads: support-*, models: [claude-opus-4.7, gpt-5.4], region: eu, retention_max: 24 hours}
      - {workloads: "*", latency_ms: 700, latency_ms_max: 900, training: never, input_tpm: 4_000_000}

A flag wins over the file. Without models, an evaluation's admissions are the choice; without one, the model of today.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path

from offtake.catalog.list_price import ListPrices
from offtake.contract.contract import Contract
from offtake.planner.offers.admissible import Need
from offtake.planner.routing.accepted import Accepted, passing
from offtake.values import units
from offtake.values.errors import CatalogError, InputError, Place
from offtake.values.yaml_text import read_yaml, step

KEYS = (
    "workloads", "models", "region", "retention_max", "training", "latency_ms", "latency_ms_max", "input_tpm",
    "output_tpm",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Quality:
    """Which models may serve what: `--quality` rows, and evaluation files with the floor that they must prove."""

    rows: Sequence[tuple[str, tuple[str, ...]]] = ()
    evaluations: Sequence[Path] = ()
    floor: Decimal | None = None
    confidence: Decimal = Decimal("0.95")


def needs_of(
    files: Sequence[Path], quality: Quality, catalog: ListPrices, admitted: Sequence[Need] = ()
) -> tuple[Need, ...]:
    """Every need, flags last; `admitted` stand in contracts, and hold where nothing else names models.

    InputError P665 with file:line:column for what is wrong in a file; CatalogError for a model that nobody sells, with
    the row that names it.
    """
    found = [need for path in files for need in _read(path)]
    passed = _passed(quality, catalog)
    if passed is not None:
        found = [need if need.models is not None else replace(need, models=passed) for need in found]
        if not any(need.workloads == "*" for need in found):
            found.append(Need(workloads="*", models=passed, where=Place(str(quality.evaluations[0]))))
    for pattern, models in quality.rows:
        before = next((need for need in found if need.workloads == pattern), Need(workloads=pattern))
        found = [need for need in found if need.workloads != pattern]
        found.append(replace(before, models=models))
    for each in admitted:
        same = [place for place, need in enumerate(found) if need.workloads == each.workloads]
        if not same and passed is None:
            found.append(each)
        for place in same:
            found[place] = replace(found[place], models=found[place].models or each.models)
    for need in found:
        for model in need.models or ():
            _resolved(model, need, catalog)
    return tuple(found)


def admissions(contracts: Sequence[Contract], accepted: Mapping[str, Sequence[Accepted]], on: date) -> list[Need]:
    """What the contracts' own evaluations (`models.evaluation`) admit on a day, by workload pattern.

    `accepted`: signed results of `offtake accept` by the contract's file; they admit as lines of `admitted` do.
    """
    found: dict[str, Need] = {}
    for contract in contracts:
        models = contract.signed.models
        for index, each in enumerate((models.evaluation if models else None) or ()):
            rows = [(row.model, row.until) for row in each.admitted]
            rows += [(result.model, result.until) for result in passing(each, accepted.get(contract.file, ()))]
            passed = tuple(dict.fromkeys(model for model, until in rows if on < until))
            for pattern in each.workloads or ["*"]:
                if passed:
                    where = contract.place(f"models.evaluation[{index}]")
                    found.setdefault(pattern, Need(workloads=pattern, models=passed, where=where))
    return list(found.values())


def _resolved(model: str, need: Need, catalog: ListPrices) -> None:
    try:
        catalog.resolve(model)
    except CatalogError as error:
        raise CatalogError.of([replace(each, where=need.where) for each in error.findings]) from error


def _passed(quality: Quality, catalog: ListPrices) -> tuple[str, ...] | None:
    """The models that proved the floor and are on sale. InputError P666 where there is none."""
    if not quality.evaluations:
        return None
    from offtake.operations.route_models import route

    if quality.floor is None:
        raise InputError("P665", "evaluations say nothing without a floor", hint="add --floor 70%")
    choice = route(quality.evaluations, floor=quality.floor, confidence=quality.confidence).choice
    runs = [each.run for each in (*choice.judged, *choice.not_comparable) if each.passes]
    models = dict.fromkeys(run.priced_as or run.model for run in runs)
    sold = tuple(model for model in models if _is_sold(model, catalog))
    if runs and not sold:
        raise InputError(
            "P666", f"no price book has the models that prove the floor: {', '.join(models)}",
            where=Place(str(quality.evaluations[0])), hint="name them as they are sold, or add prices with --catalog",
        )  # fmt: skip
    if not runs:
        raise InputError(
            "P666", f"no model proves a floor of {quality.floor:.1%} at {quality.confidence:.1%} confidence",
            where=Place(str(quality.evaluations[0])), hint="lower --floor or --confidence, or run more tasks",
        )  # fmt: skip
    return sold


def _is_sold(model: str, catalog: ListPrices) -> bool:
    try:
        catalog.resolve(model)
    except CatalogError:
        return False
    return True


def _read(path: Path) -> list[Need]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError("P665", "the file is not UTF-8 text", where=Place(str(path)), why=str(error)) from error
    data, places = read_yaml(text, str(path))
    rows = data.get("needs") if isinstance(data, dict) and set(data) == {"needs"} else None
    if not isinstance(rows, list):
        raise InputError(
            "P665", "a list of needs is expected", where=Place(str(path)),
            hint="needs: [{workloads: support-*, region: eu}]",
        )  # fmt: skip
    return [_need(row, step("needs", index), places) for index, row in enumerate(rows)]


def _need(row: object, path: str, places: Mapping[str, Place]) -> Need:
    if not isinstance(row, dict) or "workloads" not in row:
        raise InputError(
            "P665", "a need is a mapping with `workloads`, a pattern of their names", where=places.get(path),
            hint='{workloads: "*", region: eu}',
        )  # fmt: skip
    fields: dict[str, object] = {}
    for key, value in row.items():
        where = places.get(f"{path}.{key}", places.get(path))
        if key not in KEYS:
            raise InputError("P665", f"unknown key {key!r}", where=where, hint=f"keys: {', '.join(KEYS)}")
        try:
            fields[key] = _READERS[key](value)
        except (ValueError, TypeError) as error:
            raise InputError("P665", f"{key}: {error}", where=where) from error
    return Need(**fields, where=places.get(path))  # type: ignore[arg-type]  # `_READERS` gives each key its type


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(f"text is expected; got {value!r}")
    return value


def _models(value: object) -> tuple[str, ...]:
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list) or not listed:
        raise ValueError("a list of models is expected, such as [claude-opus-4.7, gpt-5.4]")
    return tuple(_text(each) for each in listed)


def _retention(value: object) -> object:
    return "none" if value == "none" else units.duration(value)


def _training(value: object) -> str:
    if value != "never":
        raise ValueError("the one thing to ask for is `never`")
    return "never"


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"a whole number at or above zero is expected; got {value!r}")
    return value


_READERS: Mapping[str, Callable[[object], object]] = {
    "workloads": _text, "models": _models, "region": _text, "retention_max": _retention, "training": _training,
    "latency_ms": _whole, "latency_ms_max": _whole, "input_tpm": _whole, "output_tpm": _whole,
}  # fmt: skip
