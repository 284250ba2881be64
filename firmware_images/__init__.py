"""Firmware images: read, build, sign, spoil, lint."""
