"""Joins: the log of the devices that a device speaks with (CS03, CS04, CS07, GCS59, GCS62)."""
