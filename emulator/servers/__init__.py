"""Real-time servers of emulated meters: pseudo-terminals, TCP, the wrapper, RFC 2217."""
