"""A file is replaced whole or stays as it was; what is shipped is found."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from offtake.store.files import replacing, replacing_path
from offtake.store.shipped import shipped
from offtake.values.errors import OutsideError


def test_a_file_takes_its_place_when_the_block_ends_well(tmp_path: Path) -> None:
    path = tmp_path / "prices.lock.yaml"
    with replacing(path) as file:
        file.write(b"new")
        assert not path.exists()

    assert b"new" == path.read_bytes()
    assert [path] == list(tmp_path.iterdir())


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_an_interrupted_file_stays_as_it_was(error: BaseException, tmp_path: Path) -> None:
    path = tmp_path / "prices.lock.yaml"
    path.write_bytes(b"old")
    with pytest.raises((KeyboardInterrupt, OSError)), replacing(path) as file:
        file.write(b"ne")
        raise error

    assert b"old" == path.read_bytes()
    assert [path] == list(tmp_path.iterdir())


def test_a_writer_may_open_the_file_itself(tmp_path: Path) -> None:
    path = tmp_path / "usage.parquet"
    with replacing_path(path) as beside:
        assert ".parquet" == beside.suffix
        beside.write_bytes(b"PAR1")

    assert b"PAR1" == path.read_bytes()


@pytest.mark.skipif(os.name != "posix", reason="modes of POSIX")
def test_a_new_file_is_as_readable_as_any_other(tmp_path: Path) -> None:
    plain, ours = tmp_path / "plain", tmp_path / "ours"
    plain.touch()
    with replacing(ours):
        pass

    assert stat.S_IMODE(plain.stat().st_mode) == stat.S_IMODE(ours.stat().st_mode)


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    link, target = tmp_path / "link", tmp_path / "target"
    link.symlink_to(target)
    with replacing(link) as file:
        file.write(b"new")

    assert link.is_symlink()
    assert b"new" == target.read_bytes()


@pytest.mark.skipif(os.name != "posix", reason="devices of POSIX")
def test_a_device_is_written_to_and_not_replaced() -> None:
    with replacing(Path(os.devnull)) as file:
        file.write(b"gone")

    assert not Path(os.devnull).is_file()


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    words = r"O510.*none/usage.parquet: No such file or directory"
    with pytest.raises(OutsideError, match=words), replacing(tmp_path / "none" / "usage.parquet"):
        pass


def test_what_is_shipped_is_found() -> None:
    assert shipped("schema/contract.schema.json").is_file()
    assert (shipped("contracts") / "README.md").is_file()


def test_what_is_not_shipped_is_an_error_with_a_hint() -> None:
    with pytest.raises(OutsideError, match=r"O502.*nothing-of-ours"):
        shipped("nothing-of-ours")
