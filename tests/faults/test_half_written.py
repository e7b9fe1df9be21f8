"""Nothing is half written: a kill, an interrupt, a bad file or a full disk leaves what was there before."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from offtake.operations.import_usage import import_usage
from offtake.store.engine import Limits
from offtake.store.lake import open_lake
from offtake.usage.reading import ReadOptions
from offtake.values.errors import InputError, OutsideError

HEAD = "id,used_at,model,input_tokens\n"
IMPORT = """
import sys
from pathlib import Path
from offtake.operations.import_usage import import_usage
def told(path, done, whole): print(done, flush=True)
import_usage([sys.argv[1]], Path(sys.argv[2]), progress=told)
"""


def rows(count: int) -> str:
    return HEAD + "".join(f"r{n},2026-03-01T00:00:00Z,claude-opus-4-7,{n + 1}\n" for n in range(count))


def started(folder: Path, count: int) -> subprocess.Popen[str]:
    """An import of many rows in another process, under way."""
    (folder / "new.csv").write_text(rows(count))
    command = [sys.executable, "-c", IMPORT, str(folder / "new.csv"), str(folder / "usage.parquet")]
    environment = {**os.environ, "PYTHONPATH": "src", "TMPDIR": str(folder / "temporary")}
    (folder / "temporary").mkdir()
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
    )
    assert process.stdout is not None
    process.stdout.readline()
    return process


@pytest.fixture
def earlier(tmp_path: Path) -> Path:
    """A usage file of an earlier import."""
    (tmp_path / "old.csv").write_text(rows(3))
    import_usage([tmp_path / "old.csv"], tmp_path / "usage.parquet")
    return tmp_path / "usage.parquet"


def records_of(path: Path) -> int:
    with open_lake([path]) as lake:
        return lake.records


@pytest.mark.parametrize("wait_seconds", [0.0, 0.4, 0.8])
def test_a_kill_at_any_time_leaves_the_old_file_or_the_new_one(earlier: Path, wait_seconds: float) -> None:
    process = started(earlier.parent, 30_000)
    time.sleep(wait_seconds)
    process.kill()
    process.communicate()
    assert records_of(earlier) in (3, 30_000)


def test_an_interrupt_leaves_no_trace(earlier: Path) -> None:
    process = started(earlier.parent, 60_000)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate()
    assert "KeyboardInterrupt" in errors
    assert 3 == records_of(earlier)
    left = {path.name for path in earlier.parent.iterdir()}
    assert {"old.csv", "new.csv", "usage.parquet", "temporary"} == left
    assert [] == list((earlier.parent / "temporary").iterdir())


def test_a_file_that_cannot_be_decoded_leaves_the_old_one(earlier: Path) -> None:
    bad = earlier.parent / "bad.csv"
    bad.write_bytes(rows(20_000).encode() + b"r\xff,2026-03-01T00:00:00Z,m,1\n")
    with pytest.raises(InputError, match="is not UTF-8"):
        import_usage([bad], earlier)
    assert 3 == records_of(earlier)
    assert {"old.csv", "bad.csv", "usage.parquet"} == {path.name for path in earlier.parent.iterdir()}


def test_a_folder_that_is_not_there_and_work_that_does_not_fit(earlier: Path) -> None:
    with pytest.raises(OutsideError, match="missing") as caught:
        import_usage([earlier], earlier.parent / "missing" / "usage.parquet")
    assert caught.value.exit_code == 4
    (earlier.parent / "many.csv").write_text(rows(20_000))
    with pytest.raises(OutsideError) as caught:
        import_usage([earlier.parent / "many.csv"], earlier, options=ReadOptions(), limits=Limits(memory_mb=1))
    assert ("O511", 3) == (caught.value.code, records_of(earlier))
