"""Firmware-upgrade scenarios FM-01 and following."""
