"""A Zigbee dongle that is a program: what its firmware does with EZSP commands."""
