"""The engine under a real signal: Ctrl-C ends a statement of DuckDB as it ends Python."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

LONG = """
import signal, sys
from offtake.store.engine import Limits, engine
signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever runs the tests may ignore it
sql = "SELECT sum(hash(range) & 1) FROM range(100000000000)"
with engine(Limits(threads=4)) as run:  # more than one: any of them may have the query
    print("begun", flush=True)
    try:
        CALL
    except KeyboardInterrupt:
        print("stopped", flush=True)
    print(run.rows("SELECT 1"), signal.getsignal(signal.SIGINT) is signal.default_int_handler, flush=True)
"""
SECONDS_MAX = 30


@pytest.mark.parametrize("call", ["run.run(sql)", "run.rows(sql)", "list(run.stream(sql))"])
def test_ctrl_c_stops_a_statement_as_it_stops_python(call: str) -> None:
    command = [sys.executable, "-c", LONG.replace("CALL", call)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout is not None
            assert "begun\n" == running.stdout.readline()
            time.sleep(0.3)  # into the statement
            running.send_signal(signal.SIGINT)
            told, error = running.communicate(timeout=SECONDS_MAX)
        finally:
            running.kill()  # a child that goes on would be waited for

    assert ("stopped\n[(1,)] True\n", "", 0) == (told, error, running.returncode)
