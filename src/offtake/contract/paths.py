"""Paths of terms, as people write them: `prices.discounts[0].share`, `commitments[spend].amount`, `commitment.amount`.

A list element is named by its index or by its `id` or `name`; `commitment` stands for the only commitment. A path is
read against the file's data and the schema at once, so that a key with dots in it (`prices.fixed.claude-opus-4.7`)
needs no quoting, and a section that the file does not have yet can be named.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from typing import Any

from offtake.contract.schema.field_types import Term
from offtake.contract.schema.terms import Terms
from offtake.contract.schema.walk import fields, keys_of, parts

Step = str | int
_SHORT = {"commitment": "commitments", "credit": "credits", "obligation": "obligations"}


class PathError(ValueError):
    """A path that names nothing; `hint` says what is near."""

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(what)
        self.hint = hint


def text(steps: Iterable[Step]) -> str:
    """The path as it is written: ("commitments", 0, "amount") gives `commitments[0].amount`."""
    written = ""
    for step in steps:
        written += f"[{step}]" if isinstance(step, int) else f".{step}" if written else step
    return written


def at(data: object, steps: Sequence[Step]) -> object:
    """What stands there, or None."""
    for step in steps:
        if isinstance(step, int) and isinstance(data, list):
            data = data[step] if step < len(data) else None
        elif isinstance(step, str) and isinstance(data, dict):
            data = data.get(step)
        else:
            return None
    return data


def locate(path: str, data: object, root: type[Term] = Terms) -> tuple[Step, ...]:
    """The steps that a path means in this data. The last step may be new; PathError when it names nothing."""
    steps: list[Step] = []
    annotation: Any = root
    rest = path.strip()
    while rest:
        step, rest = _first(rest, annotation, at(data, steps), path, top=not steps)
        annotation = _next(annotation, step)
        steps.append(step)
    if not steps:
        raise PathError("the path is empty")
    return tuple(steps)


def nearest_paths(path: str, root: type[Term] = Terms) -> str:
    """A hint with the schema's paths that look like this one."""
    known = {re.sub(r"\[\]|\.\*", "", field.path): field.path for field in fields(root)}
    plain = re.sub(r"\[[^\]]*\]", "", path)
    near = difflib.get_close_matches(plain, known, n=3, cutoff=0.5)
    return f"did you mean {' or '.join(f'`{known[each]}`' for each in near)}?" if near else ""


def _first(rest: str, annotation: Any, here: object, path: str, *, top: bool) -> tuple[Step, str]:
    """The first step of `rest` below `here`, and what is left of it."""
    known = parts(annotation)
    if rest.startswith("["):
        name, closed, tail = rest[1:].partition("]")
        if not closed or known.element is None:
            raise PathError(f"`{path}` names no term: nothing can be picked by [{name}] there", nearest_paths(path))
        return _index(name, here, path), tail.removeprefix(".")
    word = re.split(r"[.\[]", rest, maxsplit=1)[0]
    keys = {key for term in known.terms for key in keys_of(term)}
    if word in keys:
        return word, rest[len(word) :].removeprefix(".")
    if top and word in _SHORT and _SHORT[word] in keys:
        return _SHORT[word], f"[0]{rest[len(word) :]}" if _only(here, word, path) else ""
    if known.value is not None:
        present = [key for key in (here if isinstance(here, dict) else {}) if rest == key or rest.startswith(f"{key}.")]
        key = max(present, key=len, default=rest)
        return key, rest[len(key) :].removeprefix(".")
    raise PathError(f"`{path}` names no term: there is no `{word}`", nearest_paths(path))


def _only(here: object, word: str, path: str) -> bool:
    listed = here.get(_SHORT[word]) if isinstance(here, dict) else None
    count = len(listed) if isinstance(listed, list) else 0
    if count != 1:
        hint = f"name it: `{_SHORT[word]}[ID]{path.removeprefix(word)}`"
        raise PathError(f"`{path}` names the only {word}, but there are {count}", hint)
    return True


def _index(name: str, here: object, path: str) -> int:
    listed = here if isinstance(here, list) else []
    if name.isdecimal():
        if int(name) > len(listed):
            raise PathError(f"`{path}` names number {name}, but there are {len(listed)} (the first is 0)")
        return int(name)
    names = [each.get("id", each.get("name")) if isinstance(each, dict) else None for each in listed]
    if name not in names:
        known = ", ".join(str(each) for each in names if each) or "none"
        raise PathError(f"`{path}` names {name!r}, which is not there", f"there are: {known}")
    return names.index(name)


def _next(annotation: Any, step: Step) -> Any:
    known = parts(annotation)
    if isinstance(step, int):
        return known.element
    for term in known.terms:
        if step in keys_of(term):
            return keys_of(term)[step].annotation
    return known.value
