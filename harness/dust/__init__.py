"""Migration-DUST-style runs: a participant's own system in the loop, to an evidence pack."""
