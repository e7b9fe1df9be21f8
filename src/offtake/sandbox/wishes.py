"""What a request asks of the sandbox itself, beside what it asks of the vendor.

`[[sandbox output=300 tool=get_weather]]` anywhere in the body (the last one counts), so that it survives any gateway
and any translation; and the header `x-sandbox: output=300`, which wins. Words:

    output=N      tokens of the answer, before the request's own limit
    reasoning=N   of which so many are reasoning
    tool=NAME     call this tool, if the request defines it
    searches=N    web searches, if the request allows them
    fault=NAME    this fault, as in the script; after=N, delay=N (ms), status=N, retry_after=N and bill=… go with it
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from offtake.sandbox.refusals import VendorError

_IN_BODY = re.compile(rb"\[\[sandbox ([^\[\]\"\\]*)\]\]")
HEADER = "x-sandbox"
WORDS = ("output", "reasoning", "tool", "searches", "fault", "after", "delay", "status", "retry_after", "bill")
NUMBERS = ("output", "reasoning", "searches", "after", "delay", "status", "retry_after")


def wishes_of(body: bytes, headers: Mapping[str, str]) -> dict[str, str]:
    """The words of the last directive in the body and of the header. VendorError 400 for an unknown word."""
    text = ""
    if b"[[sandbox " in body:
        found = _IN_BODY.findall(body)
        text = found[-1].decode() if found else ""
    said = f"{text} {headers.get(HEADER, '')}".replace(",", " ").split()
    wishes = {}
    for each in said:
        word, equals, value = each.partition("=")
        if word not in WORDS or not equals or (word in NUMBERS and not value.isdecimal()):
            raise VendorError.invalid(f"the sandbox does not know {each!r}; it knows {', '.join(WORDS)}, as word=value")
        wishes[word] = value
    return wishes
