"""Runs as they go: on the terminal, and as read-only pages on this machine."""
