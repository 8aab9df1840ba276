"""Stores of readings: one protocol, several engines."""

from campuswatch.stores.opening import open_store

__all__ = ["open_store"]
