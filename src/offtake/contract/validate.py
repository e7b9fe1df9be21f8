"""Data against the schema: every problem as a finding, in plain words, with its place.

Pydantic finds the problems; this module says them the way a person would, once each. Codes:
    C210 unknown key      C211 missing term        C212 wrong kind of value   C213 text that cannot be read
    C214 out of bounds    C215 not one of the words C216 a term contradicts itself   C217 a key without a value
    C218 unknown time zone
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, TypeVar
from zoneinfo import available_timezones

from pydantic import ValidationError

from offtake.contract.paths import Step, at, text
from offtake.contract.schema.field_types import Term, percent
from offtake.contract.schema.terms import Terms
from offtake.contract.schema.walk import fields, keys_of, parts
from offtake.values.errors import Finding, Place

T = TypeVar("T", bound=Term)
Error = Mapping[str, Any]

_KINDS = {
    "string_type": "text",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "date_type": "a date such as 2026-01-01",
    "datetime_type": "an instant such as 2026-01-01T00:00:00Z",
    "list_type": "a list",
    "dict_type": "a mapping of keys to values",
    "model_type": "a mapping of keys to values",
}
_BOUNDS = {
    "greater_than": "above {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "below {lt}",
    "less_than_equal": "at most {le}",
    "too_short": "a list of at least {min_length}",
    "too_long": "a list of at most {max_length}",
}


def validate(
    model: type[T], data: object, places: Mapping[str, Place], file: str, below: str = ""
) -> tuple[T | None, list[Finding]]:
    """The term and no findings, or None and every problem. `below` is the path of `data` in the file."""
    findings = [_empty(steps, places, file, below) for steps in _nulls(data, ())]
    try:
        value = model.model_validate(data, by_alias=True, by_name=False)
    except ValidationError as error:
        empty = {finding.path for finding in findings}
        findings += [
            finding
            for finding in _Reader(model, data, places, file, below).findings(error)
            if finding.path not in empty
        ]
        return None, sorted(findings, key=_by_place)
    return (None, findings) if findings else (value, [])


def place_of(path: str, places: Mapping[str, Place], file: str) -> Place:
    """Where a term stands: its own line, or that of the nearest term above it."""
    while path and path not in places:
        path = path[: max(path.rfind("."), path.rfind("["), 0)]
    return places.get(path, Place(file))


def show(value: object) -> str:
    """A value as the file has it, shortened."""
    if isinstance(value, str):
        return repr(value if len(value) <= 60 else f"{value[:57]}...")
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (dict, list)):
        return "a mapping" if isinstance(value, dict) else "a list"
    return str(value)


def nearest(word: str, known: Sequence[str], label: str = "known") -> str:
    """`did you mean …?`, or what there is."""
    near = difflib.get_close_matches(word.lower(), known, n=3, cutoff=0.6)
    return f"did you mean {' or '.join(f'`{each}`' for each in near)}?" if near else f"{label}: {', '.join(known)}"


class _Reader:
    """Pydantic's errors for one model and its data, said in our words."""

    def __init__(self, model: type[Term], data: object, places: Mapping[str, Place], file: str, below: str) -> None:
        self.model, self.data, self.places, self.file, self.below = model, data, places, file, below
        self.of_contract = model.__module__.startswith("offtake.contract.")  # not a configuration, nor a script

    def findings(self, error: ValidationError) -> list[Finding]:
        grouped: dict[tuple[Step, ...], list[tuple[Error, tuple[Step, ...], str]]] = {}
        for each in error.errors(include_url=False):
            steps, fork, tag = self._steps(each)
            grouped.setdefault(fork if fork is not None else (*steps, f"<{each['type']}>"), []).append(
                (each, steps, tag)
            )
        return [finding for group in grouped.values() for finding in self._group(group)]

    def _steps(self, error: Error) -> tuple[tuple[Step, ...], tuple[Step, ...] | None, str]:
        """The path of an error, the path at which a union forked (None without one), and the branch's name.

        Pydantic puts the names of union branches between the keys; what is no key of the data is such a name.
        """
        steps: list[Step] = []
        fork: tuple[Step, ...] | None = None
        tag = ""
        *above, last = error["loc"] or ("",)
        for step in above:
            here = at(self.data, steps)
            if (isinstance(here, dict) and step in here) or (isinstance(here, list) and isinstance(step, int)):
                steps.append(step)
            elif fork is None:
                fork, tag = tuple(steps), str(step)
        here = at(self.data, steps)
        if error["type"] in ("missing", "extra_forbidden") or (
            (isinstance(here, dict) and last in here) or (isinstance(here, list) and isinstance(last, int))
        ):
            steps.append(last)
        elif last not in ("", "[key]") and fork is None:
            fork, tag = tuple(steps), str(last)
        return tuple(steps), fork, tag

    def _group(self, group: list[tuple[Error, tuple[Step, ...], str]]) -> list[Finding]:
        """The findings of one place: of a union only the branches that the value could have meant."""
        first, steps, tag = group[0]
        if not tag:
            return [self._finding([first], steps)]
        fork = self._steps(first)[1] or ()
        value = at(self.data, fork)
        terms = {term.__name__ for term in self._terms(fork)}
        of_term = [each for each in group if any(name in each[2] for name in terms)]
        plain = [each for each in group if each not in of_term]
        if isinstance(value, dict) and of_term:
            return [self._finding([error], steps) for error, steps, _ in of_term]
        chosen = plain or of_term
        return [self._finding([error for error, _, _ in chosen], fork)]

    def _terms(self, steps: Sequence[Step]) -> tuple[type[Term], ...]:
        annotation: Any = self.model
        for step in steps:
            known = parts(annotation)
            if isinstance(step, int):
                annotation = known.element
                continue
            annotation = next((keys_of(t)[step].annotation for t in known.terms if step in keys_of(t)), known.value)
        return parts(annotation).terms

    def _finding(self, errors: list[Error], steps: tuple[Step, ...]) -> Finding:
        kind = errors[0]["type"]
        name = str(steps[-1]) if steps and isinstance(steps[-1], str) else text(steps)
        value = at(self.data, steps)
        if kind == "extra_forbidden":
            known = [key for term in self._terms(steps[:-1]) for key in keys_of(term)]
            hint = _elsewhere(name) if self.of_contract else ""
            return self._at(steps, "C210", f"unknown key `{name}`", hint=hint or nearest(name, known, "known keys"))
        if kind == "missing":
            info = next((keys_of(t)[name] for t in self._terms(steps[:-1]) if name in keys_of(t)), None)
            owner = text(steps[:-1]) or ("the contract" if self.of_contract else "the file")
            return self._at(
                steps, "C211", f"`{name}` is missing in {owner}", why=(info.description or "") if info else ""
            )
        if kind == "unknown_word":
            context = errors[0]["ctx"]
            what = f"{show(context['word'])} is not {context['what']}"
            return self._at(steps, "C215", what, hint=nearest(context["word"], context["words"]))
        if kind == "time_zone":
            return self._at(steps, "C218", f"`{name}`: no time zone is called {show(value)}", hint=_nearest_zone(value))
        if kind == "value_error" and isinstance(value, (dict, list)) and len(errors) == 1:
            return self._at(steps, "C216", f"`{name}`: {_message(errors[0])}")
        code = _code(kind)
        wanted = " or ".join(dict.fromkeys(_wanted(each) for each in errors))
        subject = f"`{name}`" if name else "the file"
        language = "in quotes" if self.file.endswith(".toml") else "in YAML 1.2"
        return self._at(steps, code, f"{subject} is {show(value)}: {wanted}", hint=_hint(errors, value, language))

    def _at(self, steps: tuple[Step, ...], code: str, what: str, why: str = "", hint: str = "") -> Finding:
        path = _joined(self.below, text(steps))
        return Finding(code, "error", what, place_of(path, self.places, self.file), path, why, hint)


def _elsewhere(name: str) -> str:
    """Where a key of this name stands, if it is a good key in the wrong place."""
    homes = [field.path for field in fields(Terms) if field.key == name]
    return f"`{name}` stands at {' or '.join(f'`{path}`' for path in homes[:3])}" if 0 < len(homes) < 4 else ""


def _nearest_zone(value: object) -> str:
    """Zones whose city or whole name looks like this."""
    cities = {zone.split("/")[-1].lower(): zone for zone in sorted(available_timezones())}
    near = difflib.get_close_matches(str(value).split("/")[-1].lower(), cities, n=3, cutoff=0.7)
    known = " or ".join(cities[city] for city in near)
    return f"did you mean {known}?" if near else "use an IANA name, such as UTC or Europe/Berlin"


def _code(kind: str) -> str:
    if kind in _KINDS:
        return "C212"
    if kind in _BOUNDS:
        return "C214"
    return "C215" if kind == "literal_error" else "C213"


def _message(error: Error) -> str:
    """Our own sentence, without pydantic's prefix and without the value, which `_finding` shows as the file has it."""
    return re.split(r"; got ", error["msg"].removeprefix("Value error, "))[0]


def _wanted(error: Error) -> str:
    kind = error["type"]
    if kind in _KINDS:
        return f"it must be {_KINDS[kind]}"
    if kind in _BOUNDS:
        return f"it must be {_BOUNDS[kind].format(**error['ctx'])}"
    if kind == "literal_error":
        return f"it must be one of {error['ctx']['expected'].replace(chr(39), '`')}".replace("of `", "`", 0)
    if kind == "string_pattern_mismatch":
        return "it is not in the expected form"
    return _message(error)


def _hint(errors: list[Error], value: object, language: str) -> str:
    kinds = {each["type"] for each in errors}
    messages = " ".join(each["msg"] for each in errors)
    if "bool_type" in kinds and isinstance(value, str):
        return f"{language} `{value}` is text; write true or false"
    if "percent sign" in messages and isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        if value > 1:
            return f"write {value}%"
        return f"write {percent(Decimal(value))} for a share of {value}, or {value}% if that is meant"
    if "an amount and a currency" in messages and isinstance(value, (int, Decimal)):
        return f"write {value} USD, or the currency of the contract"
    if "literal_error" in kinds and isinstance(value, str):
        words = [
            word for each in errors for word in re.findall(r"'([^']*)'", str(each.get("ctx", {}).get("expected", "")))
        ]
        return nearest(value, words) if difflib.get_close_matches(value.lower(), words) else ""
    if isinstance(value, date) and kinds & {"string_type"}:
        return "quote it, if it is text"
    return ""


def _nulls(data: object, steps: tuple[Step, ...]) -> list[tuple[Step, ...]]:
    if data is None:
        return [steps]
    inner: list[tuple[Step, object]] = []
    if isinstance(data, dict):
        inner = list(data.items())
    elif isinstance(data, list):
        inner = list(enumerate(data))
    return [found for step, value in inner for found in _nulls(value, (*steps, step))]


def _empty(steps: tuple[Step, ...], places: Mapping[str, Place], file: str, below: str) -> Finding:
    path = _joined(below, text(steps))
    name = text(steps[-1:]) if steps else "the file"
    return Finding(
        "C217",
        "error",
        f"`{name}` has no value",
        place_of(path, places, file),
        path,
        "an empty term could mean `none` or `forgotten`",
        "write a value, or remove the key",
    )


def _joined(below: str, path: str) -> str:
    return f"{below}{'' if path.startswith('[') or not path else '.'}{path}" if below else path


def _by_place(finding: Finding) -> tuple[int, int]:
    where = finding.where
    return (where.line or 0, where.column or 0) if where else (0, 0)
