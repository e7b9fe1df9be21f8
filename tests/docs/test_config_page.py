"""The page of the configuration is what the code says, and the shipped example is one."""

from __future__ import annotations

import re
from pathlib import Path

from offtake.operations.serve_config import Settings, load_config
from tests.docs.config_page import PAGE, page

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_is_what_the_code_says() -> None:
    assert page() == PAGE.read_text()


def test_the_shipped_example_can_be_read() -> None:
    config = load_config(ROOT / "contracts" / "offtake.toml")
    assert all(config.path(each.file).exists() for each in config.settings.contracts)


def test_the_example_shows_every_section_and_what_stands_in_comments_is_good_too(tmp_path: Path) -> None:
    text = (ROOT / "contracts" / "offtake.toml").read_text()
    (tmp_path / "offtake.toml").write_text(re.sub(r"(?m)^# (\[|\w+ = )", r"\1", text))
    settings = load_config(tmp_path / "offtake.toml").settings

    assert set(Settings.model_fields) - {"source"} == settings.model_fields_set
