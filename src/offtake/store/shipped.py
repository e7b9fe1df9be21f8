"""What the package ships: example contracts, the playbook and JSON Schemas.

They stand at the top of the repository, where people look for them, and the wheel carries them in `offtake/_shipped`.
"""

from __future__ import annotations

from pathlib import Path

from offtake.values.errors import OutsideError

_PACKAGE = Path(__file__).resolve().parents[1]


def shipped(name: str) -> Path:
    """The path of a shipped file or folder, such as `contracts` or `schema/contract.schema.json`."""
    for root in (_PACKAGE / "_shipped", _PACKAGE.parents[1]):
        if (root / name).exists():
            return root / name
    raise OutsideError("O502", f"this installation lacks {name}", hint="install offtake again")
