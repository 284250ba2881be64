"""Scenarios for one meter on a serial line."""
