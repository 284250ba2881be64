"""The virtual SM WAN between the communications hub and the DCC."""
