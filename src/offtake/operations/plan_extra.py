"""What the planner's searches need beside the package itself: numpy and highspy, the extra `plan`."""

from __future__ import annotations

from importlib.util import find_spec

from offtake.values.errors import OutsideError

LIBRARIES = ("numpy", "highspy")


def need_plan_extra(*libraries: str) -> None:
    """OutsideError with what to install where one of these libraries (all of the extra by default) is missing."""
    missing = [name for name in libraries or LIBRARIES if find_spec(name) is None]
    if missing:
        raise OutsideError(
            "O514", f"this needs {' and '.join(missing)}, which this installation does not have",
            hint="pip install 'offtake[plan]'",
        )  # fmt: skip
