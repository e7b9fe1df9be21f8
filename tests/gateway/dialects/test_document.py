"""Bodies are cut, not rebuilt: an edited body is the client's own bytes but for the edit."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offtake.gateway.ask import BadAsk
from offtake.gateway.dialects.document import spliced, top_level

SPACE = st.text(" \t\r\n", max_size=2)
LEAF = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5)
)
VALUE = st.recursive(
    LEAF, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=3,
)  # fmt: skip
NAMES = st.sampled_from(["model", "a", 'q"\\', "é", "\n", ""])


def written(members: list[tuple[str, Any]], spaces: list[str], ascii_only: bool) -> bytes:
    """An object as some client might write it: any spaces, escapes or not."""
    gap = iter(spaces * (4 * len(members) + 3))
    inner = ",".join(
        f"{next(gap)}{json.dumps(name, ensure_ascii=ascii_only)}{next(gap)}:{next(gap)}"
        f"{json.dumps(value, ensure_ascii=ascii_only)}{next(gap)}"
        for name, value in members
    )
    return f"{next(gap)}{{{inner}{next(gap)}}}{next(gap)}".encode()


OBJECTS = st.builds(
    lambda members, spaces, ascii_only: (dict(members), written(list(members.items()), spaces, ascii_only)),
    st.dictionaries(NAMES, VALUE, max_size=4),
    st.lists(SPACE, min_size=1, max_size=3),
    st.booleans(),
)


@given(OBJECTS, st.dictionaries(NAMES, VALUE, max_size=3))
def test_an_edited_body_means_the_same_but_for_the_edit(document: tuple[dict[str, Any], bytes], edit: Any) -> None:
    value, body = document
    edited = spliced(body, top_level(body), {name: json.dumps(new).encode() for name, new in edit.items()})
    own = {name: bytes(raw) for name, raw in top_level(body).items() if name in edit}

    assert {**value, **edit} == json.loads(edited)
    # Around the edit every byte stays: with the old values back, the body is the old one.
    if edit.keys() <= value.keys():
        assert body == spliced(edited, top_level(edited), own)


@given(OBJECTS, st.data())
def test_a_field_that_stands_twice_is_refused(document: tuple[dict[str, Any], bytes], data: st.DataObject) -> None:
    value, body = document
    if not value:
        return
    name, second = data.draw(st.sampled_from(sorted(value))), data.draw(VALUE)
    at = body.rindex(b"}")
    twice = body[:at] + b"," + json.dumps(name).encode() + b":" + json.dumps(second).encode() + body[at:]

    with pytest.raises(BadAsk) as refused:
        top_level(twice)
    assert "G105" == refused.value.refusal.code


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "G101"),
        (b"{", "G101"),
        (b'{"a":1', "G101"),
        (b'{"a":1} trailing', "G101"),
        (b'{"a":1}{"a":1}', "G101"),
        (b'\xef\xbb\xbf{"a":1}', "G101"),
        (b'{"a":NaN}', "G101"),
        (b'{"a":Infinity}', "G101"),
        (b'{"a":01}', "G101"),
        (b'{"a":"\x01"}', "G101"),
        (b'{"a":"\\x"}', "G101"),
        (b'{"a":"\\ud800"}', "G101"),
        (b'{"a":"\\udc00\\ud800"}', "G101"),
        (b'{"\\ud800":1}', "G101"),
        (b"{'a':1}", "G101"),
        (b'{"a":1,}', "G101"),
        (b'{"a":"\xff"}', "G102"),
        (b'{"a":"\xed\xa0\x80"}', "G102"),
        (b"[]", "G103"),
        (b'"a"', "G103"),
        (b"null", "G103"),
        (b"1", "G103"),
        (b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "G104"),
        (b"[" * 100_000, "G103"),
        (b'{"a":1,"a":1}', "G105"),
        (b'{"a":12,"a":1}', "G105"),
        (b'{"a":1,"a":12}', "G105"),
        (b'{"a":1,"\\u0061":1}', "G105"),
        (b'{"a":{"a":1},"a":{"a":1}}', "G105"),
    ],
    ids=lambda value: repr(value[:24]) if isinstance(value, bytes) else value,
)
def test_a_body_that_is_no_json_object_is_refused(body: bytes, code: str) -> None:
    with pytest.raises(BadAsk) as refused:
        top_level(body)
    assert (code, "bad_request") == (refused.value.refusal.code, refused.value.refusal.kind)
    assert refused.value.refusal.message
