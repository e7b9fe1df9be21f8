"""Names of models as people, logs and clouds write them, brought to one form. Never a guess.

A name is accepted when it is a listed name after the differences that carry no meaning are taken off: capitals, the
separators `.` `_` `@` for `-`, a path or cloud prefix (`anthropic/`, `us.anthropic.`, `models/`), a snapshot date, a
revision (`-v1:0`) and `-latest`. Anything else that is left over makes it another, unknown name: the wide prefixes by
which price books match (`claude-opus-4-7-nonsense` would pass as Opus 4.7) are never used.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches

GEOGRAPHIES = frozenset({"global", "regional", "us", "eu", "apac", "ap", "jp", "au", "in", "ca", "us-gov"})
# What stands before a model's name in paths of clouds and libraries, without being its maker.
_PATH_WORDS = frozenset(
    {"models", "publishers", "bedrock", "converse", "invoke", "vertex_ai", "azure_ai", "openrouter", "litellm"}
)
_RESOURCE = re.compile(r"^(?:arn:aws[a-z-]*:bedrock:.*|projects/.*/(?:publishers/[^/]+/)?models)/(?P<name>[^/]+)$")
_REVISION = re.compile(r"-v\d+(?::\d+)?$")
_DATE = re.compile(r"-(20\d\d)-?(\d\d)-?(\d\d)$")
_FINE_TUNED = re.compile(r"^(ft:[^:]+?)(?:-\d{4})?(?::.*)?$")
_VERSION = re.compile(r"^(?:v?\d+(?:\.\d+)*[a-z]?(?::\d+)?|preview|latest|exp)$")


@dataclass(frozen=True, slots=True)
class Reference:
    """A name taken apart: the maker that it names (or ""), its geography (or ""), and the bare name."""

    maker: str
    geography: str
    name: str


def key(name: str) -> str:
    """The form in which names are compared: `Claude-Opus-4.7` and `claude_opus_4_7` are both `claude-opus-4-7`."""
    return re.sub(r"[._@\s]", "-", name.strip().lower()).strip("-")


def read_reference(text: str, makers: Collection[str]) -> Reference:
    """Take path and cloud prefixes off a name. Only words that are known (`makers` among them) are taken off."""
    name = text.strip()
    if match := _RESOURCE.match(name):
        name = match["name"]
    maker = geography = ""
    while "/" in name:
        head, rest = name.split("/", 1)
        if head.lower() in makers:
            maker = head.lower()
        elif head.lower() not in _PATH_WORDS:
            break
        name = rest
    head, dot, rest = name.partition(".")
    if dot and head.lower() in GEOGRAPHIES:
        geography, name = head.lower(), rest
        head, dot, rest = name.partition(".")
    if dot and head.lower() in makers:
        maker, name = head.lower(), rest
    return Reference(maker, geography, name)


def spellings(name: str) -> Iterator[str]:
    """The keys under which a name may be listed, the most exact first: as written, then without revision and date."""
    text = key(name)
    if text.startswith("ft:") and (match := _FINE_TUNED.match(text)):
        yield text
        text = match[1]
    yield text
    for shorter in (_without_revision, _without_date, _without_latest):
        if (short := shorter(text)) != text:
            text = short
            yield text


def nearest(name: str, names: Collection[str]) -> list[str]:
    """Up to three listed names that look like this one, the nearest first."""
    asked, by_key = key(name), {key(each): each for each in names}
    within = sorted((each for each in by_key if asked.startswith(f"{each}-")), key=len, reverse=True)
    close = [*get_close_matches(asked, by_key, n=3, cutoff=0.6), *within]
    return [by_key[each] for each in dict.fromkeys(close)][:3]


def family(model: str) -> str:
    """What successors share: `claude-opus-4-7` and `claude-opus-5` are both `claude-opus`."""
    words = [word for word in model.lower().split("/")[-1].split("-") if not _VERSION.match(word)]
    return "-".join(words)


def _without_revision(text: str) -> str:
    return _REVISION.sub("", text)


def _without_latest(text: str) -> str:
    return text.removesuffix("-latest")


def _without_date(text: str) -> str:
    match = _DATE.search(text)
    if not match:
        return text
    try:
        date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        return text
    return text[: match.start()]
