"""Keys, certificates, signatures, MACs and the opening and sealing of GBCS messages."""
