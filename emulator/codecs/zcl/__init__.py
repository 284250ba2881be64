"""Zigbee cluster library: the frame and the clusters of the GB HAN."""
