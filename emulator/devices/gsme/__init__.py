"""The emulated GSME."""
