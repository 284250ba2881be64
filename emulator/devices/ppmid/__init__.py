"""The emulated PPMID."""
