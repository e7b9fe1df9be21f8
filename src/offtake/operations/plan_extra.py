"""What the planner needs beside the package itself: numpy and highspy to search, XlsxWriter for workbooks."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec

from offtake.values.errors import OutsideError

LIBRARIES = ("numpy", "highspy")


def need_plan_extra(*libraries: str) -> None:
    """OutsideError with what to install where one of these libraries (all of the extra by default) is missing."""
    _need("plan", libraries or LIBRARIES)


def need_office_extra() -> None:
    """OutsideError with what to install where XlsxWriter is missing."""
    _need("office", ("xlsxwriter",))


def _need(extra: str, libraries: Sequence[str]) -> None:
    missing = [name for name in libraries if find_spec(name) is None]
    if missing:
        raise OutsideError(
            "O514", f"this needs {' and '.join(missing)}, which this installation does not have",
            hint=f"pip install 'offtake[{extra}]'",
        )  # fmt: skip
