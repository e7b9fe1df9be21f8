"""Whether a JSON value is exactly what an SDK's own type says: strict types, no unknown fields, no missing ones.

The SDKs' models take anything, so that they survive a vendor's changes; a translator must not hide behind that.
"""

from __future__ import annotations

import types
from collections.abc import Iterable, Sequence, Set
from functools import cache
from typing import Annotated, Any, Literal, Required, Union, get_args, get_origin, get_type_hints

import pydantic
import typing_extensions


def faults(value: Any, shape: Any, path: str = "$", extra: frozenset[str] = frozenset()) -> list[str]:
    """What is wrong with a value; [] where nothing is. `extra` are fields that may stand anywhere."""
    origin, args = get_origin(shape), get_args(shape)
    if isinstance(shape, typing_extensions.TypeAliasType):
        return faults(value, shape.__value__, path, extra)
    if origin in (Annotated, Required, typing_extensions.Required):
        return faults(value, args[0], path, extra)
    if origin in (Union, types.UnionType):
        found = []
        for one in _likely(value, args):
            if not (wrong := faults(value, one, path, extra)):
                return []
            found.append(wrong)
        return min(found, key=len)
    if origin is Literal:
        return [] if value in args else [f"{path}: {value!r} is none of {args}"]
    if typing_extensions.is_typeddict(shape):
        return _fields(value, _hints(shape), shape.__required_keys__, path, extra)
    if isinstance(shape, type) and issubclass(shape, pydantic.BaseModel):
        hints = {field.alias or name: field.annotation for name, field in shape.model_fields.items()}
        needed = {field.alias or name for name, field in shape.model_fields.items() if field.is_required()}
        return _fields(value, hints, needed, path, extra)
    if origin is dict:
        return [] if isinstance(value, dict) else [f"{path}: not an object"]
    if origin in (list, Iterable, Sequence) or getattr(origin, "__name__", "") in ("Iterable", "SequenceNotStr"):
        if not isinstance(value, list):
            return [f"{path}: not a list"]
        return [fault for index, item in enumerate(value) for fault in faults(item, args[0], f"{path}[{index}]", extra)]
    return _plain(value, shape, path)


@cache
def _hints(shape: Any) -> dict[str, Any]:
    return get_type_hints(shape)


def _plain(value: Any, shape: Any, path: str) -> list[str]:
    if shape in (Any, object):
        return []
    if shape is float:
        right = isinstance(value, int | float) and not isinstance(value, bool)
    elif shape is int:
        right = isinstance(value, int) and not isinstance(value, bool)
    else:
        right = isinstance(shape, type) and isinstance(value, shape)
    return [] if right else [f"{path}: {value!r} is no {shape}"]


def _fields(value: Any, hints: dict[str, Any], needed: Set[str], path: str, extra: frozenset[str]) -> list[str]:
    if not isinstance(value, dict):
        return [f"{path}: not an object"]
    found = [f"{path}.{name}: missing" for name in sorted(needed - value.keys())]
    for name, inner in value.items():
        if name in hints:
            found += faults(inner, hints[name], f"{path}.{name}", extra)
        elif name not in extra:
            found.append(f"{path}.{name}: unknown")
    return found


def _likely(value: Any, shapes: tuple[Any, ...]) -> tuple[Any, ...]:
    """The shapes that name the value's own `type` or `role`, if any do: what is wrong is said of them, and sooner."""
    likely = shapes
    for word in ("type", "role"):
        if isinstance(value, dict) and isinstance(value.get(word), str):
            likely = tuple(shape for shape in likely if value[word] in _words(shape, word)) or likely
    return likely


@cache
def _words(shape: Any, word: str) -> frozenset[str]:
    """The literals that a shape, or a union of shapes, allows in a field."""
    if get_origin(shape) in (Annotated, Required, typing_extensions.Required):
        return _words(get_args(shape)[0], word)
    if get_origin(shape) in (Union, types.UnionType):
        return frozenset[str]().union(*(_words(one, word) for one in get_args(shape)))
    if typing_extensions.is_typeddict(shape):
        hint = _hints(shape).get(word)
    elif isinstance(shape, type) and issubclass(shape, pydantic.BaseModel):
        hint = shape.model_fields[word].annotation if word in shape.model_fields else None
    else:
        return frozenset()
    while get_origin(hint) in (Required, typing_extensions.Required, Annotated):
        hint = get_args(hint)[0]
    return frozenset(one for one in get_args(hint) if isinstance(one, str))
