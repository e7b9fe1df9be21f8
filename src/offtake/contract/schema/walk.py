"""Walking the schema: which fields there are. The one place that reads pydantic's annotations."""

from __future__ import annotations

import types
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from offtake.contract.schema.field_types import Term


@dataclass(frozen=True, slots=True)
class Parts:
    """What an annotation can hold: terms, a list of something, a mapping to something, or plain values."""

    terms: tuple[type[Term], ...] = ()
    element: Any = None
    value: Any = None


@dataclass(frozen=True, slots=True)
class Field:
    """One field. `path` has `[]` for any element of a list and `*` for any key: `prices.discounts[].share`."""

    path: str
    term: type[Term]
    name: str
    key: str
    info: FieldInfo

    @property
    def description(self) -> str:
        """What the field means, in a sentence."""
        return self.info.description or ""


def parts(annotation: Any) -> Parts:
    """What an annotation can hold, through Annotated, unions and None."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return parts(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        found = [parts(each) for each in get_args(annotation)]
        return Parts(
            tuple(term for each in found for term in each.terms),
            next((each.element for each in found if each.element is not None), None),
            next((each.value for each in found if each.value is not None), None),
        )
    if origin is list:
        return Parts(element=get_args(annotation)[0])
    if origin is dict:
        return Parts(value=get_args(annotation)[1])
    return Parts((annotation,)) if isinstance(annotation, type) and issubclass(annotation, Term) else Parts()


def key_of(name: str, info: FieldInfo) -> str:
    """The key in the file: the alias where the field has one (`from`)."""
    return info.alias or name


def keys_of(term: type[Term]) -> dict[str, FieldInfo]:
    """The fields of a term by their key in the file."""
    return {key_of(name, info): info for name, info in term.model_fields.items()}


@lru_cache(maxsize=4)
def fields(root: type[Term]) -> tuple[Field, ...]:
    """Every field of the language, in the order of the schema, without `source`, which every term has."""
    return tuple(_fields(root, ""))


def _fields(term: type[Term], path: str) -> Iterator[Field]:
    for name, info in term.model_fields.items():
        if name == "source":
            continue
        key = key_of(name, info)
        here = f"{path}.{key}" if path else key
        yield Field(here, term, name, key, info)
        yield from _below(info.annotation, here)


def _below(annotation: Any, path: str) -> Iterator[Field]:
    found = parts(annotation)
    for term in found.terms:
        yield from _fields(term, path)
    if found.element is not None:
        yield from _below(found.element, f"{path}[]")
    if found.value is not None:
        yield from _below(found.value, f"{path}.*")


def leaves(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    """Every value that is set, by its path in the file: (`commitments[0].amount`, MoneyRate)."""
    if isinstance(value, Term):
        for name, info in type(value).model_fields.items():
            key = key_of(name, info)
            yield from leaves(getattr(value, name), f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from leaves(each, f"{path}[{index}]")
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from leaves(each, f"{path}.{key}")
    elif value is not None:
        yield path, value
