"""Runs a sandbox on a port until it is stopped."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Callable
from pathlib import Path

import uvicorn

from offtake.sandbox.app import App
from offtake.sandbox.script import Script
from offtake.sandbox.work import Sandbox
from offtake.values.errors import OutsideError

BACKLOG = 2048


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens; port 0 takes a free one. OutsideError O515 where the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        hint = "stop what listens there, or choose another with --port; --port 0 takes a free one"
        raise OutsideError("O515", f"cannot listen on {host}:{port}", why=str(error.strerror), hint=hint) from error
    return listener


def server_of(sandbox: Sandbox) -> uvicorn.Server:
    """A server of the sandbox; `should_exit` ends it, and open answers get five seconds to end."""
    logging.getLogger("uvicorn.error").addFilter(_said)
    config = uvicorn.Config(
        App(sandbox), lifespan="off", log_level="warning", access_log=False, server_header=False,
        timeout_graceful_shutdown=5, proxy_headers=False, timeout_keep_alive=75, ws="none",
    )  # fmt: skip
    return uvicorn.Server(config)


def url_of(listener: socket.socket) -> str:
    """The address that clients are told, without a path."""
    host, port = listener.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def serve(listener: socket.socket, meter: Path | None, script: Script, ready: Callable[[str], None]) -> None:
    """Serves until a signal ends it; `ready` is told the URL once clients may connect."""
    sandbox = Sandbox(meter, script, time.time)
    ready(url_of(listener))
    try:
        server_of(sandbox).run(sockets=[listener])
    finally:
        sandbox.meter.close()
        listener.close()


def _said(record: logging.LogRecord) -> bool:
    """An answer that a fault broke off is no news."""
    return "without completing response" not in record.getMessage()
