"""Parties, scenarios, reports and the command line."""
