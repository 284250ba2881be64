"""The emulated ESME."""
