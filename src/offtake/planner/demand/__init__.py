"""Possible futures of demand and of list prices."""
