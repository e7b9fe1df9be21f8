"""The forecasts that the configuration names, each of the contract that it stands beside: read with the contracts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from offtake.gateway.log import say
from offtake.gateway.outlet import Outlet
from offtake.gateway.route.forecast import Forecast, forecasts_of
from offtake.operations.forecast_file import read_forecast
from offtake.operations.serve_config import ServeConfig
from offtake.values.errors import ContractError

Forecasts = Mapping[str, Mapping[str, Forecast]]
"""By contract and commitment: what its window still draws, from the planner."""


def read_forecasts(config: ServeConfig, outlets: Sequence[Outlet], *, says: bool) -> Forecasts:
    """The forecasts of the contracts of a configuration, whose outlets these are. Raises what a wrong one raises.

    One that is only out of date must stop nobody: its contract has none, and if it `says`, the log has why.
    """
    now, found = datetime.now(UTC), {}
    for settings, outlet in zip(config.settings.contracts, outlets, strict=True):
        if settings.forecast is None:
            continue
        try:
            read = read_forecast(config.path(settings.forecast), outlet.terms.contract, now)
        except ContractError as error:
            if error.code != "G722":
                raise
            if says:
                say("a forecast is out of date", code=error.code, contract=outlet.contract, why=error.findings[0].what)
            continue
        found[outlet.contract] = forecasts_of(read)
    return found
