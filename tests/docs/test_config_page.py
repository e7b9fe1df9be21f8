"""The page of the configuration is what the code says, and the shipped example is one."""

from __future__ import annotations

from pathlib import Path

from offtake.operations.serve_config import load_config
from tests.docs.config_page import PAGE, page

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_is_what_the_code_says() -> None:
    assert page() == PAGE.read_text()


def test_the_shipped_example_can_be_read() -> None:
    config = load_config(ROOT / "contracts" / "offtake.toml")
    assert all(config.path(each.file).exists() for each in config.settings.contracts)
