"""Devices as functions of an event and a time: no I/O, no clock, no chance."""
