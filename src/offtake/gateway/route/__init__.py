"""Routing: through which contract and channel a request costs least, given what is paid for already."""
