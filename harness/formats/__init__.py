"""Files the parties exchange."""
