"""Emulated GB smart-metering HAN devices that speak the real binary protocols."""
