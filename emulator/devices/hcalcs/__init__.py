"""The emulated HCALCS."""
