"""GBCS messages as trees of named fields, for terminals and reports."""
