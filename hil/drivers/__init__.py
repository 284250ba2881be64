"""Adapters for real things on a bench, one module each."""
