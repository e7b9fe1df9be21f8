"""docs/reference/config.md out of the configuration's own docstrings.

`python -m tests.docs.config_page` renews the page; a test compares.
"""

from __future__ import annotations

from pathlib import Path

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from offtake.contract.schema.field_types import Term
from offtake.operations.serve_config import (
    BudgetSettings,
    CacheSettings,
    ContractSettings,
    GatewaySettings,
    KeySource,
    NonUrgentSettings,
    StoreSettings,
    TelemetrySettings,
    TranscriptSettings,
    VendorSettings,
)

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "config.md"
HEAD = """# Configuration of the gateway

`offtake serve --config offtake.toml`. Paths are relative to the file. No price or limit stands in it, and no secret.
`offtake serve --example` prints an annotated one.
"""
TABLES: tuple[tuple[str, type[Term]], ...] = (
    ("[gateway]", GatewaySettings),
    ("[store]", StoreSettings),
    ("[vendors.NAME]", VendorSettings),
    ("key of a vendor, or of transcripts", KeySource),
    ("[[contracts]]", ContractSettings),
    ("[[budgets]]", BudgetSettings),
    ("[[cache]]", CacheSettings),
    ("[[non_urgent]]", NonUrgentSettings),
    ("[telemetry]", TelemetrySettings),
    ("[transcripts]", TranscriptSettings),
)


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    for title, model in TABLES:
        rows = [_row(name, field) for name, field in model.model_fields.items() if name != "source"]
        said = (model.__doc__ or "").strip()
        parts.append(f"\n## {title}\n\n{said}\n\n| key | default | what it says |\n|---|---|---|\n" + "\n".join(rows))
    return "\n".join(parts) + "\n"


def _row(name: str, field: FieldInfo) -> str:
    default = field.default
    shown = "required" if default is PydanticUndefined else "" if default is None else f"`{_toml(default)}`"
    return f"| `{name}` | {shown} | {field.description} |"


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value).replace("'", '"')


if __name__ == "__main__":
    PAGE.write_text(page())
