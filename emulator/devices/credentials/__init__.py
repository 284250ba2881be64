"""Credentials: who holds the places of a device, and the device's own keys (CS02a to CS02g)."""
