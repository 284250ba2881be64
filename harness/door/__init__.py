"""The participant door: a supplier's own system talks DUIS with our DSP in front of homes."""
