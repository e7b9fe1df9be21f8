"""The data plane: admit, hold, route, forward and settle live traffic under the contracts in force."""
