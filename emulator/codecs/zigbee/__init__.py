"""Zigbee frames below the cluster library: MAC, NWK and APS, without security headers."""
