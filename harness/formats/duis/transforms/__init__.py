"""From the body of a service request to the GBCS pre-command that stands for it."""
