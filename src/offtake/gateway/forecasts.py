"""The forecasts that the configuration names, each of the contract that it stands beside: read with the contracts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from offtake.gateway.outlet import Outlet
from offtake.gateway.route.forecast import Forecast, forecasts_of
from offtake.operations.forecast_file import read_forecast
from offtake.operations.serve_config import ServeConfig

Forecasts = Mapping[str, Mapping[str, Forecast]]
"""By contract and commitment: what its window still draws, from the planner."""


def read_forecasts(config: ServeConfig, outlets: Sequence[Outlet]) -> Forecasts:
    """The forecasts of the contracts of a configuration, whose outlets these are. Raises what a wrong one raises."""
    now = datetime.now(UTC)
    return {
        outlet.contract: forecasts_of(read_forecast(config.path(settings.forecast), outlet.terms.contract, now))
        for settings, outlet in zip(config.settings.contracts, outlets, strict=True)
        if settings.forecast is not None
    }
