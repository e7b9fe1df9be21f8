"""Opens the catalogue: our facts from the package, the user's `--catalog` files, and the lock beside the contract."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path

from offtake.catalog.catalog import Catalog
from offtake.catalog.facts import Facts, read_facts
from offtake.catalog.lock import Lock, read_lock
from offtake.values.errors import ContractError, OutsideError, Place
from offtake.values.yaml_text import read_yaml


def open_catalog(catalogs: Sequence[Path] = (), lock: Path | None = None) -> Catalog:
    """The catalogue with these files laid over it, in order. ContractError where one of them is wrong."""
    from offtake.catalog.genai import PriceBook

    facts, name = _shipped()
    names = [name]
    for path in catalogs:
        text = _read(path)
        facts = facts.and_then(read_facts(*read_yaml(text, str(path))))
        names.append(f"{path.name} {_digest(text)}")
    return Catalog(PriceBook(), facts, names, open_lock(lock) if lock else None)


@cache
def _shipped() -> tuple[Facts, str]:
    """Our own facts, which are the same as long as the process runs, and what they are called."""
    text = files("offtake.catalog").joinpath("facts.yaml").read_text("utf-8")
    return read_facts(*read_yaml(text, "facts")), f"facts {_digest(text)}"


def open_lock(path: Path) -> Lock:
    """The prices of a lock file, and nothing else."""
    text = _read(path)
    return read_lock(*read_yaml(text, str(path)), digest=_digest(text))


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise ContractError("C207", "this file is not UTF-8 text", where=Place(str(path)), why=str(error)) from error
    except OSError as error:
        raise OutsideError("O501", f"cannot read {path}", why=str(error.strerror)) from error


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]
