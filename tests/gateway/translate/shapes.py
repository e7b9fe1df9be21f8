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
        found = [faults(value, one, path, extra) for one in args]
        return [] if [] in found else _nearest(value, args, found)
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


def _nearest(value: Any, shapes: tuple[Any, ...], found: list[list[str]]) -> list[str]:
    """The faults of the shape with the value's own `type` or `role`, or else the fewest."""
    if isinstance(value, dict):
        for word in ("type", "role"):
            for shape, wrong in zip(shapes, found, strict=True):
                hint = getattr(shape, "__annotations__", {}).get(word)
                if word in value and repr(value[word]) in repr(hint):
                    return wrong
    return min(found, key=len)
