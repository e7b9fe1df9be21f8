"""The vendors of the sandbox and what each model does: facts of the catalogue, asked once a model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache

from offtake.catalog.catalog import Catalog
from offtake.catalog.list_price import ModelFacts
from offtake.sandbox.refusals import VendorError
from offtake.store.catalogs import open_catalog
from offtake.values.errors import CatalogError

# Path prefix → the vendor in the catalogue. All speak OpenAI's wire but Anthropic.
VENDORS = {
    "openai": "openai",
    "anthropic": "anthropic",
    "google": "google",
    "xai": "x-ai",
    "mistral": "mistral",
    "deepseek": "deepseek",
}
OUTPUT_MAX = 128_000
PREFIX_MIN = 1024
WINDOW = 200_000
_REASONING = ("gpt-5", "gpt-6", "o1", "o3", "o4")


@dataclass(frozen=True, slots=True)
class Model:
    """A model: `id` as the catalogue has it, `vendor` as the path.

    `marks`: its cache keeps what is marked, and charges for writes.
    """

    id: str
    vendor: str
    window: int
    prefix_min: int
    caches: bool
    marks: bool
    reasons: bool
    embeds: bool
    launched: datetime

    @property
    def catalog_vendor(self) -> str:
        """The vendor as the catalogue calls it."""
        return VENDORS[self.vendor]


@cache
def _catalog() -> Catalog:
    return open_catalog()


class Models:
    """Finds models by the names that the vendor's clients use."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._catalog = _catalog()
        self._now = now
        self._found: dict[tuple[str, str], Model | None] = {}

    def find(self, vendor: str, name: object) -> Model:
        """VendorError 404 for a model that the vendor does not list."""
        if not isinstance(name, str) or not name:
            raise VendorError.invalid("you must provide a model parameter", param="model")
        key = (vendor, name)
        if key not in self._found:
            if len(self._found) > 10_000:  # names come from outside
                self._found.clear()
            self._found[key] = self._look_up(vendor, name)
        model = self._found[key]
        if model is None:
            if vendor == "anthropic":
                raise VendorError(404, f"model: {name}")
            message = f"The model `{name}` does not exist or you do not have access to it."
            raise VendorError(404, message, code="model_not_found")
        return model

    def listed(self, vendor: str) -> list[Model]:
        """Every model of a vendor, the newest first."""
        facts = self._catalog.models(VENDORS[vendor])
        found = [self._model(vendor, each) for each in facts]
        return sorted(found, key=lambda model: (model.launched, model.id), reverse=True)

    def _look_up(self, vendor: str, name: str) -> Model | None:
        try:
            facts = self._catalog.resolve(name, VENDORS[vendor])
        except CatalogError:
            return None
        return self._model(vendor, facts) if facts.vendor == VENDORS[vendor] else None

    def _model(self, vendor: str, facts: ModelFacts) -> Model:
        now = datetime.fromtimestamp(self._now(), UTC)
        cells = self._catalog.cells(facts.id, facts.vendor, "realtime", "api", "global")
        prices = next((cell.prices for cell in cells if cell.holds(now)), {})
        plain, read, write = (
            prices[name].base if name in prices else Decimal(0)
            for name in ("input_tokens", "cache_read_tokens", "cache_write_5m_tokens")
        )
        return Model(
            id=facts.id,
            vendor=vendor,
            window=facts.context_window or WINDOW,
            prefix_min=PREFIX_MIN if facts.min_prefix_tokens is None else facts.min_prefix_tokens,
            caches=read < plain,
            marks=vendor == "anthropic" or write > plain,
            reasons=vendor == "openai" and facts.id.startswith(_REASONING),
            embeds="embedding" in facts.id or "output_tokens" not in prices,
            launched=facts.launched or datetime.fromtimestamp(0, UTC),
        )
