"""The ledger, pure: double entry in picodollars, leases and holds, credit lots, and the chain over what was posted."""
