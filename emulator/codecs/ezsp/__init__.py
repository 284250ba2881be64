"""The serial line of a Zigbee dongle: ASH frames and links, and the EZSP commands on them."""
