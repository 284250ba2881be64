"""Zigbee dongles: what their drivers have in common, on bellows and zigpy as published."""
