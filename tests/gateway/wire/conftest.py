"""A gateway before a sandbox, shared by the tests of a module that need nothing special of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

pytest.importorskip("uvicorn", reason="the extra `gateway` is not installed")
pytest.importorskip("httptools", reason="the extra `gateway` is not installed")

from tests.gateway.wire.running import House


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    opened = House(tmp_path_factory.mktemp("house")).open()
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def key(house: House) -> str:
    return house.key()
