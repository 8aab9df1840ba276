"""Stores of readings: one protocol, several engines."""
