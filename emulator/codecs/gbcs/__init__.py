"""GBCS messages: envelope, use-case table and typed payloads."""
