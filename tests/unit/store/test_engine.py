"""The engine under a real signal: Ctrl-C ends a statement of DuckDB as it ends Python."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

LONG = """
from offtake.store.engine import engine
with engine() as run:
    print("begun", flush=True)
    try:
        list(run.CALL("SELECT sum(hash(range) & 1) FROM range(100000000000)") or ())
    except KeyboardInterrupt:
        print("stopped", flush=True)
"""


@pytest.mark.parametrize("call", ["run", "rows", "stream"])
def test_ctrl_c_stops_a_statement_as_it_stops_python(call: str) -> None:
    code = LONG.replace("CALL", call)
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == b"begun\n"
        time.sleep(1)  # into the statement
        running.send_signal(signal.SIGINT)
        told, error = running.communicate(timeout=30)
    assert (told, error, running.returncode) == (b"stopped\n", b"", 0)
