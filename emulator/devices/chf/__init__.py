"""The emulated CHF."""
