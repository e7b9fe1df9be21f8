"""Every error code of the source is documented, and no other is."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_has_every_code_of_the_source_once() -> None:
    source = [path.read_text() for path in (ROOT / "src").rglob("*.py")]
    used = {code for text in source for code in re.findall(r'"([CKLUROP][1-9]\d\d)"', text)}
    page = (ROOT / "docs" / "reference" / "errors.md").read_text()

    assert sorted(used) == re.findall(r"^\| ([CKLUROP]\d{3}) \| \w", _by_code(page), flags=re.MULTILINE)


def _by_code(page: str) -> str:
    return "\n".join(sorted(line for line in page.splitlines() if re.match(r"\| \w\d{3} ", line)))
