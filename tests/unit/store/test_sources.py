"""What people hand us: each way in which a file is not what it should be has its message."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from offtake.store.sources import found_files, head_of, is_parquet, text_source
from offtake.values.errors import InputError


def lines_of(path: Path) -> list[str]:
    return list(text_source(path).lines)


def refused(path: Path) -> InputError:
    with pytest.raises(InputError) as caught:
        lines_of(path)
    return caught.value


@pytest.mark.parametrize("packed", [False, True])
def test_text_comes_line_by_line_with_its_line_ends(tmp_path: Path, packed: bool) -> None:
    data = "\ufeffid,model\r\n1,naïve\r\n2,last".encode()
    path = tmp_path / "usage.csv"
    path.write_bytes(gzip.compress(data) if packed else data)
    assert ["id,model\r\n", "1,naïve\r\n", "2,last"] == lines_of(path)
    assert head_of(path) == data


def test_a_wrong_encoding_names_the_byte_and_the_line(tmp_path: Path) -> None:
    path = tmp_path / "usage.csv"
    path.write_bytes(b"id,model\n1,na\xefve\n")
    error = refused(path)
    assert (error.code, error.exit_code) == ("U142", 2)
    assert str(error).startswith(f"{path}:2: error[U142]: byte 14 is not UTF-8: 0xef")


@pytest.mark.parametrize(
    ("head", "code", "says"),
    [
        (b"\xff\xfei\x00d\x00", "U142", "UTF-16"),
        (b"PK\x03\x04rest", "U146", "zip archive"),
        (b"\x28\xb5\x2f\xfdrest", "U146", "zstd"),
    ],
)
def test_other_formats_are_named(tmp_path: Path, head: bytes, code: str, says: str) -> None:
    path = tmp_path / "usage"
    path.write_bytes(head)
    error = refused(path)
    assert (code, True) == (error.code, says in str(error))


def test_a_truncated_gzip_is_refused_and_not_read_as_shorter(tmp_path: Path) -> None:
    path = tmp_path / "usage.csv.gz"
    path.write_bytes(gzip.compress(b"id,model\n" * 10_000)[:-20])
    assert "ends too early" in str(refused(path))
    path.write_bytes(b"\x1f\x8b\x08\x00garbage that is no deflate stream")
    assert refused(path).code == "U143"


def test_paths_and_patterns(tmp_path: Path) -> None:
    for name in ("b.csv", "a.csv"):
        (tmp_path / name).write_text("x")
    assert (tmp_path / "a.csv", tmp_path / "b.csv") == found_files([tmp_path / "*.csv", tmp_path / "a.csv"])
    for missing, code in ((tmp_path / "c.csv", "U140"), (tmp_path / "*.json", "U140"), (tmp_path, "U141")):
        with pytest.raises(InputError) as caught:
            found_files([missing])
        assert code == caught.value.code


def test_progress_ends_at_the_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "usage.csv"
    path.write_text("x\n" * 25_000)
    told: list[tuple[int, int]] = []
    assert 25_000 == len(list(text_source(path, lambda *at: told.append(at)).lines))
    assert told[-1] == (50_000, 50_000)
    assert told == sorted(told)


def test_an_empty_parquet_is_one_by_name(tmp_path: Path) -> None:
    path = tmp_path / "usage.parquet"
    path.write_bytes(b"")
    assert is_parquet(path)
